use super::*;

// BH-T12
#[tokio::test]
async fn a_hundred_callers_cause_one_run_and_no_expiry_means_for_good() {
    let program = Program::printing(&token("one"));
    let clock = Clock::new();
    let exec = Arc::new(with_clock(&program.exec(), &clock));
    let callers = (0..100).map(|_| {
        let exec = Arc::clone(&exec);
        tokio::spawn(async move { sent(&exec).await })
    });
    for caller in callers.collect::<Vec<_>>() {
        assert_eq!(caller.await.unwrap(), "Bearer one");
    }
    clock.advance(10 * 365 * 24 * 60 * 60);
    assert_eq!(sent(&exec).await, "Bearer one");
    assert_eq!(program.runs(), 1);
    assert!(sent(&exec).await.is_sensitive());
}

// BH-T12
#[tokio::test]
async fn the_run_outlives_the_caller_that_started_it() {
    let program = Program::new("echo > running\nwhile [ ! -e go ]; do sleep 0.01; done\ncat output");
    program.write("output", &token("one").to_string());
    let exec = Arc::new(client(&program.exec()));
    let start = || {
        let exec = Arc::clone(&exec);
        tokio::spawn(async move { sent(&exec).await })
    };
    let first = start();
    program.wrote("running").await;
    let second = start();
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    program.write("go", "");
    assert_eq!(second.await.unwrap(), "Bearer one");
    assert_eq!(program.runs(), 1);
}

#[tokio::test]
async fn a_hanging_program_is_killed_and_reaped_when_nobody_waits() {
    let program = Program::new("echo $$ > pid\nexec sleep 1000");
    let exec = Arc::new(client(&program.exec()));
    for _ in 0..3 {
        let callers = [1, 2].map(|_| {
            let exec = Arc::clone(&exec);
            tokio::spawn(async move { exec.header().await.map(|_| ()) })
        });
        let pid = program.wrote("pid").await;
        let process = PathBuf::from(format!("/proc/{}", pid.trim()));
        if cfg!(target_os = "linux") {
            assert!(process.exists());
        }
        for caller in callers {
            caller.abort();
            assert!(caller.await.unwrap_err().is_cancelled());
        }
        // A zombie would still stand there.
        until(|| (!process.exists()).then_some(())).await;
        fs::remove_file(program.path("pid")).unwrap();
    }
    assert_eq!(program.runs(), 3);
}

#[test]
fn a_run_may_lose_its_runtime() {
    let program = Program::new("[ -e second ] && exec cat output\necho > running\nexec sleep 1000");
    program.write("output", &token("one").to_string());
    let exec = Arc::new(client(&program.exec()));
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let other = Arc::clone(&exec);
    first.spawn(async move { other.header().await.map(|_| ()) });
    first.block_on(program.wrote("running"));
    drop(first);
    program.write("second", "");
    assert_eq!(runtime().block_on(sent(&exec)), "Bearer one");
}

// BH-T11, BH-T12
#[tokio::test]
async fn an_expired_credential_is_asked_for_anew() {
    let clock = Clock::new();
    let expiring = |token: &str, seconds| {
        credential(&json!({ "token": token, "expirationTimestamp": clock.text(seconds) })).to_string()
    };
    let program = Program::printing(&Value::Null);
    program.write("output", &expiring("one", 60));
    let exec = with_clock(&program.exec(), &clock);
    assert_eq!(sent(&exec).await, "Bearer one");
    program.write("output", &expiring("two", -1));
    clock.advance(60);
    assert_eq!(sent(&exec).await, "Bearer one", "its last moment");
    clock.advance(1);
    assert_eq!(sent(&exec).await, "Bearer two");
    program.write("output", &expiring("three", 3600));
    assert_eq!(sent(&exec).await, "Bearer three", "one that was over when it came serves once");
    assert_eq!(sent(&exec).await, "Bearer three");
    assert_eq!(program.runs(), 3);

    program.write("output", "garbage");
    clock.advance(7200);
    assert!(exec.header().await.is_err(), "an expired credential is not sent");
}

// BH-T12
#[tokio::test]
async fn a_401_runs_the_program_once_for_what_failed() {
    let program = Program::printing(&token("one"));
    let exec = Arc::new(client(&program.exec()));
    let (_, stamp) = exec.header().await.unwrap();
    program.write("output", &token("two").to_string());
    let refreshes = (0..20).map(|_| {
        let exec = Arc::clone(&exec);
        tokio::spawn(async move { exec.refresh(&stamp).await })
    });
    for refresh in refreshes.collect::<Vec<_>>() {
        assert!(refresh.await.unwrap());
    }
    assert_eq!(program.runs(), 2);

    let (header, stamp) = exec.header().await.unwrap();
    assert_eq!(header.unwrap(), "Bearer two");
    assert!(!exec.refresh(&stamp).await, "the same again");
    let (_, stamp) = exec.header().await.unwrap();
    program.write("output", "");
    assert!(!exec.refresh(&stamp).await, "a failing run");
    assert_eq!(sent(&exec).await, "Bearer two", "the old credential stays");
}

// BH-T12
#[tokio::test]
async fn equal_configurations_share_a_run() {
    let program = Program::printing(&token("one"));
    let clock = Clock::new();
    let (one, other) = (with_clock(&program.exec(), &clock), with_clock(&program.exec(), &clock));
    assert_eq!(sent(&one).await, "Bearer one");
    assert_eq!(sent(&other).await, "Bearer one");
    assert_eq!(program.runs(), 1);

    let mut different = program.exec();
    different.args.push(Secret::from("more"));
    sent(&with_clock(&different, &clock)).await;
    assert_eq!(program.runs(), 2);

    let elsewhere = Config::new("https://elsewhere");
    let same = Exec::new(&elsewhere, &program.exec(), &options(&clock)).unwrap();
    sent(&same).await;
    assert_eq!(program.runs(), 2, "a program that is not told of the cluster");
    let told = ExecConfig { provide_cluster_info: true, ..program.exec() };
    for config in [&Config::new("https://host"), &elsewhere, &elsewhere] {
        // Kept, so that the third finds the second.
        let exec = Exec::new(config, &told, &options(&clock)).unwrap();
        sent(&exec).await;
        std::mem::forget(exec);
    }
    assert_eq!(program.runs(), 4);

    drop((one, other, same));
    sent(&client(&program.exec())).await;
    assert_eq!(program.runs(), 5, "forgotten with its last user");
}
