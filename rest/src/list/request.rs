//! The ends of a request that read lists.

use tracing::Instrument as _;

use super::elsewhere;
use super::items::Items;
use super::pages::{self, Pages};
use crate::execute::End;
use crate::request::answer_body;
use crate::trace::request_span;
use crate::{Decode, Error, List, ListMeta, Request};

/// A list that is longer than this is decoded on other threads: handing it over costs more before.
const BIG_LIST_BYTES: u64 = 256 * 1024;

impl Request {
    /// Sends the request and reads the answer as a list, item by item as its bytes come: the body is never held as a
    /// whole. The objects of a long list are decoded on threads for blocking work, as many as there are cores (eight at
    /// the most), so that the runtime's own threads stay free; on a single core, or where there is little to decode, on the
    /// runtime's thread in steps of less than a millisecond.
    ///
    /// `T` may be any serde type, narrow ones too, [`Encoded`](crate::Encoded) or [`Projected`](crate::Projected), or a
    /// message in protobuf, which is then asked for: [`Decode`] says what there is. Fields are left out by
    /// [`skip_fields`](Self::skip_fields).
    ///
    /// ```no_run
    /// # async fn run(client: kubewire_rest::RestClient) -> Result<(), kubewire_rest::Error> {
    /// use kubewire_rest::{Encoded, List, Object};
    ///
    /// let pods: List<Encoded<Object>> = client.get().namespace("kube-system").resource("pods").list().await?;
    /// println!("{} pods at version {}", pods.items.len(), pods.metadata.resource_version);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`send`](Self::send). An answer that is no list of the type's form, or larger than the client's
    /// [`max_body_bytes`](crate::RestClientBuilder::max_body_bytes). An item that is no `T`: the error names it.
    ///
    /// Cancellation: dropping the future ends the request at once.
    pub async fn list<T: Decode>(self) -> Result<List<T>, Error> {
        let span = request_span(&self);
        let _duration = self.observer().duration();
        let observer = self.list_observer();
        let exchange = self.reading::<T>().exchange(End::Send);
        async {
            let mut items = Items::new(answer_body(exchange).await?.bounded(), observer)?;
            let mut list = List { metadata: ListMeta::default(), items: Vec::new() };
            let threads = if T::IS_LIGHT { 1 } else { elsewhere::threads() };
            while threads == 1 || items.bytes_read() < BIG_LIST_BYTES {
                match items.next().await {
                    Some(item) => list.items.push(item?),
                    None => {
                        list.metadata = items.metadata()?;
                        return Ok(list);
                    }
                }
            }
            elsewhere::finish(items, list, threads).await
        }
        .instrument(span)
        .await
    }

    /// Sends the request and gives the items of the list in the answer one by one, as they come, in memory for one of
    /// them. The request's timeout covers reading them all; the list is read no faster than they are taken.
    ///
    /// ```no_run
    /// # async fn run(client: kubewire_rest::RestClient) -> Result<(), kubewire_rest::Error> {
    /// use kubewire_rest::Object;
    ///
    /// let mut pods = client.get().resource("pods").items::<Object>().await?;
    /// while let Some(pod) = pods.next().await {
    ///     println!("{}", pod?.metadata.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list); those of the items come with them.
    ///
    /// Cancellation: dropping the future, or the stream, ends the request at once.
    pub async fn items<T: Decode>(self) -> Result<Items<T>, Error> {
        let span = request_span(&self);
        let observer = self.list_observer();
        let exchange = self.reading::<T>().exchange(End::Send);
        async { Items::new(answer_body(exchange).await?, observer) }.instrument(span).await
    }

    /// Reads a list page by page, each of as many items as the `limit` of the request, or 500. Nothing is sent before the
    /// first page is asked for.
    ///
    /// When the server no longer knows the continue token, that page is an error for which
    /// [`is_resource_expired`](Error::is_resource_expired) is true, and the pages end; [`all`](Self::all) goes on by
    /// itself.
    ///
    /// ```no_run
    /// # async fn run(client: kubewire_rest::RestClient) -> Result<(), kubewire_rest::Error> {
    /// use kubewire_rest::Object;
    ///
    /// let mut pages = client.get().resource("pods").pages::<Object>();
    /// while let Some(page) = pages.next().await {
    ///     println!("{} more", page?.items.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn pages<T: Decode>(self) -> Pages<T> {
        Pages::new(self)
    }

    /// Reads a whole list in pages and puts them together. The list has the metadata of the first page: all pages are of
    /// that version.
    ///
    /// When the server no longer knows the continue token, the whole list is read once more in one piece, at the version
    /// that the request asked for.
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    ///
    /// Cancellation: dropping the future ends the request at once.
    pub async fn all<T: Decode>(self) -> Result<List<T>, Error> {
        pages::all(self).await
    }
}
