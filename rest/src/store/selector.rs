//! Label selectors, as kubectl's `-l` takes them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A label selector: requirements separated by commas, all of which must be met.
///
/// - `app=web` or `app==web`: has this value; `app!=web`: has another one, or no such label
/// - `app in (web, api)`, `app notin (web, api)`
/// - `app`: has the label; `!app`: hasn't
/// - `size>5`, `size<5`: is an integer above or below
///
/// The empty selector matches everything.
///
/// ```
/// use kubewire_rest::LabelSelector;
///
/// let selector: LabelSelector = "app in (web, api), tier!=test, !canary".parse()?;
/// assert!(selector.matches(|label| (label == "app").then(|| "web".into())));
/// # Ok::<(), kubewire_rest::LabelSelectorError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    label: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Missing,
    Above(i64),
    Below(i64),
}

impl LabelSelector {
    /// Whether an object with these labels is meant: `label` gives the value of the label that it is asked for.
    pub fn matches<'a>(&self, label: impl Fn(&str) -> Option<Cow<'a, str>>) -> bool {
        self.requirements.iter().all(|Requirement { label: name, test }| {
            let value = label(name);
            let number = || value.as_deref().and_then(|value| value.parse::<i64>().ok());
            match test {
                Test::In(values) => value.as_deref().is_some_and(|value| values.iter().any(|v| v == value)),
                Test::NotIn(values) => value.as_deref().is_none_or(|value| values.iter().all(|v| v != value)),
                Test::Exists => value.is_some(),
                Test::Missing => value.is_none(),
                Test::Above(bound) => number().is_some_and(|number| number > *bound),
                Test::Below(bound) => number().is_some_and(|number| number < *bound),
            }
        })
    }
}

/// A label selector that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the label selector {selector:?} can't be read at {rest:?}: {wanted} is wanted there")]
pub struct LabelSelectorError {
    selector: String,
    rest: String,
    wanted: &'static str,
}

impl FromStr for LabelSelector {
    type Err = LabelSelectorError;

    fn from_str(selector: &str) -> Result<Self, Self::Err> {
        let mut parser = Parser { selector, rest: selector.trim_start() };
        let mut requirements = Vec::new();
        while !parser.rest.is_empty() {
            requirements.push(parser.requirement()?);
            if !parser.rest.is_empty() {
                parser.want(",", "a comma or the end")?;
                if parser.rest.is_empty() {
                    return Err(parser.error("a label"));
                }
            }
        }
        Ok(Self { requirements })
    }
}

struct Parser<'a> {
    selector: &'a str,
    /// What is not read yet, without blanks before it.
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn error(&self, wanted: &'static str) -> LabelSelectorError {
        LabelSelectorError { selector: self.selector.to_owned(), rest: self.rest.to_owned(), wanted }
    }

    fn take(&mut self, sign: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(sign) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn want(&mut self, sign: &str, wanted: &'static str) -> Result<(), LabelSelectorError> {
        if self.take(sign) { Ok(()) } else { Err(self.error(wanted)) }
    }

    /// A label, a value, or an operator that is a word; empty where there is none.
    fn word(&mut self) -> &'a str {
        let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | '=' | '!' | '(' | ')' | '<' | '>');
        let (word, rest) = self.rest.split_at(self.rest.find(is_end).unwrap_or(self.rest.len()));
        self.rest = rest.trim_start();
        word
    }

    fn requirement(&mut self) -> Result<Requirement, LabelSelectorError> {
        let is_missing = self.take("!");
        let label = self.word().to_owned();
        if label.is_empty() {
            return Err(self.error("a label"));
        }
        let test = if is_missing {
            Test::Missing
        } else if self.take("==") || self.take("=") {
            Test::In(vec![self.word().to_owned()])
        } else if self.take("!=") {
            Test::NotIn(vec![self.word().to_owned()])
        } else if self.take(">") {
            Test::Above(self.number()?)
        } else if self.take("<") {
            Test::Below(self.number()?)
        } else if self.rest.is_empty() || self.rest.starts_with(',') {
            Test::Exists
        } else {
            let at = self.rest;
            match self.word() {
                "in" => Test::In(self.values()?),
                "notin" => Test::NotIn(self.values()?),
                _ => {
                    self.rest = at;
                    return Err(self.error("an operator (=, ==, !=, in, notin, <, >)"));
                }
            }
        };
        Ok(Requirement { label, test })
    }

    fn number(&mut self) -> Result<i64, LabelSelectorError> {
        let at = self.rest;
        self.word().parse().map_err(|_| {
            self.rest = at;
            self.error("an integer")
        })
    }

    fn values(&mut self) -> Result<Vec<String>, LabelSelectorError> {
        self.want("(", "an opening parenthesis")?;
        let mut values = vec![self.word().to_owned()];
        while self.take(",") {
            values.push(self.word().to_owned());
        }
        self.want(")", "a comma or a closing parenthesis")?;
        Ok(values)
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, Requirement { label, test }) in self.requirements.iter().enumerate() {
            f.write_str(if n > 0 { "," } else { "" })?;
            match test {
                Test::In(values) if values.len() == 1 => write!(f, "{label}={}", values[0])?,
                Test::NotIn(values) if values.len() == 1 => write!(f, "{label}!={}", values[0])?,
                Test::In(values) => write!(f, "{label} in ({})", values.join(","))?,
                Test::NotIn(values) => write!(f, "{label} notin ({})", values.join(","))?,
                Test::Exists => f.write_str(label)?,
                Test::Missing => write!(f, "!{label}")?,
                Test::Above(bound) => write!(f, "{label}>{bound}")?,
                Test::Below(bound) => write!(f, "{label}<{bound}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(selector: &str) -> bool {
        let selector: LabelSelector = selector.parse().unwrap();
        assert_eq!(selector.to_string().parse::<LabelSelector>().unwrap(), selector);
        selector.matches(|label| match label {
            "app" => Some("web".into()),
            "size" => Some("5".into()),
            "empty" => Some("".into()),
            _ => None,
        })
    }

    #[test]
    fn what_is_meant() {
        for selector in [
            "",
            " ",
            "app=web",
            "app == web",
            "app!=api",
            "other!=web",
            "app in (api,web)",
            "app in ( web )",
            "app notin (api)",
            "other notin (web)",
            "app",
            "!other",
            "empty=",
            "empty in ()",
            "size>4,size<6",
            "app=web, size=5 ,!other",
        ] {
            assert!(matches(selector), "{selector:?}");
        }
        for selector in [
            "app=api",
            "app!=web",
            "app in (api,other)",
            "app notin (web,api)",
            "!app",
            "other",
            "other=",
            "size>5",
            "app>1",
            "app,other",
        ] {
            assert!(!matches(selector), "{selector:?}");
        }
    }

    #[test]
    fn what_cannot_be_read() {
        for (selector, wanted) in [
            (",", "a label"),
            ("app,", "a label"),
            ("app=web,,b", "a label"),
            ("=web", "a label"),
            ("!", "a label"),
            ("app web", "an operator"),
            ("app in web", "an opening parenthesis"),
            ("app in (web", "a comma or a closing parenthesis"),
            ("app in (web api)", "a comma or a closing parenthesis"),
            ("app=web api", "a comma or the end"),
            ("!app=web", "a comma or the end"),
            ("size>big", "an integer"),
        ] {
            let error = selector.parse::<LabelSelector>().unwrap_err().to_string();
            assert!(error.contains(wanted) && error.contains(selector), "{error}");
        }
    }
}
