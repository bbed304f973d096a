//! A document becomes a [`Kubeconfig`]. Every wrong type is gathered, with its line and field.

mod schema;
mod values;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use zeroize::Zeroize;

use super::{Kubeconfig, Origin};
use crate::ConfigError;
use crate::error::{FileName, Place};
use crate::node::{Node, Source};
use crate::yaml::{self, Problem};

/// More problems than this are not listed: a file of another kind would give thousands.
const MOST_PROBLEMS: usize = 20;

/// What a node of a `BTreeMap` of strings and JSON values takes, and how many entries one holds at the least where
/// there are several.
const TREE_NODE: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 32;
const TREE_NODE_FILL: usize = 5;

/// What one file says.
pub(crate) struct Loaded {
    pub(crate) kubeconfig: Kubeconfig,
    /// Whether further documents follow the one that was read.
    pub(crate) more: bool,
}

/// Reads a kubeconfig of the file at `path`, if it came from one.
pub(crate) fn decode(bytes: &[u8], path: Option<&Path>) -> Result<Loaded, ConfigError> {
    let file = FileName(path.map(Path::to_owned));
    let problem = |problem| match problem {
        Problem::NotUtf8 { line } => ConfigError::NotUtf8 { file: file.clone(), line },
        Problem::Syntax { line, column, problem } => {
            ConfigError::Syntax { file: file.clone(), line, column, problem }
        }
        Problem::Excessive(problem) => ConfigError::Excessive { file: file.clone(), problem },
    };
    let text = Wiped(yaml::text(bytes).map_err(problem)?);
    let parsed = yaml::parse(&text.0).map_err(problem)?;
    let origin = path.map_or_else(Origin::default, |path| Origin::file(Arc::from(path)));
    let mut decoder = Decoder {
        source: parsed.source,
        file: file.clone(),
        origin,
        path: Vec::new(),
        problems: Vec::new(),
        over_budget: false,
    };
    let kubeconfig = decoder.root(parsed.root);
    if decoder.over_budget {
        return Err(ConfigError::Excessive { file, problem: "it is made of next to nothing, many times" });
    }
    ConfigError::gather(decoder.problems)?;
    Ok(Loaded { kubeconfig, more: parsed.more })
}

/// Text that is overwritten when it is dropped, where it is a copy.
struct Wiped<'a>(Cow<'a, str>);

impl Drop for Wiped<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            text.zeroize();
        }
    }
}

enum Step<'a> {
    Key(Cow<'a, str>),
    Name(String),
    Index(usize),
}

struct Decoder<'a> {
    source: Source<'a>,
    file: FileName,
    origin: Origin,
    path: Vec<Step<'a>>,
    problems: Vec<ConfigError>,
    over_budget: bool,
}

impl<'a> Decoder<'a> {
    /// Takes from the budget. Once it is spent nothing more is read.
    fn spend(&mut self, bytes: usize) {
        if self.source.spend(bytes).is_err() {
            self.over_budget = true;
        }
    }

    fn wrong_type(&mut self, node: &Node<'a>, expected: &'static str) {
        let at = self.place();
        self.report(ConfigError::WrongType { at, expected, found: node.kind() });
    }

    fn report(&mut self, problem: ConfigError) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn place(&self) -> Place {
        let mut field = String::new();
        let mut line = None;
        for step in &self.path {
            match step {
                Step::Key(key) => {
                    if !field.is_empty() {
                        field.push('.');
                    }
                    field.push_str(key);
                    line = self.source.line(key).or(line);
                }
                Step::Name(name) => field.push_str(&format!("[{name:?}]")),
                Step::Index(index) => field.push_str(&format!("[{index}]")),
            }
        }
        Place { file: self.file.clone(), line, field }
    }
}
