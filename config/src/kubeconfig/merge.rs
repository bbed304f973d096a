use super::Kubeconfig;

impl Kubeconfig {
    /// Adds what `other` says and this one does not: the first file has the last word.
    ///
    /// Clusters, users, contexts and extensions are kept or taken whole, by name; the current context is taken where
    /// this one has none; preferences are coloured when either is.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        for (name, cluster) in other.clusters {
            self.clusters.entry(name).or_insert(cluster);
        }
        for (name, user) in other.users {
            self.users.entry(name).or_insert(user);
        }
        for (name, context) in other.contexts {
            self.contexts.entry(name).or_insert(context);
        }
        if self.current_context.as_deref().is_none_or(str::is_empty) {
            self.current_context = other.current_context;
        }
        self.preferences.colors |= other.preferences.colors;
        self.preferences.extensions.fill_from(&other.preferences.extensions);
        self.preferences.unknown.fill_from(&other.preferences.unknown);
        self.extensions.fill_from(&other.extensions);
        self.unknown.fill_from(&other.unknown);
        self
    }
}
