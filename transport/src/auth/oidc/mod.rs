//! The provider `oidc`: an id-token, renewed with a refresh token at its OpenID issuer.

mod error;
mod issuer;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use kubewire_config::{
    AuthProviderConfig, Config, ConfigError, EntryOrigin, Kubeconfig, LoadingRules, Pem, Secret, TlsConfig,
};
use tokio::runtime::{Handle, Id};
use tokio::sync::Mutex;
use url::Url;

use super::AuthOptions;
use super::cell::{Cell, Stamp};
use super::shared::Shared;
use crate::{Error, ErrorKind, HttpClient};
use error::OidcError;
use issuer::{Client, Issuer};
use token::IdToken;

const NAME: &str = "oidc";
const ISSUER: &str = "idp-issuer-url";
const CLIENT_ID: &str = "client-id";
const CLIENT_SECRET: &str = "client-secret";
const CA: &str = "idp-certificate-authority";
const CA_DATA: &str = "idp-certificate-authority-data";
const ID_TOKEN: &str = "id-token";
const REFRESH_TOKEN: &str = "refresh-token";

/// How long a renewal may take that nobody waits for any more.
const LIMIT: Duration = Duration::from_secs(60);

/// One client's use of an id-token.
pub(super) struct Oidc {
    provider: Arc<Provider>,
    now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

/// An id-token, shared by all clients that are configured alike.
struct Provider {
    spec: AuthProviderConfig,
    /// The issuer's connections live in the runtime that they were made in. Without one, nothing is shared.
    runtime: Option<Id>,
    issuer: Issuer,
    client_id: String,
    cell: Arc<Cell<IdToken, OidcError>>,
    /// Held while tokens are renewed.
    settings: Mutex<Settings>,
}

struct Settings {
    values: BTreeMap<String, Secret>,
    /// Newer than what the kubeconfig holds.
    unsaved: bool,
}

impl Oidc {
    pub(super) fn new(provider: &AuthProviderConfig, options: &AuthOptions) -> Result<Self, Error> {
        static PROVIDERS: Shared<Provider> = Shared::new();
        let runtime = Handle::try_current().ok().map(|runtime| runtime.id());
        let same =
            |other: &Provider| runtime.is_some() && other.runtime == runtime && other.spec == *provider;
        let provider = PROVIDERS.get(same, || Provider::new(provider, runtime))?;
        Ok(Self { provider, now: Arc::clone(&options.now) })
    }

    /// The header to send; the token is renewed first where it is over.
    ///
    /// A renewal that has begun goes on when nobody waits for it: the issuer may have taken the refresh token
    /// back already, and its successor must not get lost.
    pub(super) async fn header(&self) -> Result<(HeaderValue, Stamp), Error> {
        let now = (self.now)();
        let renew = || {
            let provider = Arc::clone(&self.provider);
            async move {
                let renewal = tokio::time::timeout(LIMIT, provider.renew(now));
                let renewal = async { renewal.await.unwrap_or(Err(OidcError::TimedOut(LIMIT.as_secs()))) };
                tokio::spawn(renewal).await.unwrap_or(Err(OidcError::Ended))
            }
        };
        let (token, stamp) = self
            .provider
            .cell
            .get(|token| token.is_valid(now), renew)
            .await
            .map_err(|error| Error::new(ErrorKind::Credential, error))?;
        Ok((token.header.clone(), stamp))
    }
}

impl Provider {
    fn new(spec: &AuthProviderConfig, runtime: Option<Id>) -> Result<Self, Error> {
        let values = &spec.config;
        let url = required(values, ISSUER)?;
        let url = Url::parse(url).map_err(|error| {
            Error::new(ErrorKind::Config, error)
                .context(format!("the setting {ISSUER} of the auth-provider oidc is no URL"))
        })?;
        let http = HttpClient::new(&issuer_config(&url, values)?)?;
        let token = text(values, ID_TOKEN).map(IdToken::parse).transpose().map_err(|error| {
            Error::new(ErrorKind::Config, error).context(format!(
                "the setting {ID_TOKEN} of the auth-provider oidc is no token: log in again"
            ))
        })?;
        Ok(Self {
            runtime,
            issuer: Issuer::new(Arc::new(http), url),
            client_id: required(values, CLIENT_ID)?.to_owned(),
            cell: Cell::new(token),
            settings: Mutex::new(Settings { values: values.clone(), unsaved: false }),
            spec: spec.clone(),
        })
    }

