use super::error::{CborError, CborErrorKind};
use super::number;
use super::text::{Form, NoUtf8, Writer};

/// The nesting that serde_json reads.
const MAX_DEPTH: usize = 127;
/// The most bytes that say what a value is: one for its kind, eight for its size.
const HEAD: usize = 9;

/// Makes JSON of CBOR while its bytes arrive, in any pieces, without any I/O. See the [module](crate::cbor) for what
/// becomes what.
///
/// ```
/// use kubewire_rest::cbor::Transcoder;
///
/// let mut transcoder = Transcoder::new();
/// let mut json = String::new();
/// transcoder.transcode(b"\xa1\x44na", &mut json)?;
/// transcoder.transcode(b"me\x45web-0", &mut json)?;
/// transcoder.finish()?;
/// assert_eq!(json, r#"{"name":"web-0"}"#);
/// # Ok::<(), kubewire_rest::cbor::CborError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Transcoder {
    /// Whether any number of values may follow each other.
    is_sequence: bool,
    /// Whether a value is complete.
    any: bool,
    /// Bytes taken so far.
    offset: u64,
    /// A head whose end hasn't arrived.
    head: [u8; HEAD],
    head_len: usize,
    tags: Tags,
    string: Option<Text>,
    /// The arrays and maps that are open.
    open: Vec<Open>,
}

/// What the tags right before a value say.
#[derive(Clone, Copy, Debug, Default)]
struct Tags {
    count: usize,
    /// How byte strings are written.
    form: Option<Form>,
    /// The number is a time.
    is_time: bool,
}

#[derive(Clone, Debug)]
struct Text {
    writer: Writer,
    /// Bytes of this piece that are still to come.
    left: u64,
    /// The kind of which further pieces may come.
    pieces: Option<u8>,
}

#[derive(Clone, Debug)]
struct Open {
    is_map: bool,
    /// Elements, or keys, that are still to come; `None` up to a break.
    left: Option<u64>,
    is_first: bool,
    /// A key was read, its value is next.
    has_key: bool,
    /// How byte strings in it are written.
    form: Form,
}

/// What begins a value.
struct Head {
    /// Its first byte, and where that stands.
    byte: u8,
    offset: u64,
    /// `None` where the length is not known, and for breaks.
    argument: Option<u64>,
}

impl Transcoder {
    /// For one value, such as an object or a list.
    pub fn new() -> Self {
        Self {
            is_sequence: false,
            any: false,
            offset: 0,
            head: [0; HEAD],
            head_len: 0,
            tags: Tags::default(),
            string: None,
            open: Vec::new(),
        }
    }

    /// For values one after the other, such as the events of a watch; their JSON stands on lines of its own.
    pub fn sequence() -> Self {
        Self { is_sequence: true, ..Self::new() }
    }

