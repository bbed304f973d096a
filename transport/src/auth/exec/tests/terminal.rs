use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::*;

/// Set in the process that has a terminal.
const AT_TERMINAL: &str = "KUBEWIRE_TEST_AT_TERMINAL";

// BH-T13
#[tokio::test]
async fn a_program_asks_the_person_at_the_terminal() {
    if std::env::var_os(AT_TERMINAL).is_some() {
        return ask().await;
    }
    // It gives a process a terminal of its own; only this one takes a command with -c.
    let version = Command::new("script").arg("--version").stdin(Stdio::null()).output().await;
    if !version.is_ok_and(|output| output.stdout.windows(10).any(|text| text == b"util-linux")) {
        eprintln!("SKIPPED: needs the program script of util-linux to make a terminal");
        return;
    }
    let module = module_path!().split_once("::").unwrap().1;
    let mut script = Command::new("script")
        .args(["-q", "-e", "-c", "\"$PROGRAM\" --exact \"$NAME\" --nocapture", "/dev/null"])
        .env("PROGRAM", std::env::current_exe().unwrap())
        .env("NAME", format!("{module}::a_program_asks_the_person_at_the_terminal"))
        .env(AT_TERMINAL, "yes")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    script.stdin.as_mut().unwrap().write_all(b"first\nsecond\nthird\n").await.unwrap();
    let output = tokio::time::timeout(Duration::from_secs(60), script.wait_with_output());
    let output = output.await.expect("in time").unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
    assert_eq!(shown.matches("token, please: ").count(), 3, "{shown}");
}

/// Three programs ask in turn: two through their standard input, which is the terminal, and one by the terminal's name.
async fn ask() {
    const INPUT: &str = "read -r token";
    const BY_NAME: &str = "if read -r token; then exit 1; fi\nread -r token < /dev/tty";
    for (mode, read, interactive, typed) in [
        (InteractiveMode::Always, INPUT, true, "first"),
        (InteractiveMode::IfAvailable, INPUT, true, "second"),
        (InteractiveMode::Never, BY_NAME, false, "third"),
    ] {
        let program = Program::new(&format!(
            "printf '%s' \"$KUBERNETES_EXEC_INFO\" > info\nprintf 'token, please: ' >&2\n{read}\n. ./answer"
        ));
        program.write("answer", &format!("cat <<END\n{}\nEND\n", token("$token")));
        let exec = ExecConfig { interactive_mode: mode, ..program.exec() };
        assert_eq!(sent(&client(&exec)).await, format!("Bearer {typed}"));
        let info: Value = serde_json::from_str(&program.read("info")).unwrap();
        assert_eq!(info["spec"]["interactive"], interactive);
    }
}
