use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::answered::Answered;
use super::decode::{hidden_failure, sniff};
use crate::error::{DecodeError, DecodeFault};
use crate::{Decode, Error, MediaType, TypeMeta, Warning};

/// What came of a request: an answer, or an error; and beside an error, what there was of an answer.
///
/// This is a struct. Call it by its crate's name, `kubewire_rest::Result`, so that it is not taken for std's.
#[must_use = "a result may be an error, which should be looked at"]
pub struct Result(Outcome);

#[expect(clippy::large_enum_variant, reason = "nearly all requests are answered")]
enum Outcome {
    /// An answer, and the error it tells of.
    Answer(Answered, Option<Error>),
    /// No answer.
    Failed(Error),
}

impl Result {
    pub(crate) fn of_answer(answered: Answered) -> Self {
        let error = answered.error();
        Self(Outcome::Answer(answered, error))
    }

    pub(crate) fn of_error(error: Error) -> Self {
        Self(Outcome::Failed(error))
    }

    /// Decodes the body into a `T`, without the fields that the request [skips](crate::Request::skip_fields).
    ///
    /// # Errors
    /// The request's error. A body that is empty, of a content type without a decoder, or no `T`. A Status of the API that is no
    /// success, although the code says so, unless `T` is [`Status`](crate::Status).
    pub fn into_object<T: Decode>(self) -> std::result::Result<T, Error> {
        let answered = self.success()?;
        let observer = answered.place.client.0.observer.verb(&answered.place.method);
        observer.decoding(|| {
            let (body, media_type) =
                answered.readable().map_err(|fault| decode_error(&answered, &TypeMeta::default(), fault))?;
            let object = match hidden_failure::<T>(&body, media_type) {
                Ok(Some(status)) => return Err(answered.api_error(status)),
                Ok(None) => T::from_body(&body, media_type, &answered.options),
                Err(fault) => Err(fault),
            };
            object.map_err(|fault| decode_error(&answered, &found(&body, media_type, &fault), fault))
        })
    }

    /// Nothing but the error, for requests whose answer is of no interest, such as a DELETE.
    ///
    /// # Errors
    /// The request's error.
    pub fn check(self) -> std::result::Result<(), Error> {
        self.success().map(drop)
    }

    /// The body as it came.
    ///
    /// # Errors
    /// The request's error; for an error code, one that is made of the code alone.
    pub fn raw(self) -> std::result::Result<Bytes, Error> {
        match self.0 {
            Outcome::Answer(answered, _) => answered.into_raw(),
            Outcome::Failed(error) => Err(error),
        }
    }

    /// The error, if there is one.
    pub fn error(&self) -> Option<&Error> {
        match &self.0 {
            Outcome::Answer(_, error) => error.as_ref(),
            Outcome::Failed(error) => Some(error),
        }
    }

    /// The body as it came, beside an error too; empty when there was none.
    pub fn body(&self) -> &Bytes {
        static NONE: Bytes = Bytes::new();
        self.answered().map_or(&NONE, |answered| &answered.body)
    }

    /// The HTTP status code; `None` when there was no answer.
    pub fn status_code(&self) -> Option<StatusCode> {
        self.answered().map(|answered| answered.status)
    }

    /// Whether the server created an object (201).
    pub fn was_created(&self) -> bool {
        self.status_code() == Some(StatusCode::CREATED)
    }

    /// The content type of the answer, or the client's when the answer has none; empty when there was no answer.
    pub fn content_type(&self) -> &str {
        self.answered().map_or("", Answered::content_type)
    }

    /// The headers; `None` when there was no answer.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.answered().map(|answered| &answered.headers)
    }

    /// The warnings that came with the answer, beside an error too.
    pub fn warnings(&self) -> &[Warning] {
        self.answered().map_or(&[], |answered| &answered.warnings)
    }

    fn success(self) -> std::result::Result<Answered, Error> {
        match self.0 {
            Outcome::Answer(answered, None) => Ok(answered),
            Outcome::Answer(_, Some(error)) | Outcome::Failed(error) => Err(error),
        }
    }

    fn answered(&self) -> Option<&Answered> {
        match &self.0 {
            Outcome::Answer(answered, _) => Some(answered),
            Outcome::Failed(_) => None,
        }
    }
}

/// What a body is that is not what was asked for.
fn found(body: &Bytes, media_type: Option<MediaType>, fault: &DecodeFault) -> TypeMeta {
    match fault {
        DecodeFault::Json(_) | DecodeFault::Yaml(_) | DecodeFault::Item(_) => sniff(body, media_type),
        _ => TypeMeta::default(),
    }
}

fn decode_error(answered: &Answered, types: &TypeMeta, source: DecodeFault) -> Error {
    DecodeError {
        target: answered.place.target(),
        code: answered.status.as_u16(),
        content_type: answered.content_type().to_owned(),
        found: format!("{} {}", types.api_version, types.kind).trim().to_owned(),
        source,
    }
    .into()
}

impl fmt::Debug for Result {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Result")
            .field("status_code", &self.status_code())
            .field("content_type", &self.content_type())
            .field("body_bytes", &self.body().len())
            .field("error", &self.error())
            .finish_non_exhaustive()
    }
}
