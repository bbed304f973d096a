use std::io::Read as _;

use super::*;

// BH-T11
#[tokio::test]
async fn output_that_is_no_credential_is_told_apart() {
    let program = Program::printing(&Value::Null);
    let (certificate, key) = pair("client");
    let (_, other_key) = pair("other");
    let status = |status: Value| credential(&status).to_string();
    for (output, text) in [
        (String::new(), "no JSON of an ExecCredential (line 1, column 0)"),
        (format!("{} trailing", token("t")), "no JSON"),
        (json!({ "status": { "token": "t" } }).to_string(), "kind is \"\""),
        (json!({ "kind": "ExecCredential", "status": { "token": "t" } }).to_string(), "apiVersion is \"\""),
        (token("t").to_string().replace(V1, V1BETA1), "but client.authentication.k8s.io/v1 is configured"),
        (json!({ "kind": "ExecCredential", "apiVersion": V1 }).to_string(), "has no status"),
        (status(json!({})), "neither a token nor"),
        (status(json!({ "token": "", "clientKeyData": "" })), "neither a token nor"),
        (status(json!({ "token": 1 })), "no JSON"),
        (status(json!({ "token": "a\nb" })), "token holds characters"),
        (status(json!({ "token": "t", "expirationTimestamp": "soon" })), "no RFC 3339 time"),
        (status(json!({ "token": "t", "clientCertificateData": certificate })), "without the key"),
        (status(json!({ "token": "t", "clientKeyData": key })), "without the certificate"),
        (status(json!({ "clientCertificateData": "x", "clientKeyData": key })), "holds no certificate"),
        (status(json!({ "clientCertificateData": certificate, "clientKeyData": "x" })), "no private key"),
        (status(json!({ "clientCertificateData": certificate, "clientKeyData": other_key })), "don't match"),
    ] {
        program.write("output", &output);
        let error = failure(&program.exec()).await;
        assert!(error.contains("the credential program sh printed is no credential"), "{error}");
        assert!(error.contains(text), "{error}, not {text}");
    }
}

// BH-T11
#[tokio::test]
async fn a_run_that_fails_is_told_with_its_code() {
    let error = failure(&Program::new("exit 73").exec()).await;
    assert!(
        error.ends_with("the credential program sh ended with exit code 73: it says why on stderr"),
        "{error}"
    );
    let error = failure(&Program::new("kill -9 $$").exec()).await;
    assert!(error.contains("ended with a signal"), "{error}");
    let exec = ExecConfig { command: PathBuf::from("/nowhere/plugin"), ..ExecConfig::default() };
    let error = failure(&exec).await;
    assert!(error.contains("/nowhere/plugin can't be run: No such file"), "{error}");
}

// BH-T11
#[tokio::test]
async fn a_program_that_is_not_installed_comes_with_help_ten_times() {
    let exec = client(&ExecConfig {
        command: PathBuf::from("kubewire-no-such-program"),
        install_hint: Some("brew install \u{1b}[1mit".to_owned()),
        ..ExecConfig::default()
    });
    for time in 0..12 {
        let error = chain(&exec.header().await.unwrap_err());
        assert!(error.contains("kubewire-no-such-program is not on PATH"), "{error}");
        assert_eq!(error.ends_with("\n\nbrew install U+001B[1mit"), time < 10, "{time}: {error}");
    }
}

#[tokio::test]
async fn endless_output_is_an_error() {
    let error = failure(&Program::new("exec cat /dev/zero").exec()).await;
    assert!(error.contains("printed more than 1048576 bytes"), "{error}");
    let error = failure(&Program::new("head -c 10000000 /dev/zero").exec()).await;
    assert!(error.contains("printed more than 1048576 bytes"), "{error}");
}

#[tokio::test]
async fn a_child_left_behind_does_not_hold_the_credential_back() {
    let program = Program::new("cat output\nsleep 1000 & echo $! > pid");
    program.write("output", &token("one").to_string());
    // Five seconds of the runtime's clock, which stands still but for those who wait for it.
    tokio::time::pause();
    assert_eq!(sent(&client(&program.exec())).await, "Bearer one");
    tokio::time::resume();
    let pid = program.wrote("pid").await;
    assert!(std::process::Command::new("kill").arg(pid.trim()).status().unwrap().success());
}

#[tokio::test]
async fn what_a_program_has_started_ends_with_it() {
    let program =
        Program::new("mkfifo pipe\nexec 3<>pipe\nsleep 1000 &\nexec 3>&-\necho started > started\nwait");
    let exec = program.exec();
    let shell = lookup::resolve(&exec.command, std::env::var_os("PATH").as_deref()).unwrap();
    let info = Secret::from("");
    let mut running = Box::pin(run::run(&exec, &shell, Terminal::None, &info));
    let started = program.wrote("started");
    tokio::select! {
        outcome = &mut running => panic!("{outcome:?}"),
        _ = started => {}
    }
    // The pipe ends when nobody can write to it any more, which now the sleeper alone can.
    let mut pipe = fs::File::open(program.path("pipe")).unwrap();
    let (end, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || end.send(pipe.read(&mut [0])));
    drop(running);
    let ended = tokio::time::timeout(Duration::from_secs(30), ended);
    assert_eq!(ended.await.expect("in time").unwrap().unwrap(), 0);
}

// BH-T14
#[tokio::test]
async fn a_program_that_is_not_allowed_does_not_run() {
    let program = Program::printing(&token("one"));
    let with = |policy| ExecConfig { policy, ..program.exec() };
    for policy in [PluginPolicy::DenyAll, PluginPolicy::Allowlist(vec!["other".to_owned()])] {
        let error = failure(&with(policy)).await;
        assert!(error.contains("the plugin policy does not allow the credential program sh"), "{error}");
    }
    assert_eq!(program.runs(), 0);
    let shell = lookup::resolve(Path::new("sh"), std::env::var_os("PATH").as_deref()).unwrap();
    for entry in ["sh", shell.to_str().unwrap()] {
        sent(&client(&with(PluginPolicy::Allowlist(vec![entry.to_owned()])))).await;
    }
    assert_eq!(program.runs(), 2);
}

#[test]
fn a_configuration_that_can_not_work_is_refused() {
    let good = Program::new("").exec();
    for (exec, text) in [
        (ExecConfig { command: PathBuf::new(), ..good.clone() }, "no command"),
        (ExecConfig { env: vec![(String::new(), "x".into())], ..good.clone() }, "without a name"),
        (ExecConfig { api_version: String::new(), ..good.clone() }, "the apiVersion \"\""),
        (
            ExecConfig { api_version: "client.authentication.k8s.io/v1alpha1".to_owned(), ..good.clone() },
            "use client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1",
        ),
        (ExecConfig { policy: PluginPolicy::Allowlist(Vec::new()), ..good.clone() }, "allow list"),
    ] {
        let error = Exec::new(&Config::new("https://host"), &exec, &options(&Clock::new())).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(chain(&error).contains(text), "{}", chain(&error));
    }
    let config = Config {
        tls: TlsConfig { ca: Some(Pem::File(PathBuf::from("/nowhere/ca"))), ..TlsConfig::default() },
        ..Config::new("https://host")
    };
    let told = ExecConfig { provide_cluster_info: true, ..good };
    let error = Exec::new(&config, &told, &options(&Clock::new())).err().unwrap();
    assert!(chain(&error).contains("the CA file /nowhere/ca can't be read"), "{}", chain(&error));
}
