//! When a certificate is valid: the one thing that is read from it besides what TLS reads.

use std::time::SystemTime;

use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The span of time in which a certificate is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// The version, tagged [0], which the first version of certificates does not have.
const VERSION: u8 = 0xa0;

impl Validity {
    /// The validity of a certificate in DER; `None` when it is not found in it.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let mut certificate = Der(certificate).take(SEQUENCE)?;
        let mut fields = certificate.take(SEQUENCE)?;
        // The version, where there is one; serial number, signature algorithm, issuer.
        let _ = fields.take(VERSION);
        fields.take(INTEGER)?;
        fields.take(SEQUENCE)?;
        fields.take(SEQUENCE)?;
        let mut validity = fields.take(SEQUENCE)?;
        Some(Self { not_before: validity.time()?, not_after: validity.time()? })
    }
}

/// The rest of some DER.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next value, if that has this tag; else nothing is taken.
    fn take(&mut self, tag: u8) -> Option<Self> {
        let (&found, rest) = self.0.split_first()?;
        if found != tag {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            // The length's own length; 4 bytes are 4 GiB.
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if bytes.len() > 4 {
                return None;
            }
            (bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)), rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Self(content))
    }

    /// A time to the second, in UTC, as certificates have it.
    fn time(&mut self) -> Option<SystemTime> {
        let (mut text, two_digits) = match self.take(UTC_TIME) {
            Some(text) => (text, true),
            None => (self.take(GENERALIZED_TIME)?, false),
        };
        let year = if two_digits {
            let year = text.number(2)?;
            // Two digits mean 1950 to 2049.
            if year < 50 { 2000 + year } else { 1900 + year }
        } else {
            text.number(4)?
        };
        let [month, day, hour, minute, second] = {
            let mut next = || text.number(2).and_then(|number| i8::try_from(number).ok());
            [next()?, next()?, next()?, next()?, next()?]
        };
        if text.0 != b"Z" {
            return None;
        }
        let time = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        Offset::UTC.to_timestamp(time).ok()?.try_into().ok()
    }

    fn number(&mut self, digits: usize) -> Option<i16> {
        let (digits, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn certificate(from: (i32, u8, u8), to: (i32, u8, u8)) -> Vec<u8> {
        let mut params = rcgen::CertificateParams::new(vec!["host".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
        params.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    fn days(days: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(days * 24 * 60 * 60)
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let validity = Validity::of(&certificate((1970, 1, 2), (2049, 12, 31))).unwrap();
        assert_eq!(validity, Validity { not_before: days(1), not_after: days(29_219) });
        let validity = Validity::of(&certificate((2000, 3, 1), (2050, 1, 1))).unwrap();
        assert_eq!(validity, Validity { not_before: days(11_017), not_after: days(29_220) });
    }

    #[test]
    fn what_is_cut_or_garbled_is_no_certificate() {
        let whole = certificate((1970, 1, 2), (2049, 12, 31));
        for end in 0..whole.len() {
            assert_eq!(Validity::of(&whole[..end]), None);
        }
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut garbled = whole.clone();
                garbled[place] ^= 1 << bit;
                // It may still be one; it must not panic.
                let _ = Validity::of(&garbled);
            }
        }
        assert_eq!(Validity::of(&[0x30, 0x85, 1, 0, 0, 0, 0]), None);
    }
}