    async fn renew(self: Arc<Self>, now: SystemTime) -> Result<IdToken, OidcError> {
        let mut settings = self.settings.lock().await;
        if !settings.unsaved {
            self.look_at_the_file(&mut settings).await;
        }
        if let Some(token) = text(&settings.values, ID_TOKEN).map(IdToken::parse).transpose()?
            && token.is_valid(now)
        {
            self.save(&mut settings).await?;
            return Ok(token);
        }
        let refresh_token = text(&settings.values, REFRESH_TOKEN).ok_or(OidcError::NoRefreshToken)?;
        let client = Client { id: &self.client_id, secret: text(&settings.values, CLIENT_SECRET) };
        let tokens = self.issuer.refresh(&client, refresh_token).await?;
        let id_token = tokens.id_token.ok_or_else(|| OidcError::Content {
            url: self.issuer.url().to_string(),
            problem: "it holds no id_token: was the scope openid asked for at login, and does the issuer renew id-tokens?",
        })?;
        let token = IdToken::parse(&id_token)?;
        settings.values.insert(ID_TOKEN.to_owned(), id_token);
        if let Some(refresh_token) = tokens.refresh_token.filter(|token| !token.expose().is_empty()) {
            settings.values.insert(REFRESH_TOKEN.to_owned(), refresh_token);
        }
        settings.unsaved = true;
        self.save(&mut settings).await?;
        Ok(token)
    }

    /// Takes over what another program has saved meanwhile.
    async fn look_at_the_file(&self, settings: &mut Settings) {
        let Some(origin) = self.spec.origin.clone() else { return };
        let found = tokio::task::spawn_blocking(move || {
            let mut file = Kubeconfig::load(&origin.path).ok()?;
            let provider = file.users.remove(&origin.name)?.auth_provider?;
            (provider.name == NAME).then_some(provider.config)
        });
        let Ok(Some(found)) = found.await else { return };
        // Another issuer's tokens are no use here.
        if [ISSUER, CLIENT_ID].iter().all(|key| found.get(*key) == settings.values.get(*key)) {
            settings.values = found;
        }
    }

    /// Writes the tokens to where they came from, if that is due.
    async fn save(&self, settings: &mut Settings) -> Result<(), OidcError> {
        if let Some(origin) = self.spec.origin.clone().filter(|_| settings.unsaved) {
            let name = origin.name.clone();
            let tokens: Vec<_> = [ID_TOKEN, REFRESH_TOKEN]
                .into_iter()
                .filter_map(|key| Some((key, settings.values.get(key)?.clone())))
                .collect();
            let saving = tokio::task::spawn_blocking(move || save(&origin, tokens));
            let found = saving.await.map_err(|_| OidcError::Ended)?.map_err(OidcError::Save)?;
            if !found {
                return Err(OidcError::Moved(name));
            }
        }
        settings.unsaved = false;
        Ok(())
    }
}

/// Whether the entry was there to save to.
fn save(origin: &EntryOrigin, tokens: Vec<(&str, Secret)>) -> Result<bool, ConfigError> {
    LoadingRules::explicit(&origin.path).modify(|file| {
        let user = file.users.get_mut(&origin.name);
        let provider =
            user.and_then(|user| user.auth_provider.as_mut()).filter(|provider| provider.name == NAME);
        let found = provider.is_some();
        if let Some(provider) = provider {
            provider.config.extend(tokens.into_iter().map(|(key, value)| (key.to_owned(), value)));
        }
        Ok(found)
    })
}

/// The settings of the connection to the issuer.
fn issuer_config(url: &Url, values: &BTreeMap<String, Secret>) -> Result<Config, Error> {
    let ca = match (text(values, CA_DATA), text(values, CA)) {
        (Some(data), _) => {
            let pem = STANDARD.decode(data.expose()).map_err(|_| {
                let text = format!("the setting {CA_DATA} of the auth-provider oidc is not base64");
                Error::new(ErrorKind::Config, text)
            })?;
            Some(Pem::Data(pem))
        }
        (None, Some(path)) => Some(Pem::File(path.expose().into())),
        (None, None) => None,
    };
    Ok(Config { tls: TlsConfig { ca, ..TlsConfig::default() }, ..Config::new(url.as_str()) })
}

fn text<'a>(values: &'a BTreeMap<String, Secret>, key: &str) -> Option<&'a Secret> {
    values.get(key).filter(|value| !value.expose().is_empty())
}

fn required<'a>(values: &'a BTreeMap<String, Secret>, key: &str) -> Result<&'a str, Error> {
    text(values, key).map(|value| value.expose().as_str()).ok_or_else(|| {
        Error::new(ErrorKind::Config, format!("the auth-provider oidc lacks the setting {key}"))
    })
}
