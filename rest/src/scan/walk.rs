//! What the tokens that matter to the plan do: copy, cut, remember, and find where items end.

use super::error::{ScanError, ScanErrorKind};
use super::plan::{NONE, SLOTS, frame_slot, list_slot};
use super::scanner::{Frame, Ready, Scanner, Shape, Span, trim};
use super::structure::Tokens;

impl Scanner {
    /// Walks the tokens of a checked block that stand in values on the plan's way.
    #[inline(always)]
    pub(super) fn walk(&mut self, window: &str, start: usize, tokens: &Tokens) -> Result<(), ScanError> {
        let brackets = tokens.open | tokens.close;
        let ends = brackets | tokens.comma;
        let all = ends | tokens.colon;
        let mut depth = tokens.depth as usize;
        let mut rest = u64::MAX;
        loop {
            let matters = depth == self.frames.len();
            let next = rest
                & if !matters {
                    brackets
                } else if self.cutting {
                    ends
                } else {
                    all
                };
            if next == 0 {
                break;
            }
            let bit = next.trailing_zeros();
            rest = (u64::MAX << bit) << 1;
            let at = start + bit as usize;
            if tokens.open >> bit & 1 == 1 {
                if matters {
                    self.open(window, at)?;
                }
                depth += 1;
            } else if tokens.close >> bit & 1 == 1 {
                if matters {
                    self.close(window, at)?;
                }
                depth -= 1;
            } else if tokens.colon >> bit & 1 == 1 {
                self.last_quote(start, tokens.quote & !rest);
                self.key(window, at)?;
            } else {
                self.comma(window, at)?;
            }
        }
        self.last_quote(start, tokens.quote);
        Ok(())
    }

    /// Remembers the last of the block's quotes: it may begin a key, unless what it stands in was copied or cut.
    #[inline(always)]
    fn last_quote(&mut self, start: usize, quotes: u64) {
        let last = quotes.checked_ilog2().map(|bit| start + bit as usize);
        if let Some(at) = last.filter(|&at| at >= self.copied) {
            self.quote = self.place(at);
            self.quote_in_window = Some(at);
        }
    }

    /// Copies the window up to `end`, unless it is being cut.
    pub(super) fn copy(&mut self, window: &str, end: usize) -> Result<(), ScanError> {
        if !self.cutting {
            let (limit, copied) = (self.limits.item, self.copied);
            let (text, base) = self.target();
            text.push_str(&window[copied..end]);
            if text.len() - base > limit {
                let offset = self.window_offset + end as u64;
                return Err(self.error(ScanErrorKind::ItemTooLarge(limit), offset));
            }
        }
        self.copied = end;
        Ok(())
    }

    /// The text that is being written, and where its item begins.
    fn target(&mut self) -> (&mut String, usize) {
        if self.in_item { (&mut self.text, self.base) } else { (&mut self.head, 0) }
    }

    /// The place in the item of a byte of the window.
    fn place(&self, at: usize) -> usize {
        let written = if self.in_item { self.text.len() - self.base } else { self.head.len() };
        if self.cutting { written } else { written + at - self.copied }
    }

    fn begin_item(&mut self, at: usize) {
        self.in_item = true;
        self.base = self.text.len();
        self.copied = at;
        self.item_offset = self.window_offset + at as u64;
        self.marks = [None; SLOTS];
    }

    pub(super) fn finish_item(&mut self) {
        let whole = &self.text[self.base..];
        let text = trim(whole);
        if text.is_empty() {
            return;
        }
        let blank = whole.len() - whole.trim_ascii_start().len();
        if blank > 0 {
            for span in self.marks.iter_mut().flatten() {
                span.start -= blank as u32;
                span.end -= blank as u32;
            }
        }
        let start = self.base + blank;
        self.ready.push_back(Ready {
            start,
            end: start + text.len(),
            marks: self.marks,
            index: self.index,
            offset: self.item_offset + blank as u64,
        });
        self.index += 1;
        self.base = self.text.len();
    }

    fn open(&mut self, window: &str, at: usize) -> Result<(), ScanError> {
        let next = match self.frames.last() {
            Some(frame) => frame.next,
            None => {
                if self.shape == Shape::Frames {
                    self.begin_item(at);
                }
                self.plan.root.unwrap_or(NONE)
            }
        };
        if self.cutting || next == NONE {
            return Ok(());
        }
        let array = window.as_bytes()[at] == b'[';
        let node = self.plan.node(next);
        let items = node.items;
        let element = node.element();
        let wanted = if array { element.is_some() } else { node.has_keys() };
        if items {
            if !array {
                return Err(self.error(ScanErrorKind::ItemsNoArray, self.window_offset + at as u64));
            }
            self.copy(window, at + 1)?;
            self.begin_item(at + 1);
        } else if !wanted {
            return Ok(());
        }
        self.frames.push(Frame {
            node: next,
            items,
            member: if items { 0 } else { self.place(at) + 1 },
            comma: None,
            next: if array { element.unwrap_or(NONE) } else { NONE },
            slot: NONE,
            value: 0,
        });
        Ok(())
    }

