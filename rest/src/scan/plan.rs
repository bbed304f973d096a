//! What the scanner does on its way: which values it cuts, and which places it remembers.

use super::path::{FieldPath, Segment};

pub(super) const NONE: u32 = u32::MAX;

/// Places that the scanner can remember in one pass.
pub(crate) const SLOTS: usize = 13;

/// What happens to the value of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) cut: bool,
    /// Where its place is remembered, or [`NONE`].
    pub(super) slot: u32,
    /// What to do inside of it, or [`NONE`].
    pub(super) node: u32,
    /// The slots at and below it, a bit each: a key that comes again makes the earlier one void.
    pub(super) clears: u32,
}

impl Rule {
    const KEEP: Self = Self { cut: false, slot: NONE, node: NONE, clears: 0 };
}

#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    keys: Vec<(Box<str>, Rule)>,
    each: Option<u32>,
    cut_others: bool,
    /// The array whose elements are a list's items.
    pub(super) items: bool,
}

/// A tree of keys with what to do at each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    nodes: Vec<Node>,
    pub(super) root: Option<u32>,
    /// What to do inside of objects that came, changed or went; inside of others, what the plan says anyway.
    pub(super) of_objects: Option<u32>,
}

impl Node {
    /// What to do with the value of `key`, given as it stands in the document, quotes and escapes included.
    #[inline]
    pub(super) fn rule(&self, key: &str) -> Rule {
        let bare = key.get(1..key.len().saturating_sub(1)).unwrap_or_default();
        let mut found = self.keys.iter().find(|(name, _)| **name == *bare);
        // Keys are short: to look at all of a key costs less than to ask at each byte.
        if found.is_none() && bare.bytes().fold(false, |has, byte| has | (byte == b'\\')) {
            // A lone surrogate has no name to compare; serde refuses it where it reads it.
            if let Ok(name) = serde_json::from_str::<String>(key) {
                found = self.keys.iter().find(|(key, _)| **key == *name);
            }
        }
        match found {
            Some((_, rule)) => *rule,
            None => Rule { cut: self.cut_others, ..Rule::KEEP },
        }
    }

    /// What to do inside the elements of an array in this place.
    pub(super) fn element(&self) -> Option<u32> {
        self.each
    }

    /// Whether there is something to do inside an object in this place.
    pub(super) fn has_keys(&self) -> bool {
        !self.keys.is_empty() || (self.cut_others && self.each.is_none())
    }
}

impl Plan {
    /// Keeps everything.
    pub(crate) fn everything() -> Self {
        Self::default()
    }

