mod hostile;
mod model;
mod vectors;

use super::*;

/// The JSON of CBOR in pieces that end at `cuts` (in any order, beyond the end too).
pub(super) fn transcode(cbor: &[u8], cuts: &[usize]) -> Result<String, CborError> {
    run(Transcoder::new(), cbor, cuts)
}

pub(super) fn run(mut transcoder: Transcoder, cbor: &[u8], cuts: &[usize]) -> Result<String, CborError> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (cbor.len() + 1)).collect();
    cuts.extend([0, cbor.len()]);
    cuts.sort_unstable();
    let mut json = String::new();
    for piece in cuts.windows(2) {
        transcoder.transcode(&cbor[piece[0]..piece[1]], &mut json)?;
    }
    transcoder.finish()?;
    Ok(json)
}

/// Bytes out of their hexadecimal digits.
pub(super) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|byte| *byte != b' ').collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}
