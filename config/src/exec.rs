use std::fmt;
use std::path::{Path, PathBuf};

use crate::{ConfigError, Secret, paths};

/// A credential program and how to run it.
#[derive(Clone, PartialEq)]
pub struct ExecConfig {
    /// The program: a path, or a bare name looked up on PATH.
    pub command: PathBuf,
    /// Its arguments.
    pub args: Vec<Secret>,
    /// Variables added to the process's own environment, in order.
    pub env: Vec<(String, Secret)>,
    /// The `apiVersion` of the ExecCredential it speaks, such as `client.authentication.k8s.io/v1`.
    pub api_version: String,
    /// What to tell a person who does not have the program.
    pub install_hint: Option<String>,
    /// Whether the program may use the terminal.
    pub interactive_mode: InteractiveMode,
    /// Why the terminal's input can't be given to the program, when something else has claimed it.
    pub stdin_unavailable: Option<String>,
    /// Whether the program is told about the cluster.
    pub provide_cluster_info: bool,
    /// The cluster's extension named `client.authentication.k8s.io/exec`, passed on as it is.
    pub cluster_config: Option<serde_json::Value>,
    /// Which programs may be run at all.
    pub policy: PluginPolicy,
}

/// Whether a credential program may use the terminal's input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InteractiveMode {
    /// It never needs it.
    Never,
    /// It uses it when there is a terminal.
    #[default]
    IfAvailable,
    /// It can't do without.
    Always,
}

/// Which credential programs may be run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PluginPolicy {
    /// All of them.
    #[default]
    AllowAll,
    /// None.
    DenyAll,
    /// Those named, by cleaned path or by a bare name as found on PATH.
    Allowlist(Vec<String>),
}

impl Default for ExecConfig {
    fn default() -> Self {
        Self {
            command: PathBuf::new(),
            args: Vec::new(),
            env: Vec::new(),
            api_version: "client.authentication.k8s.io/v1".to_owned(),
            install_hint: None,
            interactive_mode: InteractiveMode::default(),
            stdin_unavailable: None,
            provide_cluster_info: false,
            cluster_config: None,
            policy: PluginPolicy::default(),
        }
    }
}

// The cluster's extension may hold anything, secrets too: only its presence is shown.
impl fmt::Debug for ExecConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecConfig")
            .field("command", &self.command)
            .field("args", &self.args)
            .field("env", &self.env)
            .field("api_version", &self.api_version)
            .field("install_hint", &self.install_hint)
            .field("interactive_mode", &self.interactive_mode)
            .field("stdin_unavailable", &self.stdin_unavailable)
            .field("provide_cluster_info", &self.provide_cluster_info)
            .field("cluster_config", &self.cluster_config.as_ref().map(|_| "[redacted]"))
            .field("policy", &self.policy)
            .finish()
    }
}

impl ExecConfig {
    /// The installation hint as a person may see it: characters that do not print become their code point's text, so
    /// that a hint can't steer the terminal.
    pub fn printable_install_hint(&self) -> Option<String> {
        self.install_hint.as_deref().map(shown)
    }
}

impl PluginPolicy {
    /// Whether `command` may be run. `resolve` gives the program that a command stands for: a path as it is, a bare
    /// name as found on PATH.
    ///
    /// An entry allows the command that it equals, and every command that stands for the same program.
    pub fn allows(&self, command: &Path, resolve: impl Fn(&Path) -> Option<PathBuf>) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            Self::Allowlist(entries) => {
                let program = |command| resolve(command).map(|program| paths::clean(&program));
                let wanted = program(command);
                entries.iter().map(Path::new).any(|entry| {
                    // Unlike their cleaned forms, ./tool and tool are not equal.
                    entry == command || (wanted.is_some() && program(entry) == wanted)
                })
            }
        }
    }

    /// Checks that the policy can mean something.
    ///
    /// # Errors
    /// [`ConfigError::BadPluginPolicy`] when an allow list is empty, or holds an entry that is empty or not a clean
    /// path.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let bad = |problem: String| Err(ConfigError::BadPluginPolicy { problem });
        let Self::Allowlist(entries) = self else { return Ok(()) };
        if entries.is_empty() {
            return bad("the allow list is empty: use DenyAll to allow nothing".to_owned());
        }
        for entry in entries {
            if entry.is_empty() {
                return bad("the allow list has an empty entry".to_owned());
            }
            let clean = paths::clean(Path::new(entry));
            if clean.as_os_str() != entry.as_str() {
                return bad(format!(
                    "the allow list's entry {entry:?} must be written {:?}",
                    clean.display().to_string()
                ));
            }
        }
        Ok(())
    }
}

/// An installation hint as a person may see it: characters that do not print become their code point's text, so
/// that a hint can't steer the terminal.
pub(crate) fn shown(hint: &str) -> String {
    let mut out = String::with_capacity(hint.len());
    for c in hint.chars() {
        if c == '\n' || is_shown(c) {
            out.push(c);
        } else {
            out.push_str(&format!("U+{:04X}", c as u32));
        }
    }
    out
}

fn is_shown(c: char) -> bool {
    // Directions, joiners and other marks that change how the text around them looks.
    let format = matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !format
}

#[cfg(test)]
mod tests {
    use super::*;

    // BH-T14
    #[test]
    fn an_entry_is_the_command_or_stands_for_its_program() {
        let resolve = |command: &Path| match command.to_str() {
            Some("tool") => Some(PathBuf::from("/bin/tool")),
            Some("missing") => None,
            _ => Some(command.to_owned()),
        };
        let list = |entry: &str| PluginPolicy::Allowlist(vec!["other".to_owned(), entry.to_owned()]);
        for (entry, command) in [
            ("tool", "tool"),
            ("missing", "missing"),
            ("/bin/tool", "tool"),
            ("tool", "/bin/tool"),
            ("/bin/tool", "/bin/../bin/./tool"),
            ("tool", "/bin/x/../tool"),
        ] {
            assert!(list(entry).allows(Path::new(command), resolve), "{entry} {command}");
        }
        for (entry, command) in [
            ("tool", "./tool"),
            ("tool", "/elsewhere/tool"),
            ("/elsewhere/tool", "tool"),
            ("tool", "missing"),
            ("x", "missing"),
        ] {
            assert!(!list(entry).allows(Path::new(command), resolve), "{entry} {command}");
        }
        assert!(PluginPolicy::AllowAll.allows(Path::new("missing"), resolve));
        assert!(!PluginPolicy::DenyAll.allows(Path::new("tool"), resolve));
    }
}
