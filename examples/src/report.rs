//! How the programs speak and end: what `main` returns.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Prints a line, as `println!` does. A reader that has seen enough, such as `head`, ends the program, which is success.
#[macro_export]
macro_rules! say {
    ($($line:tt)*) => { $crate::report::line(format_args!($($line)*)) };
}

/// What [`say!`](crate::say) does.
pub fn line(line: fmt::Arguments<'_>) {
    if let Err(error) = writeln!(io::stdout(), "{line}") {
        if is_broken_pipe(&error) {
            std::process::exit(0);
        }
        eprintln!("error: can't write to stdout: {error}");
        std::process::exit(1);
    }
}

fn is_broken_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

/// Does `work` until it ends or Ctrl-C is pressed, which is success.
///
/// # Errors
/// Those of `work`; also when Ctrl-C can't be waited for.
pub async fn until_interrupted(
    work: impl Future<Output = Result<(), Box<dyn Error>>>,
) -> Result<(), Box<dyn Error>> {
    tokio::select! {
        result = work => result,
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Into::into),
    }
}

/// Success, or the error on one line of stderr and exit code 1. A cause is added where the error's own text does not
/// tell it already. A reader that has seen enough, such as `head`, is success.
pub fn exit(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.downcast_ref().is_some_and(is_broken_pipe) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", told(&*error));
            ExitCode::FAILURE
        }
    }
}

fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    #[test]
    fn a_cause_is_told_once() {
        let outer = |text: &str| {
            #[derive(Debug)]
            struct Outer(String, io::Error);
            impl std::fmt::Display for Outer {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str(&self.0)
                }
            }
            impl std::error::Error for Outer {
                fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                    Some(&self.1)
                }
            }
            super::told(&Outer(text.to_owned(), io::Error::other("disk full")))
        };
        assert_eq!(outer("can't save"), "can't save: disk full");
        assert_eq!(outer("can't save: disk full"), "can't save: disk full");
    }
}
