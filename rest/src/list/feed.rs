use super::ItemError;
use super::sealed::Text;
#[cfg(feature = "cbor")]
use crate::cbor::{CborError, Transcoder};
use crate::json::Tokens;
use crate::scan::Scanner;
use crate::{DecodeFault, MediaType};

/// Bytes of CBOR that become JSON at a time.
#[cfg(feature = "cbor")]
const PIECE: usize = 16 << 10;

/// What the bytes of objects are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    #[cfg(feature = "cbor")]
    Cbor,
    /// Values one after the other.
    #[cfg(feature = "cbor")]
    CborSequence,
}

impl Form {
    /// That of a list with this media type.
    pub(crate) fn of_list(media_type: Option<MediaType>) -> Result<Self, DecodeFault> {
        match media_type {
            Some(MediaType::Json) => Ok(Self::Json),
            #[cfg(feature = "cbor")]
            Some(MediaType::Cbor) => Ok(Self::Cbor),
            Some(_) => Err(DecodeFault::NoDecoder),
            None => Err(DecodeFault::ContentType),
        }
    }

    /// That of a watch. What is no media type is read as JSON.
    pub(crate) fn of_watch(media_type: Option<MediaType>) -> Result<Self, DecodeFault> {
        match media_type {
            Some(MediaType::Json) | None => Ok(Self::Json),
            #[cfg(feature = "cbor")]
            Some(MediaType::CborSeq) => Ok(Self::CborSequence),
            Some(_) => Err(DecodeFault::NoDecoder),
        }
    }
}

/// A scanner, and before it what makes JSON of other forms.
pub(crate) struct Feed {
    scanner: Scanner,
    tokens: Tokens,
    #[cfg(feature = "cbor")]
    cbor: Option<Box<Cbor>>,
}

#[cfg(feature = "cbor")]
struct Cbor {
    transcoder: Transcoder,
    /// The JSON of the latest piece, and how much of it was scanned.
    json: String,
    scanned: usize,
    /// The piece's bytes, which count as taken once all their JSON is scanned.
    piece: usize,
    /// An error that comes after what is still to be scanned.
    error: Option<CborError>,
}

impl Feed {
    pub(crate) fn new(form: Form, scanner: Scanner) -> Self {
        #[cfg(feature = "cbor")]
        let transcoder = match form {
            Form::Json => None,
            Form::Cbor => Some(Transcoder::new()),
            Form::CborSequence => Some(Transcoder::sequence()),
        };
        #[cfg(not(feature = "cbor"))]
        let Form::Json = form;
        Self {
            scanner,
            tokens: Tokens::default(),
            #[cfg(feature = "cbor")]
            cbor: transcoder.map(|transcoder| {
                Box::new(Cbor { transcoder, json: String::new(), scanned: 0, piece: 0, error: None })
            }),
        }
    }

    /// Takes bytes until an item or more is ready or all are taken; returns how many it took. What it did not take comes
    /// first the next time. After an error, the items before it are still there.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<usize, ItemError> {
        #[cfg(feature = "cbor")]
        if let Some(cbor) = &mut self.cbor {
            return cbor.feed(&mut self.scanner, bytes);
        }
        Ok(self.scanner.feed(bytes)?)
    }

    /// The next item that is ready.
    pub(crate) fn next_item(&mut self) -> Option<Text<'_>> {
        Some(Text { item: self.scanner.next_item()?, tokens: &mut self.tokens })
    }

    /// The end of the input: what is open is an error.
    pub(crate) fn finish(&mut self) -> Result<(), ItemError> {
        #[cfg(feature = "cbor")]
        if let Some(cbor) = &self.cbor {
            cbor.transcoder.finish()?;
        }
        Ok(self.scanner.finish()?)
    }

    pub(crate) fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    /// Bytes of memory held for texts.
    pub(crate) fn capacity(&self) -> usize {
        #[cfg(feature = "cbor")]
        let json = self.cbor.as_ref().map_or(0, |cbor| cbor.json.capacity());
        #[cfg(not(feature = "cbor"))]
        let json = 0;
        self.scanner.capacity() + self.tokens.capacity() + json
    }
}

#[cfg(feature = "cbor")]
impl Cbor {
    fn feed(&mut self, scanner: &mut Scanner, bytes: &[u8]) -> Result<usize, ItemError> {
        let mut taken = 0;
        loop {
            while self.scanned < self.json.len() {
                self.scanned += scanner.feed(&self.json.as_bytes()[self.scanned..])?;
                if scanner.has_items() {
                    return Ok(taken);
                }
            }
            if let Some(error) = self.error.take() {
                return Err(error.into());
            }
            taken += std::mem::take(&mut self.piece);
            let rest = &bytes[taken..];
            if rest.is_empty() {
                return Ok(taken);
            }
            self.json.clear();
            self.scanned = 0;
            let piece = &rest[..rest.len().min(PIECE)];
            self.error = self.transcoder.transcode(piece, &mut self.json).err();
            self.piece = piece.len();
        }
    }
}