    /// A colon: the string before it is a key.
    fn key(&mut self, window: &str, at: usize) -> Result<(), ScanError> {
        if self.quote_in_window.is_none() {
            self.copy(window, at)?;
        }
        let place = self.place(at);
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        let (text, base) = if self.in_item { (&mut self.text, self.base) } else { (&mut self.head, 0) };
        let key = match self.quote_in_window {
            Some(start) => &window[start..at],
            None => &text[base + self.quote..],
        };
        let rule = self.plan.node(frame.node).rule(trim(key));
        let marks = if self.in_item { &mut self.marks } else { &mut self.head_marks };
        if !self.in_item && rule.slot != NONE && marks[rule.slot as usize].is_some() {
            let field = match rule.slot as usize {
                list_slot::ITEMS => "items",
                list_slot::METADATA => "metadata",
                _ => "kind",
            };
            return Err(self.error(ScanErrorKind::Duplicate(field), self.window_offset + at as u64));
        }
        if rule.clears != 0 {
            for (slot, mark) in marks.iter_mut().enumerate() {
                if rule.clears >> slot & 1 == 1 {
                    *mark = None;
                }
            }
        }
        if rule.cut {
            // What of the member is still in the window only (its first bytes may be: the comma before it is
            // kept) is never copied.
            let member = base + frame.member;
            if text.len() < member {
                let kept = self.copied + member - text.len();
                text.push_str(&window[self.copied..kept]);
            }
            text.truncate(member);
            self.cutting = true;
            return Ok(());
        }
        (frame.next, frame.slot, frame.value) = (rule.node, rule.slot, place + 1);
        if rule.slot == frame_slot::OBJECT as u32 && self.plan.of_objects.is_some() {
            self.choose_plan(window, at)?;
        }
        Ok(())
    }

    /// The object of a watch frame begins: what is done inside depends on the frame's type, where that came before.
    fn choose_plan(&mut self, window: &str, at: usize) -> Result<(), ScanError> {
        self.copy(window, at)?;
        let Some(Span { start, end }) = self.marks[frame_slot::TYPE] else { return Ok(()) };
        let frame_type = &self.text[self.base + start as usize..self.base + end as usize];
        if let (true, Some(node), Some(frame)) =
            (frame_slot::holds_object(trim(frame_type)), self.plan.of_objects, self.frames.last_mut())
        {
            frame.next = node;
        }
        Ok(())
    }

    /// A comma, or the bracket that ends the last member.
    fn end_value(&mut self, window: &str, at: usize) -> Result<(), ScanError> {
        let place = self.place(at);
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        if frame.slot == NONE {
            return Ok(());
        }
        let slot = frame.slot as usize;
        let span = Span { start: frame.value as u32, end: place as u32 };
        frame.slot = NONE;
        if self.in_item {
            self.marks[slot] = Some(span);
            return Ok(());
        }
        self.head_marks[slot] = Some(span);
        self.copy(window, at)?;
        if slot == list_slot::ITEMS && !matches!(trim(&self.head[span.start as usize..]), "[]" | "null") {
            return Err(self.error(ScanErrorKind::ItemsNoArray, self.window_offset + at as u64));
        }
        Ok(())
    }

    fn comma(&mut self, window: &str, at: usize) -> Result<(), ScanError> {
        if self.cutting {
            // The comma goes with the member that was cut.
            self.cutting = false;
            self.copied = at + 1;
            return Ok(());
        }
        if self.frames.last().is_some_and(|frame| frame.items) {
            self.copy(window, at)?;
            self.finish_item();
            self.begin_item(at + 1);
            return Ok(());
        }
        self.end_value(window, at)?;
        let place = self.place(at);
        if let Some(frame) = self.frames.last_mut() {
            frame.comma = Some(place);
            frame.member = place + 1;
        }
        Ok(())
    }

    fn close(&mut self, window: &str, at: usize) -> Result<(), ScanError> {
        if self.cutting {
            self.cutting = false;
            self.copied = at;
            // The last member was cut: so is the comma before it.
            let comma = self.frames.last().and_then(|frame| frame.comma);
            if let Some(comma) = comma {
                let (text, base) = self.target();
                text.truncate(base + comma);
            }
        } else {
            self.end_value(window, at)?;
        }
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        if frame.items {
            self.copy(window, at)?;
            self.finish_item();
            self.in_item = false;
        } else if self.frames.is_empty() && self.shape == Shape::Frames {
            self.copy(window, at + 1)?;
            self.finish_item();
        }
        Ok(())
    }
}
