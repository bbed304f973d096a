//! One run of a credential program.

use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::future::{Either, select};
use kubewire_config::{ExecConfig, InteractiveMode, Secret};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout, Command};
use zeroize::Zeroizing;

use super::error::ExecError;
use super::info;

/// No credential is longer: it would not fit into a header.
const MAX_OUTPUT: usize = 1 << 20;

/// How long the output is waited for when the program is gone and one of its children keeps the pipe open.
const LINGER: Duration = Duration::from_secs(5);

/// How a program stands to the person's terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Terminal {
    /// Its standard input is the terminal.
    Given,
    /// It may still ask a person through `/dev/tty`, and Ctrl-C is to end it too: both work within our process group
    /// alone. When it is killed, what it has started may live on.
    There,
    /// There is none: it leads a process group of its own, and is killed with all that it has started.
    None,
}

impl Terminal {
    pub(super) fn new(interactive: bool) -> Self {
        if interactive {
            Self::Given
        } else if std::fs::File::open("/dev/tty").is_ok() {
            Self::There
        } else {
            Self::None
        }
    }
}

/// Whether the program gets the terminal. `Err` says why it can't, where it must.
pub(super) fn interactive(exec: &ExecConfig, is_terminal: bool) -> Result<bool, String> {
    match (exec.interactive_mode, is_terminal, &exec.stdin_unavailable) {
        (InteractiveMode::Never, ..) => Ok(false),
        (InteractiveMode::IfAvailable, ..) => Ok(is_terminal && exec.stdin_unavailable.is_none()),
        (InteractiveMode::Always, false, _) => Err("standard input is not a terminal".to_owned()),
        (InteractiveMode::Always, true, Some(why)) if why.is_empty() => {
            Err("standard input is claimed by something else".to_owned())
        }
        (InteractiveMode::Always, true, Some(why)) => Err(format!("standard input is claimed: {why}")),
        (InteractiveMode::Always, true, None) => Ok(true),
    }
}

/// A program that is killed when this is dropped before it has ended.
struct Running {
    child: Child,
    #[cfg(unix)]
    leads_group: bool,
}

impl Running {
    fn start(mut command: Command, terminal: Terminal) -> io::Result<Self> {
        #[cfg(unix)]
        if terminal == Terminal::None {
            command.process_group(0);
        }
        Ok(Self {
            child: command.kill_on_drop(true).spawn()?,
            #[cfg(unix)]
            leads_group: terminal == Terminal::None,
        })
    }
}

#[cfg(unix)]
impl Drop for Running {
    fn drop(&mut self) {
        // Until the program is waited for, its number is nobody else's.
        let leader = self.child.id().filter(|_| self.leads_group);
        let leader = leader.and_then(|id| rustix::process::Pid::from_raw(id.try_into().ok()?));
        if let Some(leader) = leader {
            // They may have ended by themselves.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

/// Runs `program` and gives what it printed. Dropping the future kills it.
pub(super) async fn run(
    exec: &ExecConfig,
    program: &Path,
    terminal: Terminal,
    info: &Secret,
) -> Result<Zeroizing<Vec<u8>>, ExecError> {
    let mut command = Command::new(program);
    command
        .args(exec.args.iter().map(Secret::expose))
        .envs(exec.env.iter().map(|(name, value)| (name, value.expose())))
        .env(info::VARIABLE, info.expose())
        .stdin(if terminal == Terminal::Given { Stdio::inherit() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    let mut running = Running::start(command, terminal)
        .map_err(|source| ExecError::Start { command: exec.command.clone(), source })?;

    // Room for most credentials, so that no copies of them are left behind as it grows.
    let mut output = Zeroizing::new(Vec::with_capacity(16 << 10));
    {
        let reading = pin!(read(running.child.stdout.take(), &mut output, exec));
        let waiting = pin!(running.child.wait());
        match select(reading, waiting).await {
            Either::Left((read, waiting)) => {
                read?;
                check(waiting.await, exec)?;
            }
            Either::Right((status, reading)) => {
                check(status, exec)?;
                // A child that it left behind may keep the pipe open; what the program itself printed is there.
                tokio::time::timeout(LINGER, reading).await.unwrap_or(Ok(()))?;
            }
        }
    }
    Ok(output)
}

async fn read(stdout: Option<ChildStdout>, output: &mut Vec<u8>, exec: &ExecConfig) -> Result<(), ExecError> {
    // It is there: it was asked for.
    let Some(stdout) = stdout else { return Ok(()) };
    let limit = MAX_OUTPUT as u64 + 1;
    let read = stdout
        .take(limit)
        .read_to_end(output)
        .await
        .map_err(|source| ExecError::Read { command: exec.command.clone(), source })?;
    if read > MAX_OUTPUT {
        return Err(ExecError::TooLong { command: exec.command.clone(), limit: MAX_OUTPUT });
    }
    Ok(())
}

fn check(status: io::Result<ExitStatus>, exec: &ExecConfig) -> Result<(), ExecError> {
    let command = || exec.command.clone();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(ExecError::Failed { command: command(), code: status.code() }),
        Err(source) => Err(ExecError::Read { command: command(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // BH-T13
    #[test]
    fn the_terminal_is_given_when_it_is_there_and_free() {
        let ask = |mode, is_terminal, claimed: Option<&str>| {
            let exec = ExecConfig {
                interactive_mode: mode,
                stdin_unavailable: claimed.map(str::to_owned),
                ..ExecConfig::default()
            };
            interactive(&exec, is_terminal)
        };
        use InteractiveMode::{Always, IfAvailable, Never};
        assert_eq!(ask(Never, true, None), Ok(false));
        assert_eq!(ask(IfAvailable, true, None), Ok(true));
        assert_eq!(ask(IfAvailable, false, None), Ok(false));
        assert_eq!(ask(IfAvailable, true, Some("a manifest is read from it")), Ok(false));
        assert_eq!(ask(Always, true, None), Ok(true));
        let no_terminal = Err("standard input is not a terminal".to_owned());
        assert_eq!(ask(Always, false, None), no_terminal);
        assert_eq!(ask(Always, false, Some("x")), no_terminal);
        let claimed = ask(Always, true, Some("a manifest is read from it"));
        assert_eq!(claimed, Err("standard input is claimed: a manifest is read from it".to_owned()));
        assert_eq!(
            ask(Always, true, Some("")),
            Err("standard input is claimed by something else".to_owned())
        );
    }
}