    /// Keeps only these paths, and what they lie in.
    pub(crate) fn only<'a>(paths: impl IntoIterator<Item = &'a FieldPath>) -> Self {
        let mut plan = Self::default();
        let root = plan.add_node(true);
        plan.root = Some(root);
        for path in paths {
            if path.segments().is_empty() {
                return Self::default();
            }
            plan.keep(root, path.segments());
        }
        plan
    }

    /// Whether it keeps nothing but what its paths name.
    pub(crate) fn is_narrow(&self) -> bool {
        self.root.is_some_and(|root| self.node(root).cut_others)
    }

    fn add_node(&mut self, cut_others: bool) -> u32 {
        self.nodes.push(Node { cut_others, ..Node::default() });
        (self.nodes.len() - 1) as u32
    }

    pub(super) fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    fn node_mut(&mut self, node: u32) -> &mut Node {
        &mut self.nodes[node as usize]
    }

    fn rule_mut(&mut self, node: u32, key: &str) -> Option<&mut Rule> {
        self.node_mut(node).keys.iter_mut().find(|(name, _)| **name == *key).map(|(_, rule)| rule)
    }

    fn keep(&mut self, node: u32, path: &[Segment]) {
        let Some((first, rest)) = path.split_first() else { return };
        match first {
            Segment::Key(key) => {
                let next = match self.rule_mut(node, key) {
                    // Kept whole by a shorter path.
                    Some(rule) if rule.node == NONE => return,
                    Some(rule) if rest.is_empty() => {
                        rule.node = NONE;
                        return;
                    }
                    Some(rule) => rule.node,
                    None => {
                        let next = if rest.is_empty() { NONE } else { self.add_node(true) };
                        let rule = Rule { node: next, ..Rule::KEEP };
                        self.node_mut(node).keys.push((key.clone(), rule));
                        next
                    }
                };
                if next != NONE {
                    self.keep(next, rest);
                }
            }
            // An array is cut inside its elements, never short: an index keeps its place.
            Segment::Each | Segment::Index(_) => {
                let next = match self.node(node).each {
                    Some(next) => next,
                    None => {
                        let next = self.add_node(true);
                        self.node_mut(node).each = Some(next);
                        next
                    }
                };
                if rest.is_empty() {
                    self.node_mut(next).cut_others = false;
                    self.node_mut(next).keys.clear();
                    self.node_mut(next).each = None;
                } else if self.node(next).cut_others || self.node(next).each.is_some() {
                    self.keep(next, rest);
                }
            }
        }
    }

    /// Keeps this path too, in a plan that [is narrow](Self::is_narrow).
    pub(crate) fn keep_also(&mut self, path: &FieldPath) {
        if let Some(root) = self.root {
            self.keep(root, path.segments());
        }
    }

    /// Cuts the value of the path's last key, wherever else the plan keeps it. Paths that
    /// [can't be cut](FieldPath::check_cut) do nothing.
    pub(crate) fn cut(&mut self, path: &FieldPath) {
        if path.check_cut().is_ok() {
            self.edit(path, |rule| rule.cut = true);
        }
    }

    /// Remembers where the value of a path of keys stands.
    pub(crate) fn mark(&mut self, path: &FieldPath, slot: usize) {
        self.edit(path, |rule| rule.slot = slot as u32);
    }

    fn edit(&mut self, path: &FieldPath, change: impl FnOnce(&mut Rule)) {
        let mut node = match self.root {
            Some(root) => root,
            None => *self.root.insert(0),
        };
        if self.nodes.is_empty() {
            self.add_node(false);
        }
        let mut segments = path.segments().iter().peekable();
        while let Some(segment) = segments.next() {
            let last = segments.peek().is_none();
            match segment {
                Segment::Key(key) => {
                    if self.rule_mut(node, key).is_none() {
                        if self.node(node).cut_others {
                            return;
                        }
                        self.node_mut(node).keys.push((key.clone(), Rule::KEEP));
                    }
                    let Some(rule) = self.rule_mut(node, key) else { return };
                    if last {
                        return change(rule);
                    }
                    let mut next = rule.node;
                    if next == NONE {
                        next = self.add_node(false);
                        if let Some(rule) = self.rule_mut(node, key) {
                            rule.node = next;
                        }
                    }
                    node = next;
                }
                Segment::Each | Segment::Index(_) => {
                    node = match self.node(node).each {
                        Some(next) => next,
                        None => {
                            let next = self.add_node(false);
                            self.node_mut(node).each = Some(next);
                            next
                        }
                    };
                }
            }
        }
    }

    /// The plan of a list whose items go by this plan: the list keeps its kind and its metadata.
    pub(super) fn into_list(mut self) -> Self {
        let items = self.add_node(false);
        let item = match self.root {
            Some(root) => root,
            None => self.add_node(false),
        };
        let node = self.node_mut(items);
        (node.each, node.items) = (Some(item), true);
        let root = self.add_node(true);
        self.node_mut(root).keys = vec![
            ("apiVersion".into(), Rule::KEEP),
            ("kind".into(), Rule { slot: list_slot::KIND as u32, ..Rule::KEEP }),
            ("metadata".into(), Rule { slot: list_slot::METADATA as u32, ..Rule::KEEP }),
            ("items".into(), Rule { slot: list_slot::ITEMS as u32, node: items, ..Rule::KEEP }),
        ];
        self.root = Some(root);
        self
    }

    /// Of watch frames: another plan for the objects in those that come, change or go, not for bookmarks and errors.
    pub(crate) fn with_objects(mut self, objects: Self) -> Self {
        let by = self.nodes.len() as u32;
        self.of_objects = objects.root.map(|root| root + by);
        self.nodes.extend(objects.nodes.into_iter().map(|mut node| {
            node.each = node.each.map(|each| each + by);
            for (_, rule) in &mut node.keys {
                if rule.node != NONE {
                    rule.node += by;
                }
            }
            node
        }));
        self
    }

    /// The plan of watch frames whose objects go by this plan.
    pub(super) fn into_frames(mut self) -> Self {
        let object = self.root.unwrap_or(NONE);
        let root = self.add_node(true);
        self.node_mut(root).keys = vec![
            ("type".into(), Rule { slot: frame_slot::TYPE as u32, ..Rule::KEEP }),
            ("object".into(), Rule { slot: frame_slot::OBJECT as u32, node: object, ..Rule::KEEP }),
        ];
        self.root = Some(root);
        self
    }

    /// Fills in which slots each rule makes void.
    pub(super) fn seal(mut self) -> Self {
        for root in [self.root, self.of_objects].into_iter().flatten() {
            self.seal_node(root);
        }
        self
    }

    fn seal_node(&mut self, node: u32) -> u32 {
        let below = self.node(node).each.map_or(0, |each| self.seal_node(each));
        // The slots of items are their own, not the list's.
        let mut all = if self.node(node).items { 0 } else { below };
        for i in 0..self.node(node).keys.len() {
            let Rule { slot, node: below, .. } = self.node(node).keys[i].1;
            let mut clears = if slot == NONE { 0 } else { 1 << slot };
            if below != NONE {
                clears |= self.seal_node(below);
            }
            self.node_mut(node).keys[i].1.clears = clears;
            all |= clears;
        }
        all
    }
}

/// Slots of a list's own fields.
pub(crate) mod list_slot {
    pub(crate) const KIND: usize = 0;
    pub(crate) const METADATA: usize = 1;
    pub(crate) const ITEMS: usize = 2;
}

/// Slots of a watch frame's own fields; those below belong to its object.
pub(crate) mod frame_slot {
    pub(crate) const TYPE: usize = super::SLOTS - 2;
    pub(crate) const OBJECT: usize = super::SLOTS - 1;

    /// Whether frames of this type, given as JSON, hold an object that came, changed or went.
    pub(crate) fn holds_object(frame_type: &str) -> bool {
        matches!(frame_type, r#""ADDED""# | r#""MODIFIED""# | r#""DELETED""#)
    }
}
