use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// An API group and one of its versions, such as `apps/v1`, or `v1` of the core group, whose name is empty.
///
/// ```
/// use kubewire_rest::GroupVersion;
///
/// assert_eq!(GroupVersion::new("apps", "v1").to_string(), "apps/v1");
/// assert_eq!("v1".parse::<GroupVersion>()?, GroupVersion::new("", "v1"));
/// # Ok::<(), kubewire_rest::GroupVersionError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupVersion {
    /// The group; empty for the core group.
    pub group: Cow<'static, str>,
    /// The version.
    pub version: Cow<'static, str>,
}

/// A text that is no group-version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no group-version: write it as GROUP/VERSION, or VERSION for the core group")]
pub struct GroupVersionError(String);

impl GroupVersion {
    /// The core group's v1.
    pub const V1: Self = Self { group: Cow::Borrowed(""), version: Cow::Borrowed("v1") };

    /// `version` of `group`.
    pub fn new(group: impl Into<Cow<'static, str>>, version: impl Into<Cow<'static, str>>) -> Self {
        Self { group: group.into(), version: version.into() }
    }
}

impl fmt::Display for GroupVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.group.is_empty() {
            write!(f, "{}/", self.group)?;
        }
        f.write_str(&self.version)
    }
}

impl FromStr for GroupVersion {
    type Err = GroupVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (group, version) = text.split_once('/').unwrap_or(("", text));
        if version.is_empty() || version.contains('/') || (group.is_empty() && text.contains('/')) {
            return Err(GroupVersionError(text.to_owned()));
        }
        Ok(Self::new(group.to_owned(), version.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::GroupVersion;

    #[test]
    fn parses_what_it_prints() {
        for text in ["v1", "apps/v1", "example.com/v1alpha1"] {
            assert_eq!(text.parse::<GroupVersion>().unwrap().to_string(), text);
        }
        for text in ["", "/", "apps/", "/v1", "a/b/c"] {
            let error = text.parse::<GroupVersion>().unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }
}
