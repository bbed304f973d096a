use std::fmt;
use std::marker::PhantomData;

use crate::{Decode, Error, List, ListMeta, Request};

/// Items of a page unless the request says otherwise.
const PAGE_ITEMS: &str = "500";

/// A list, page by page. Made by [`Request::pages`].
pub struct Pages<T> {
    /// What the pages after the first are made from.
    template: Request,
    next: Option<Request>,
    of: PhantomData<fn() -> T>,
}

impl<T: Decode> Pages<T> {
    pub(super) fn new(mut request: Request) -> Self {
        if !request.has_param("limit") {
            request.set_param("limit", Some(PAGE_ITEMS));
        }
        let mut template = request.again();
        // The token stands for both.
        template.set_param("resourceVersion", None);
        template.set_param("resourceVersionMatch", None);
        Self { template, next: Some(request), of: PhantomData }
    }

    /// The next page; `None` after the last one and after an error.
    ///
    /// Cancellation: when the future is dropped, so is the page that it was reading, and the pages end.
    pub async fn next(&mut self) -> Option<Result<List<T>, Error>> {
        let page = self.next.take()?.list::<T>().await;
        if let Ok(page) = &page
            && !page.metadata.continue_token.is_empty()
        {
            let mut next = self.template.again();
            next.set_param("continue", Some(&page.metadata.continue_token));
            self.next = Some(next);
        }
        Some(page)
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
        f.debug_struct("Pages").field("request", &self.template).finish_non_exhaustive()
    }
}
