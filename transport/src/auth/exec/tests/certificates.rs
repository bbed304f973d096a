use super::*;

// BH-T12
#[tokio::test]
async fn a_certificate_is_there_before_the_request_goes_and_changes_are_told() {
    let (one, two) = (pair("one"), pair("two"));
    let program = Program::printing(&certificate(&one, None));
    let exec = client(&program.exec());
    let mut certificates = exec.certificates();
    assert!(certificates.borrow_and_update().is_none());

    let (header, stamp) = exec.header().await.unwrap();
    assert!(header.is_none());
    assert!(certificates.has_changed().unwrap());
    let first = certificates.borrow_and_update().clone().unwrap();
    assert_eq!(first.cert[0], pem(&one.0));

    program.write("output", &certificate(&one, Some("token")).to_string());
    assert!(exec.refresh(&stamp).await, "a token joins");
    assert!(!certificates.has_changed().unwrap());
    let (header, stamp) = exec.header().await.unwrap();
    assert_eq!(header.unwrap(), "Bearer token");

    program.write("output", &certificate(&two, Some("token")).to_string());
    assert!(exec.refresh(&stamp).await);
    assert!(certificates.has_changed().unwrap());
    assert_eq!(certificates.borrow_and_update().clone().unwrap().cert[0], pem(&two.0));

    let (_, stamp) = exec.header().await.unwrap();
    program.write("output", &token("token").to_string());
    assert!(exec.refresh(&stamp).await);
    assert!(certificates.borrow_and_update().is_none());
}

fn pem(certificate: &str) -> rustls::pki_types::CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject as _;
    rustls::pki_types::CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_certificate_is_not_used_beyond_its_end() {
    let clock = Clock::new();
    let end = clock.now() + Duration::from_secs(600);
    let program = Program::printing(&certificate(&pair_until("one", end), None));
    let exec = with_clock(&program.exec(), &clock);
    exec.header().await.unwrap();
    clock.advance(590);
    exec.header().await.unwrap();
    assert_eq!(program.runs(), 1);
    clock.advance(20);
    exec.header().await.unwrap();
    assert_eq!(program.runs(), 2);
}

// BH-M2
#[cfg(feature = "metrics")]
#[tokio::test]
async fn runs_are_counted() {
    let metrics = kubewire_metrics::ClientMetrics::new();
    let clock = Clock::new();
    let options = AuthOptions { metrics: Some(metrics.exec_plugins().clone()), ..options(&clock) };
    let client = |exec: &ExecConfig| Exec::new(&Config::new("https://host"), exec, &options).unwrap();
    let shown = |line: &str| {
        let text = metrics.gather_text();
        assert!(text.lines().any(|found| found.starts_with(line)), "no {line:?} in {text}");
    };

    let end = clock.now() + Duration::from_secs(3600);
    let program = Program::printing(&certificate(&pair_until("one", end), None));
    let exec = client(&program.exec());
    shown("rest_client_exec_plugin_ttl_seconds inf");
    let (_, stamp) = exec.header().await.unwrap();
    shown("rest_client_exec_plugin_ttl_seconds 35");
    program.write("output", &certificate(&pair("two"), None).to_string());
    assert!(exec.refresh(&stamp).await);
    shown("rest_client_exec_plugin_certificate_rotation_age_count 1");

    let _ = client(&Program::new("exit 7").exec()).header().await;
    for command in ["kubewire-no-such-program", "/nowhere/plugin"] {
        let exec = ExecConfig { command: command.into(), ..ExecConfig::default() };
        let _ = client(&exec).header().await;
    }
    let _ = client(&Program::new("cat /dev/zero").exec()).header().await;
    let denied = ExecConfig { policy: PluginPolicy::DenyAll, ..program.exec() };
    let _ = client(&denied).header().await;
    shown(r#"rest_client_exec_plugin_call_total{call_status="no_error",code="0"} 2"#);
    shown(r#"rest_client_exec_plugin_call_total{call_status="plugin_execution_error",code="7"} 1"#);
    shown(r#"rest_client_exec_plugin_call_total{call_status="plugin_not_found_error",code="1"} 2"#);
    shown(r#"rest_client_exec_plugin_call_total{call_status="client_internal_error",code="1"} 1"#);
    shown(r#"rest_client_exec_plugin_policy_call_total{status="allowed"} 6"#);
    shown(r#"rest_client_exec_plugin_policy_call_total{status="denied"} 1"#);
}
