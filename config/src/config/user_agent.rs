use std::sync::OnceLock;

use crate::Config;

impl Config {
    /// The `User-Agent` header to send: [`user_agent`](Self::user_agent), else [`default_user_agent`].
    pub fn user_agent_or_default(&self) -> String {
        self.user_agent.clone().filter(|agent| !agent.is_empty()).unwrap_or_else(default_user_agent)
    }
}

/// A `User-Agent` made of the running program's name and this crate's version, as the reference writes one:
/// `NAME/VERSION (OS/ARCH) kubernetes/COMMIT`.
///
/// A library can't know its program's version or commit: the version is kubewire's, and the commit says `unknown`.
/// Use [`user_agent`] to give them. The program's name is looked up once in a process.
pub fn default_user_agent() -> String {
    static DEFAULT: OnceLock<String> = OnceLock::new();
    DEFAULT.get_or_init(of_this_program).clone()
}

fn of_this_program() -> String {
    let program = std::env::current_exe().ok().or_else(|| std::env::args_os().next().map(Into::into));
    let name = program
        .as_deref()
        .and_then(std::path::Path::file_name)
        .map(|name| name.to_string_lossy().into_owned());
    user_agent(name.as_deref().unwrap_or_default(), env!("CARGO_PKG_VERSION"), "")
}

/// A `User-Agent` for a program: its name, its version (cut to `x.y.z`), and the commit that it was built from (cut
/// to seven characters). Empty parts become `unknown`, and characters that a header can't hold become `_`.
///
/// ```
/// let agent = kubewire_config::user_agent("backup", "v1.2.3-alpha4", "0123456789abcdef");
/// assert!(agent.starts_with("backup/v1.2.3 (") && agent.ends_with(") kubernetes/0123456"));
/// ```
pub fn user_agent(name: &str, version: &str, commit: &str) -> String {
    let version = version.split('-').next().unwrap_or_default();
    let commit: String = commit.chars().take(7).collect();
    format!("{}/{} ({}/{}) kubernetes/{}", known(name), known(version), os(), arch(), known(&commit))
}

/// `part`, if there is anything in it, in the characters of a header's word.
fn known(part: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c) { c } else { '_' };
    let part: String = part.chars().map(allowed).collect();
    if part.is_empty() { "unknown".to_owned() } else { part }
}

/// Operating system and architecture under the names that servers' logs know from Go programs.
fn os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        os => os,
    }
}

fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        arch => arch,
    }
}
