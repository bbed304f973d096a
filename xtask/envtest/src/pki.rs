//! Keys, certificates, tokens and the kubeconfigs made of them.

use std::error::Error;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const ADMIN_TOKEN: &str = "envtest-admin-token";
const USER_TOKEN: &str = "envtest-user-token";

/// What a kubeconfig needs to know, and a client that waits for the server.
#[derive(Debug)]
pub(crate) struct Pki {
    pub(crate) ca: String,
    admin_certificate: String,
    admin_key: String,
}

/// Writes all that the servers read into `dir`.
pub(crate) fn write(dir: &Path) -> Result<Pki> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "envtest-ca");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let names = ["localhost", "127.0.0.1", "10.0.0.1", "kubernetes", "kubernetes.default.svc"];
    let (server, server_key) =
        leaf(&ca, "kube-apiserver", None, &names, ExtendedKeyUsagePurpose::ServerAuth)?;
    let (admin_certificate, admin_key) =
        leaf(&ca, "admin", Some("system:masters"), &[], ExtendedKeyUsagePurpose::ClientAuth)?;
    let accounts = KeyPair::generate()?;

    fs::write(dir.join("ca.crt"), ca.pem())?;
    fs::write(dir.join("apiserver.crt"), server)?;
    fs::write(dir.join("apiserver.key"), server_key)?;
    fs::write(dir.join("sa.key"), accounts.serialize_pem())?;
    fs::write(dir.join("sa.pub"), accounts.public_key_pem())?;
    fs::write(
        dir.join("tokens.csv"),
        format!(
            "{ADMIN_TOKEN},token-admin,1000,\"system:masters\"\n{USER_TOKEN},token-user,1001,\"nobodies\"\n"
        ),
    )?;
    Ok(Pki { ca: ca.pem(), admin_certificate, admin_key })
}

impl Pki {
    /// Writes the kubeconfigs of `url` under the names `PREFIXkubeconfig`, `PREFIXtoken.kubeconfig` and
    /// `PREFIXuser.kubeconfig`.
    pub(crate) fn write_kubeconfigs(&self, dir: &Path, prefix: &str, url: &str) -> Result<()> {
        let certificate = format!(
            "client-certificate-data: {}, client-key-data: {}",
            STANDARD.encode(&self.admin_certificate),
            STANDARD.encode(&self.admin_key)
        );
        let ca = STANDARD.encode(&self.ca);
        for (name, user) in [
            ("kubeconfig", certificate),
            ("token.kubeconfig", format!("token: {ADMIN_TOKEN}")),
            ("user.kubeconfig", format!("token: {USER_TOKEN}")),
        ] {
            let text = format!(
                "apiVersion: v1\nkind: Config\nclusters:\n- name: envtest\n  cluster: {{server: '{url}', \
                 certificate-authority-data: {ca}}}\nusers:\n- name: envtest\n  user: {{{user}}}\ncontexts:\n- name: \
                 envtest\n  context: {{cluster: envtest, user: envtest, namespace: default}}\ncurrent-context: envtest\n"
            );
            fs::write(dir.join(format!("{prefix}{name}")), text)?;
        }
        Ok(())
    }
}

fn leaf(
    ca: &CertifiedIssuer<'_, KeyPair>,
    common_name: &str,
    organization: Option<&str>,
    names: &[&str],
    purpose: ExtendedKeyUsagePurpose,
) -> Result<(String, String)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    if let Some(organization) = organization {
        params.distinguished_name.push(DnType::OrganizationName, organization);
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, ca)?;
    Ok((certificate.pem(), key.serialize_pem()))
}
