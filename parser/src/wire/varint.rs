//! Varints, as nom parsers.

use nom::error::{ErrorKind as NomKind, ParseError};
use nom::{Err, IResult};

/// Why bytes could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Too few bytes.
    End,
    /// More than 10 bytes.
    TooLong,
    /// More than 64 bits.
    Overflow,
}

impl ParseError<&[u8]> for Fault {
    fn from_error_kind(_: &[u8], _: NomKind) -> Self {
        Self::End
    }

    fn append(_: &[u8], _: NomKind, other: Self) -> Self {
        other
    }
}

/// The length of the longest varint in bytes.
const LONGEST: usize = 10;

/// Reads a varint of up to 64 bits; its encoding need not be the shortest.
#[inline]
pub(crate) fn varint(input: &[u8]) -> IResult<&[u8], u64, Fault> {
    match input {
        [first, rest @ ..] if *first < 0x80 => Ok((rest, u64::from(*first))),
        _ => long_varint(input),
    }
}

fn long_varint(input: &[u8]) -> IResult<&[u8], u64, Fault> {
    let mut value = 0_u64;
    let mut rest = input;
    for index in 0..LONGEST {
        let [byte, after @ ..] = rest else { return Err(Err::Error(Fault::End)) };
        rest = after;
        let bits = u64::from(byte & 0x7f);
        if index == LONGEST.saturating_sub(1) && *byte < 0x80 && bits > 1 {
            return Err(Err::Error(Fault::Overflow));
        }
        let shift = u32::try_from(index).unwrap_or(0).saturating_mul(7);
        value |= bits.checked_shl(shift).unwrap_or(0);
        if *byte < 0x80 {
            return Ok((rest, value));
        }
    }
    Err(Err::Error(Fault::TooLong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges() {
        assert_eq!(varint(&[0x05, 9]), Ok((&[9][..], 5)));
        assert_eq!(varint(&[0x85, 0x80, 0x00]), Ok((&[][..], 5)), "not minimal");
        let max = [255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        assert_eq!(varint(&max), Ok((&[][..], u64::MAX)));
        assert_eq!(varint(&max[..9]), Err(Err::Error(Fault::End)));
        assert_eq!(varint(&[255, 255, 255, 255, 255, 255, 255, 255, 255, 2]), Err(Err::Error(Fault::Overflow)));
        assert_eq!(varint(&[0x80; 11]), Err(Err::Error(Fault::TooLong)));
        assert_eq!(varint(&[]), Err(Err::Error(Fault::End)));
    }
}
