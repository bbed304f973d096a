use super::ListWatch;
use crate::{Decode, Request};

impl Request {
    /// What there is, then each change of it, for as long as the stream is read: what an informer is made of. See
    /// [`lists_and_watches`](crate::lists_and_watches) for when to take it, and what it promises.
    ///
    /// Nothing is sent before the first change is asked for, and what is wrong with the request comes as the first
    /// item. Selectors stay as they are; versions are the stream's own business. A `limit` says that what there is is
    /// to be listed in pages of so many items, and not to be asked of the watch. A `timeoutSeconds` is each watch's.
    ///
    /// ```no_run
    /// # async fn run(client: kubewire_rest::RestClient) {
    /// use kubewire_rest::{Change, Object};
    ///
    /// let mut pods = client.get().resource("pods").list_watch::<Object>();
    /// while let Some(change) = pods.next().await {
    ///     match change {
    ///         Ok(Change::Init) => println!("all there are:"),
    ///         Ok(Change::Applied(pod)) => println!("  {}", pod.metadata.name),
    ///         Ok(Change::InitDone) => println!("and from now on:"),
    ///         Ok(Change::Deleted(pod)) => println!("  {} is gone", pod.metadata.name),
    ///         Err(error) => println!("{error}; it is tried again"),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn list_watch<T: Decode>(self) -> ListWatch<T> {
        let mut request = self.again();
        let observer = self.resource_observer();
        let fault = self.checked().err();
        let page = request.get_param("limit").map(str::to_owned);
        for name in [
            "allowWatchBookmarks",
            "continue",
            "limit",
            "resourceVersion",
            "resourceVersionMatch",
            "sendInitialEvents",
            "watch",
        ] {
            request.set_param(name, None);
        }
        ListWatch::new(request, page, observer, fault)
    }
}
