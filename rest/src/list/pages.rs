use std::fmt;
use std::marker::PhantomData;

use crate::{Decode, Error, List, ListMeta, Request};

/// Items of a page unless the request says otherwise.
pub(crate) const PAGE_ITEMS: &str = "500";

/// Turns the pages of a list.
pub(crate) struct Turner {
    /// What the pages after the first are made from.
    template: Request,
    /// A token from before, to notice when they lead in a circle.
    before: String,
    turns: u32,
}

impl Turner {
    /// For the pages after the one that `first` asks for.
    pub(crate) fn new(first: &Request) -> Self {
        let mut template = first.again();
        // The token stands for both.
        template.set_param("resourceVersion", None);
        template.set_param("resourceVersionMatch", None);
        Self { template, before: String::new(), turns: 0 }
    }

    /// The request for the page after one with this metadata; `None` after the last one.
    pub(crate) fn turn(&mut self, metadata: &ListMeta) -> Result<Option<Request>, Error> {
        let token = &metadata.continue_token;
        if token.is_empty() {
            return Ok(None);
        }
        if *token == self.before {
            let why = "the server's pages lead in a circle: a continue token comes again, so that the list has no end";
            return Err(Error::Protocol { target: self.template.target(), why });
        }
        self.turns = self.turns.wrapping_add(1);
        // A circle of any length holds some such token once the distance between them exceeds it.
        if self.turns.is_power_of_two() {
            self.before.clone_from(token);
        }
        let mut next = self.template.again();
        next.set_param("continue", Some(token));
        Ok(Some(next))
    }
}

/// A list, page by page. Made by [`Request::pages`].
pub struct Pages<T> {
    turner: Turner,
    next: Option<Request>,
    of: PhantomData<fn() -> T>,
}

impl<T: Decode> Pages<T> {
    pub(super) fn new(mut request: Request) -> Self {
        if request.get_param("limit").is_none() {
            request.set_param("limit", Some(PAGE_ITEMS));
        }
        Self { turner: Turner::new(&request), next: Some(request), of: PhantomData }
    }

    /// The next page; `None` after the last one and after an error.
    ///
    /// # Errors
    /// As for [`list`](Request::list); also a server that sends the same continue token again and again.
    ///
    /// Cancellation: when the future is dropped, so is the page that it was reading, and the pages end.
    pub async fn next(&mut self) -> Option<Result<List<T>, Error>> {
        let page = self.next.take()?.list::<T>().await;
        Some(page.and_then(|page| {
            self.next = self.turner.turn(&page.metadata)?;
            Ok(page)
        }))
    }
}

/// All pages in one list; the whole in one piece where a continue token has expired.
pub(super) async fn all<T: Decode>(request: Request) -> Result<List<T>, Error> {
    let mut whole = request.again();
    whole.set_param("limit", None);
    whole.set_param("continue", None);
    let mut pages = Pages::new(request);
    let mut list: Option<List<T>> = None;
    while let Some(page) = pages.next().await {
        match (page, &mut list) {
            (Ok(page), None) => list = Some(page),
            (Ok(page), Some(list)) => list.items.extend(page.items),
            (Err(error), Some(_)) if error.is_resource_expired() => {
                tracing::debug!("a continue token has expired: reading the whole list in one piece");
                // What was read goes before the whole comes.
                drop(list.take());
                return whole.list().await;
            }
            (Err(error), _) => return Err(error),
        }
    }
    let mut list = list.unwrap_or_else(|| List { metadata: ListMeta::default(), items: Vec::new() });
    list.metadata.continue_token.clear();
    list.metadata.remaining_item_count = None;
    Ok(list)
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("request", &self.turner.template).finish_non_exhaustive()
    }
}