    /// Takes the next bytes and adds their JSON: up to six bytes for one.
    ///
    /// # Errors
    /// The bytes are no CBOR, or such without a JSON form. The JSON of what came before is there; nothing sensible can be
    /// had after it.
    pub fn transcode(&mut self, bytes: &[u8], json: &mut String) -> Result<(), CborError> {
        let start = self.offset;
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            at += match &mut self.string {
                Some(text) if text.left > 0 => {
                    let taken = usize::try_from(text.left).map_or(rest.len(), |left| left.min(rest.len()));
                    let written = text.writer.push(&rest[..taken], json);
                    let offset = self.offset;
                    written.map_err(|NoUtf8(good)| CborError {
                        kind: CborErrorKind::Utf8,
                        offset: offset + good as u64,
                    })?;
                    text.left -= taken as u64;
                    if text.left == 0 {
                        self.end_piece(taken, json)?;
                    }
                    taken
                }
                _ => self.take_head(rest, json)?,
            };
            self.offset = start + at as u64;
        }
        Ok(())
    }

    /// The end of the input.
    ///
    /// # Errors
    /// A value is not complete.
    pub fn finish(&self) -> Result<(), CborError> {
        let is_between = self.open.is_empty()
            && self.string.is_none()
            && self.head_len == 0
            && self.tags.count == 0
            && (self.any || self.is_sequence);
        if is_between { Ok(()) } else { Err(self.error(CborErrorKind::Truncated, 0)) }
    }

    /// The error of a byte so many after those taken.
    fn error(&self, kind: CborErrorKind, after: usize) -> CborError {
        CborError { kind, offset: self.offset + after as u64 }
    }

    /// Takes what begins a value, or as much as there is of it.
    fn take_head(&mut self, bytes: &[u8], json: &mut String) -> Result<usize, CborError> {
        let before = self.head_len;
        let byte = if before > 0 { self.head[0] } else { bytes[0] };
        let offset = self.offset - before as u64;
        let size = match byte & 0x1f {
            ..24 | 31 => 0,
            info @ 24..28 => 1 << (info - 24),
            _ => return Err(CborError { kind: CborErrorKind::Reserved(byte), offset }),
        };
        let taken = (1 + size - before).min(bytes.len());
        self.head[before..before + taken].copy_from_slice(&bytes[..taken]);
        self.head_len = before + taken;
        if self.head_len == 1 + size {
            self.head_len = 0;
            let argument = match byte & 0x1f {
                31 => None,
                info @ ..24 => Some(u64::from(info)),
                _ => {
                    let bytes = &self.head[1..=size];
                    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
                }
            };
            self.value(&Head { byte, offset, argument }, json)?;
        }
        Ok(taken)
    }

    fn value(&mut self, head: &Head, json: &mut String) -> Result<(), CborError> {
        let Head { byte, offset, argument } = *head;
        let error = |kind| CborError { kind, offset };
        let kind = byte >> 5;
        if let Some(text) = &mut self.string {
            return match argument {
                None if byte == 0xff => {
                    text.pieces = None;
                    self.end_piece(0, json)
                }
                Some(left) if text.pieces == Some(kind) => {
                    text.left = left;
                    Ok(())
                }
                _ => Err(error(CborErrorKind::Piece)),
            };
        }
        match (kind, argument) {
            (6, Some(tag)) => return self.tag(tag).map_err(error),
            (7, None) => return self.close(json).map_err(error),
            (0 | 1 | 6, None) => return Err(error(CborErrorKind::Reserved(byte))),
            _ => {}
        }
        let form = self.begin_value(matches!(kind, 2 | 3), json).map_err(error)?;
        let tags = std::mem::take(&mut self.tags);
        match (kind, argument) {
            (0 | 1, Some(n)) if tags.is_time => {
                let seconds = if kind == 0 { i128::from(n) } else { -1 - i128::from(n) };
                number::time_of_seconds(seconds, json).ok_or_else(|| error(CborErrorKind::Time))?;
            }
            (0, Some(n)) => number::unsigned(n, json),
            (1, Some(n)) => number::negative(n, json),
            (2 | 3, length) => {
                json.push('"');
                let writer = Writer::new(if kind == 3 { Form::Text } else { form });
                let pieces = length.is_none().then_some(kind);
                self.string = Some(Text { writer, left: length.unwrap_or(0), pieces });
                if length == Some(0) {
                    self.end_piece(0, json)?;
                }
                return Ok(());
            }
            (4 | 5, left) => return self.open(kind == 5, left, form, json).map_err(error),
            (_, argument) => {
                // Only simple values and floats are left, and they have an argument.
                let bits = argument.unwrap_or_default();
                self.simple(byte, bits, tags.is_time, json).map_err(error)?;
            }
        }
        self.end_value(json);
        Ok(())
    }

    fn tag(&mut self, tag: u64) -> Result<(), CborErrorKind> {
        if self.open.is_empty() && self.any && !self.is_sequence {
            return Err(CborErrorKind::Trailing);
        }
        // Tags nest as well.
        if self.tags.count == MAX_DEPTH {
            return Err(CborErrorKind::TooDeep);
        }
        self.tags.count += 1;
        match tag {
            1 => self.tags.is_time = true,
            2 | 3 => return Err(CborErrorKind::Bignum),
            21 => self.tags.form = Some(Form::Base64Url),
            22 => self.tags.form = Some(Form::Base64),
            23 => self.tags.form = Some(Form::Base16),
            _ => {}
        }
        Ok(())
    }

    /// Writes what stands between this value and the one before. Gives how byte strings in it are written.
    fn begin_value(&mut self, is_string: bool, json: &mut String) -> Result<Form, CborErrorKind> {
        let form = self.tags.form;
        let Some(open) = self.open.last_mut() else {
            match (self.any, self.is_sequence) {
                (true, true) => json.push('\n'),
                (true, false) => return Err(CborErrorKind::Trailing),
                (false, _) => {}
            }
            return Ok(form.unwrap_or(Form::Unchecked));
        };
        if open.has_key {
            json.push(':');
        } else {
            if open.is_map && !is_string {
                return Err(CborErrorKind::Key);
            }
            if !open.is_first {
                json.push(',');
            }
        }
        open.is_first = false;
        Ok(form.unwrap_or(open.form))
    }

    fn open(
        &mut self,
        is_map: bool,
        left: Option<u64>,
        form: Form,
        json: &mut String,
    ) -> Result<(), CborErrorKind> {
        if self.open.len() == MAX_DEPTH {
            return Err(CborErrorKind::TooDeep);
        }
        json.push(if is_map { '{' } else { '[' });
        self.open.push(Open { is_map, left, is_first: true, has_key: false, form });
        if left == Some(0) {
            self.close_last(json);
        }
        Ok(())
    }

    /// A break.
    fn close(&mut self, json: &mut String) -> Result<(), CborErrorKind> {
        match self.open.last() {
            Some(Open { left: None, has_key: false, .. }) if self.tags.count == 0 => {
                self.close_last(json);
                Ok(())
            }
            _ => Err(CborErrorKind::Break),
        }
    }

    fn close_last(&mut self, json: &mut String) {
        if let Some(open) = self.open.pop() {
            json.push(if open.is_map { '}' } else { ']' });
        }
        self.end_value(json);
    }

    /// A value is complete, and with it all that it was the last of.
    fn end_value(&mut self, json: &mut String) {
        loop {
            let Some(open) = self.open.last_mut() else {
                self.any = true;
                return;
            };
            if open.is_map {
                open.has_key = !open.has_key;
                if open.has_key {
                    return;
                }
            }
            match &mut open.left {
                None => return,
                Some(left) => {
                    *left -= 1;
                    if *left > 0 {
                        return;
                    }
                }
            }
            json.push(if open.is_map { '}' } else { ']' });
            self.open.pop();
        }
    }

    /// A piece of a string is complete, after so many of the bytes at hand; the string with it, unless more may come.
    fn end_piece(&mut self, after: usize, json: &mut String) -> Result<(), CborError> {
        let Some(text) = &mut self.string else { return Ok(()) };
        let is_whole = text.pieces.is_none();
        // Text has whole characters in each piece.
        if is_whole || text.pieces == Some(3) {
            let ended = text.writer.finish(json);
            ended.map_err(|_| self.error(CborErrorKind::Utf8, after))?;
        }
        if is_whole {
            self.string = None;
            json.push('"');
            self.end_value(json);
        }
        Ok(())
    }

    fn simple(&mut self, byte: u8, bits: u64, is_time: bool, json: &mut String) -> Result<(), CborErrorKind> {
        let float = match byte & 0x1f {
            20 => {
                json.push_str("false");
                return Ok(());
            }
            21 => {
                json.push_str("true");
                return Ok(());
            }
            22 => {
                json.push_str("null");
                return Ok(());
            }
            ..25 => return Err(CborErrorKind::Simple(bits as u8)),
            25 => number::half(bits as u16),
            26 => f64::from(f32::from_bits(bits as u32)),
            _ => f64::from_bits(bits),
        };
        if !is_time {
            return number::float(float, json).ok_or(CborErrorKind::NotFinite);
        }
        if !float.is_finite() {
            return Err(CborErrorKind::NotFinite);
        }
        number::time(float, json).ok_or(CborErrorKind::Time)
    }
}

impl Default for Transcoder {
    fn default() -> Self {
        Self::new()
    }
}

/// The JSON of one value, unless that is larger than `limit`, in bytes.
///
/// # Errors
/// As for [`Transcoder::transcode`].
pub fn to_json(cbor: &[u8], limit: usize) -> Result<String, CborError> {
    let mut transcoder = Transcoder::new();
    let mut json = String::new();
    for piece in cbor.chunks(16 << 10) {
        transcoder.transcode(piece, &mut json)?;
        if json.len() > limit {
            return Err(transcoder.error(CborErrorKind::TooLarge(limit), 0));
        }
    }
    transcoder.finish()?;
    Ok(json)
}
