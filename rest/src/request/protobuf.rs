//! What a request of protobuf takes.

use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_TYPE};
use prost::Message;

use super::Request;
use super::body::RequestBody;
use crate::protobuf::{PROTOBUF, seal};
use crate::{FieldPathError, RequestError, TypeMeta};

impl Request {
    /// Asks for the answer in protobuf, in place of the client's media types: it is then read as a
    /// [`Protobuf`](crate::Protobuf), errors too. Lists and watches of that type ask for it by themselves.
    pub fn accept_protobuf(self) -> Self {
        self.header(ACCEPT, HeaderValue::from_static(PROTOBUF))
    }

    /// A body in protobuf, which becomes the `Content-Type`. A message does not say what it is, so `types` does:
    /// its `apiVersion` and `kind`. A patch can't be protobuf.
    ///
    /// The answer comes as the client's media types say; [`accept_protobuf`](Self::accept_protobuf) asks for
    /// protobuf.
    ///
    /// A narrow type sends nothing but its own fields: with an update the server takes all others for removed.
    ///
    /// ```no_run
    /// # #[derive(Clone, PartialEq, prost::Message)]
    /// # struct ConfigMap {}
    /// # async fn run(client: kubewire_rest::RestClient, map: ConfigMap) -> Result<(), kubewire_rest::Error> {
    /// use kubewire_rest::{Protobuf, TypeMeta};
    ///
    /// let maps = client.post().namespace("default").resource("configmaps");
    /// let created: Protobuf<ConfigMap> = maps
    ///     .body_protobuf(&TypeMeta::new("v1", "ConfigMap"), &map)
    ///     .accept_protobuf()
    ///     .send()
    ///     .await
    ///     .into_object()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn body_protobuf<M: Message>(self, types: &TypeMeta, message: &M) -> Self {
        self.set(|this| {
            if let Some(patch) = this.patch {
                return Err(RequestError::NoEncoder(patch.content_type().to_owned()));
            }
            let body = seal(types, message).map_err(|error| RequestError::Encode(error.into()))?;
            this.headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
            this.body = RequestBody::Bytes(body.into());
            Ok(())
        })
    }

    /// Asks for protobuf, unless the caller asked for something else. `wrong` is what can't be left out of it.
    pub(super) fn reading_protobuf(mut self, wrong: Option<FieldPathError>) -> Self {
        if let Some(error) = wrong {
            return self.fail(RequestError::FieldPath(error));
        }
        if !self.accept_removed && !self.headers.contains_key(ACCEPT) {
            self.headers.insert(ACCEPT, HeaderValue::from_static(PROTOBUF));
        }
        self
    }
}
