//! A reader of the fields of a message.

use super::{Fault, varint};
use crate::error::{Error, ErrorKind};
use nom::bytes::complete::take;
use nom::number::complete::{le_u32, le_u64};

/// The unread rest of one message. The reader of a nested message cannot read past the outer one.
///
/// Only the offset of the end is kept; that of the next byte follows from the number of bytes left.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    end: u64,
}

/// The content of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payload<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(Reader<'a>),
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    /// Offset of its tag.
    pub(crate) at: u64,
    pub(crate) payload: Payload<'a>,
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`, whose first byte is at offset `at` of the file.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8], at: u64) -> Self {
        Self { rest: bytes, end: at.saturating_add(bytes.len() as u64) }
    }

    /// Offset of the next byte.
    #[inline]
    pub(crate) fn at(&self) -> u64 {
        self.end.saturating_sub(self.rest.len() as u64)
    }

    /// Offset one past the last byte.
    #[inline]
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// The bytes not yet read.
    #[inline]
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field, `None` at the end. Inlined because it is the inner loop of all reading.
    #[inline]
    pub(crate) fn field(&mut self) -> Result<Option<Field<'a>>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let at = self.at();
        let tag = self.varint()?;
        let Ok(tag) = u32::try_from(tag) else { return Err(Error::new(ErrorKind::FieldNumberTooLarge, at)) };
        let number = tag >> 3;
        if number == 0 {
            return Err(Error::new(ErrorKind::FieldNumberZero, at));
        }
        let payload = match tag & 7 {
            0 => Payload::Varint(self.varint()?),
            1 => {
                let (rest, value) = le_u64(self.rest).map_err(|e| self.fault(e, 8))?;
                self.rest = rest;
                Payload::Fixed64(value)
            }
            2 => Payload::Bytes(self.window(at)?),
            3 | 4 => return Err(Error::new(ErrorKind::Group, at)),
            5 => {
                let (rest, value) = le_u32(self.rest).map_err(|e| self.fault(e, 4))?;
                self.rest = rest;
                Payload::Fixed32(value)
            }
            wire_type => {
                let wire_type = u8::try_from(wire_type).unwrap_or(u8::MAX);
                return Err(Error::new(ErrorKind::UnknownWireType(wire_type), at));
            }
        };
        Ok(Some(Field { number, at, payload }))
    }

    /// Fast path for a message that is the only field left, as in nearly all files: a reader of it if its number is
    /// `number` and its encoding is the usual one. After `None`, [`field`](Self::field) tells what is there.
    #[inline]
    pub(crate) fn sole_message(&self, number: u8) -> Option<Self> {
        let [tag, rest @ ..] = self.rest else { return None };
        if *tag != number << 3 | 2 {
            return None;
        }
        let (rest, length) = match rest {
            [length @ 0..0x80, rest @ ..] => (rest, u64::from(*length)),
            _ => varint(rest).ok()?,
        };
        (length == rest.len() as u64).then_some(Self { rest, end: self.end })
    }

    /// The next varint of a packed field.
    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, Error> {
        let (rest, value) = varint(self.rest).map_err(|e| self.fault(e, 1))?;
        self.rest = rest;
        Ok(value)
    }

    /// Reads a length and as many bytes. They belong to the field whose tag is at `at`.
    #[inline]
    fn window(&mut self, at: u64) -> Result<Self, Error> {
        let length = self.varint()?;
        let left = self.rest.len() as u64;
        let Ok(count) = usize::try_from(length) else { return Err(self.past_end(at, length, left)) };
        let (rest, bytes) = take::<_, _, Fault>(count)(self.rest).map_err(|_| self.past_end(at, length, left))?;
        self.rest = rest;
        Ok(Self { rest: bytes, end: self.at() })
    }

    #[cold]
    fn past_end(&self, at: u64, needed: u64, left: u64) -> Error {
        Error::new(ErrorKind::PastEnd { needed, left, end: self.end }, at)
    }

    #[cold]
    fn fault(&self, fault: nom::Err<Fault>, needed: u64) -> Error {
        match fault {
            nom::Err::Error(Fault::TooLong) | nom::Err::Failure(Fault::TooLong) => {
                Error::new(ErrorKind::VarintTooLong, self.at())
            }
            nom::Err::Error(Fault::Overflow) | nom::Err::Failure(Fault::Overflow) => {
                Error::new(ErrorKind::VarintOverflow, self.at())
            }
            _ => {
                let left = self.rest.len() as u64;
                self.past_end(self.at(), needed.max(left.saturating_add(1)), left)
            }
        }
    }
}

impl<'a> Field<'a> {
    /// The value of a field that must be a varint.
    #[inline]
    pub(crate) fn varint(&self, name: &'static str) -> Result<u64, Error> {
        match self.payload {
            Payload::Varint(value) => Ok(value),
            _ => Err(self.wrong(name)),
        }
    }

    /// The value of a field that must be a 32-bit number; a negative one is sign-extended to 64 bits.
    pub(crate) fn int32(&self, name: &'static str) -> Result<i32, Error> {
        let value = self.varint(name)?;
        i32::try_from(value.cast_signed())
            .ok()
            .or_else(|| u32::try_from(value).ok().map(u32::cast_signed))
            .ok_or_else(|| Error::new(ErrorKind::NotInt32 { field: name }, self.at))
    }

    #[inline]
    pub(crate) fn fixed32(&self, name: &'static str) -> Result<u32, Error> {
        match self.payload {
            Payload::Fixed32(value) => Ok(value),
            _ => Err(self.wrong(name)),
        }
    }

    #[inline]
    pub(crate) fn fixed64(&self, name: &'static str) -> Result<u64, Error> {
        match self.payload {
            Payload::Fixed64(value) => Ok(value),
            _ => Err(self.wrong(name)),
        }
    }

    /// A reader of a field that must be a message or bytes.
    #[inline]
    pub(crate) fn message(&self, name: &'static str) -> Result<Reader<'a>, Error> {
        match self.payload {
            Payload::Bytes(reader) => Ok(reader),
            _ => Err(self.wrong(name)),
        }
    }

    /// The value of a field that must be a string.
    #[inline]
    pub(crate) fn string(&self, name: &'static str) -> Result<&'a str, Error> {
        let reader = self.message(name)?;
        std::str::from_utf8(reader.bytes()).map_err(|e| {
            let at = reader.at().saturating_add(e.valid_up_to() as u64);
            Error::new(ErrorKind::NotUtf8 { field: name }, at)
        })
    }

    #[cold]
    pub(crate) fn wrong(&self, name: &'static str) -> Error {
        let found = match self.payload {
            Payload::Varint(_) => "varint",
            Payload::Fixed64(_) => "fixed64",
            Payload::Fixed32(_) => "fixed32",
            Payload::Bytes(_) => "length-delimited field",
        };
        Error::new(ErrorKind::WrongWireType { field: name, found }, self.at)
    }

    /// Stores the value of a singular field in `slot`, which must be empty.
    #[inline]
    pub(crate) fn once<T>(&self, slot: &mut Option<T>, value: T, name: &'static str) -> Result<(), Error> {
        match slot.replace(value) {
            None => Ok(()),
            Some(_) => Err(self.repeated(name)),
        }
    }

    /// The error for a singular field that occurs twice.
    #[cold]
    pub(crate) fn repeated(&self, name: &'static str) -> Error {
        Error::new(ErrorKind::RepeatedField { field: name }, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_end_inside_their_parent_and_know_where_they_stand() {
        let mut outer = Reader::new(&[0x12, 0x03, 0x0a, 0x01, 0x78, 0x08, 0x01], 100);
        let field = outer.field().unwrap().unwrap();
        assert_eq!((field.number, field.at), (2, 100));
        let mut inner = field.message("data").unwrap();
        assert_eq!((inner.at(), inner.end()), (102, 105));
        assert_eq!(inner.field().unwrap().unwrap().string("key").unwrap(), "x");
        assert!(inner.field().unwrap().is_none());
        assert_eq!(outer.at(), 105);

        let mut cut = Reader::new(&[0x12, 0x09, 0x0a], 0);
        let error = cut.field().unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::PastEnd { needed: 9, left: 1, end: 3 });
    }

    #[test]
    fn a_sole_message_is_a_field_that_ends_where_its_parent_does() {
        let sole = |bytes, number| Reader::new(bytes, 50).sole_message(number).map(|r| (r.at(), r.end()));
        assert_eq!(sole(&[0x12, 1, 7], 2), Some((52, 53)));
        assert_eq!(sole(&[0x12, 0x81, 0, 7], 2), Some((53, 54)));
        assert_eq!(sole(&[0x12, 0], 2), Some((52, 52)));
        for bytes in [&[0x12, 1, 7, 7][..], &[0x12, 2, 7], &[0x10, 1, 7], &[0x12], &[], &[0x12, 0x81]] {
            assert_eq!(sole(bytes, 2), None, "{bytes:?}");
        }
    }

    #[test]
    fn numbers_of_32_bits() {
        let minus_one = [0x20, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        assert_eq!(Reader::new(&minus_one, 0).field().unwrap().unwrap().int32("int_value"), Ok(-1));
        let short = [0x20, 255, 255, 255, 255, 15];
        assert_eq!(Reader::new(&short, 0).field().unwrap().unwrap().int32("int_value"), Ok(-1));
        let wide = [0x20, 255, 255, 255, 255, 31];
        assert!(Reader::new(&wide, 0).field().unwrap().unwrap().int32("int_value").is_err());
    }
}
