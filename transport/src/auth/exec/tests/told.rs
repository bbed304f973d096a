use super::*;

// BH-T10
#[tokio::test]
async fn the_program_is_told_what_is_wanted() {
    let program = Program::new(
        "printf '%s\\n' \"$KUBERNETES_EXEC_INFO\" > info\nprintf '%s|' \"$@\" > args\ncat > stdin\ncat output",
    );
    program.write("output", &token("one").to_string());
    program.write("ca", "a certificate");
    let mut exec = ExecConfig {
        provide_cluster_info: true,
        cluster_config: Some(json!({ "audience": "x" })),
        interactive_mode: InteractiveMode::Never,
        ..program.exec()
    };
    exec.args.extend(["a b".into(), "$c".into()]);
    exec.env.push((info::VARIABLE.to_owned(), Secret::from("not this")));
    let config = Config {
        tls: TlsConfig {
            ca: Some(Pem::File(program.path("ca"))),
            server_name: Some("name".to_owned()),
            ..TlsConfig::default()
        },
        proxy: Some("http://me:pw@proxy:8080".parse().unwrap()),
        disable_compression: true,
        ..Config::new("https://host:6443/prefix")
    };
    sent(&Exec::new(&config, &exec, &options(&Clock::new())).unwrap()).await;

    assert_eq!(program.read("args"), "a b|$c|");
    assert_eq!(program.read("stdin"), "");
    let text = program.read("info");
    let expected = json!({
        "kind": "ExecCredential",
        "apiVersion": V1,
        "spec": {
            "interactive": false,
            "cluster": {
                "server": "https://host:6443/prefix",
                "tls-server-name": "name",
                "certificate-authority-data": "YSBjZXJ0aWZpY2F0ZQ==",
                "proxy-url": "http://me:pw@proxy:8080/",
                "disable-compression": true,
                "config": { "audience": "x" },
            },
        },
    });
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);

    // BH-T20
    let info = ExecInfo::parse(&text).unwrap();
    assert_eq!((info.api_version.as_str(), info.interactive), (V1, false));
    assert_eq!(info.cluster_config, exec.cluster_config);
    let tls = TlsConfig { ca: Some(Pem::Data(b"a certificate".to_vec())), ..config.tls.clone() };
    assert_eq!(info.config, Config { tls, ..config });

    let beta = ExecConfig { api_version: V1BETA1.to_owned(), provide_cluster_info: false, ..exec };
    program.write("output", &token("one").to_string().replace(V1, V1BETA1));
    sent(&client(&beta)).await;
    let expected =
        json!({ "kind": "ExecCredential", "apiVersion": V1BETA1, "spec": { "interactive": false } });
    assert_eq!(serde_json::from_str::<Value>(&program.read("info")).unwrap(), expected);
}

// BH-T20
#[test]
fn an_author_is_told_what_is_wrong_with_the_info() {
    let cluster = json!({ "server": "https://host" });
    let info = |kind: &str, version: &str, cluster: &Value| {
        let spec = json!({ "interactive": true, "cluster": cluster });
        json!({ "kind": kind, "apiVersion": version, "spec": spec }).to_string()
    };
    let good = ExecInfo::parse(&info("ExecCredential", V1BETA1, &cluster)).unwrap();
    assert!(good.interactive);
    assert_eq!(good.config, Config::new("https://host"));
    for (json, text) in [
        ("{".to_owned(), "no JSON"),
        ("{}".to_owned(), "the kind in KUBERNETES_EXEC_INFO is \"\""),
        (info("Pod", V1, &cluster), "the kind in KUBERNETES_EXEC_INFO is \"Pod\""),
        (info("ExecCredential", "v1", &cluster), "the apiVersion \"v1\""),
        (info("ExecCredential", V1, &Value::Null), "provideClusterInfo"),
        (
            info("ExecCredential", V1, &json!({ "certificate-authority-data": "?" })),
            "certificate-authority-data",
        ),
        (info("ExecCredential", V1, &json!({ "proxy-url": "?" })), "proxy-url"),
    ] {
        let error = ExecInfo::parse(&json).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(chain(&error).contains(text), "{}", chain(&error));
    }
    assert!(chain(&ExecInfo::from_env().unwrap_err()).contains("KUBERNETES_EXEC_INFO"));
}
