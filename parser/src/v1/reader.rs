//! The primitives of the format: little-endian numbers, texts in UTF-16, markers, shapes.

use crate::error::{Error, ErrorKind};
use crate::file::ModelFile;
use crate::model::Shape;

/// A cursor over the file.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    file: &'a ModelFile<'a>,
    rest: &'a [u8],
    /// Offset of the first Boolean that is neither 0 nor 1, since the method `odd_flag` was last called.
    odd_flag: Option<u64>,
}

/// The most axes of a shape; more are refused.
const MOST_AXES: u32 = 256;

macro_rules! numbers {
    ($($name:ident: $type:ty;)*) => {$(
        pub(super) fn $name(&mut self) -> Result<$type, Error> {
            self.array().map(<$type>::from_le_bytes)
        }
    )*};
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a ModelFile<'a>) -> Self {
        Self { file, rest: file.bytes(), odd_flag: None }
    }

    /// Offset of the next byte.
    pub(super) fn at(&self) -> u64 {
        (self.file.bytes().len() as u64).saturating_sub(self.left())
    }

    /// The number of bytes left.
    pub(super) fn left(&self) -> u64 {
        self.rest.len() as u64
    }

    /// The file.
    pub(super) fn file(&self) -> &'a ModelFile<'a> {
        self.file
    }

    /// The next `count` bytes.
    pub(super) fn bytes(&mut self, count: u64) -> Result<&'a [u8], Error> {
        let found = usize::try_from(count).ok().and_then(|n| self.rest.split_at_checked(n));
        let (bytes, rest) = found.ok_or_else(|| self.short(count))?;
        self.rest = rest;
        Ok(bytes)
    }

    #[cold]
    fn short(&self, needed: u64) -> Error {
        let end = self.file.bytes().len() as u64;
        Error::new(ErrorKind::Truncated { needed, left: self.left(), end }, self.at())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(|| self.short(N as u64))?;
        self.rest = rest;
        Ok(*bytes)
    }

    numbers! {
        u8: u8;
        u32: u32;
        i32: i32;
        u64: u64;
        i64: i64;
        f32: f32;
        f64: f64;
    }

    /// A Boolean: one byte.
    pub(super) fn flag(&mut self) -> Result<bool, Error> {
        let at = self.at();
        let byte = self.u8()?;
        if byte > 1 {
            self.odd_flag.get_or_insert(at);
        }
        Ok(byte != 0)
    }

    /// Offset of the first Boolean since the last call that is neither 0 nor 1.
    pub(super) fn odd_flag(&mut self) -> Option<u64> {
        self.odd_flag.take()
    }

    /// The UTF-16 units of a text, without the terminator.
    pub(super) fn units(&mut self) -> Result<&'a [[u8; 2]], Error> {
        let (units, _) = self.rest.as_chunks::<2>();
        let Some(length) = units.iter().position(|unit| *unit == [0, 0]) else {
            return Err(Error::new(ErrorKind::OpenText, self.at()));
        };
        let (text, _) = units.split_at(length);
        self.rest = self.rest.get(length.saturating_add(1).saturating_mul(2)..).unwrap_or(&[]);
        Ok(text)
    }

    /// A text, appended to `out`.
    pub(super) fn text_into(&mut self, out: &mut String) -> Result<(), Error> {
        let at = self.at();
        let units = self.units()?;
        out.reserve(units.len());
        for unit in char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))) {
            out.push(unit.map_err(|_| Error::new(ErrorKind::NotUtf16, at))?);
        }
        Ok(())
    }

    /// A text.
    pub(super) fn text(&mut self) -> Result<String, Error> {
        let mut out = String::new();
        self.text_into(&mut out)?;
        Ok(out)
    }

    /// Reads a marker if it comes next, and says whether it did.
    pub(super) fn next_is(&mut self, marker: &str) -> bool {
        let mut after = self.clone();
        let found = after.units().is_ok_and(|units| is_ascii(units, marker));
        if found {
            *self = after;
        }
        found
    }

    /// Reads a marker that must come next.
    pub(super) fn marker(&mut self, expected: &'static str) -> Result<(), Error> {
        if self.next_is(expected) {
            return Ok(());
        }
        let length = (expected.len() as u64).saturating_add(1).saturating_mul(2);
        match self.clone().units() {
            Ok(units) => Err(Error::new(ErrorKind::Marker { expected, found: shown(units) }, self.at())),
            Err(_) if self.left() < length => Err(self.short(length)),
            Err(open) => Err(open),
        }
    }

    /// A count of things of at least `smallest` bytes each, which must fit in the bytes left.
    pub(super) fn count(&mut self, what: &'static str, smallest: u64) -> Result<u64, Error> {
        let at = self.at();
        let count = self.u64()?;
        if count > self.left().checked_div(smallest).unwrap_or(0) {
            return Err(Error::new(ErrorKind::Count { what, count, left: self.left() }, at));
        }
        Ok(count)
    }

    /// A list of Booleans.
    pub(super) fn flags(&mut self) -> Result<Vec<bool>, Error> {
        let count = self.count("Booleans", 1)?;
        (0..count).map(|_| self.flag()).collect()
    }

    /// A list of sizes.
    pub(super) fn sizes(&mut self) -> Result<Vec<u64>, Error> {
        let count = self.count("sizes", 8)?;
        (0..count).map(|_| self.u64()).collect()
    }

    /// A shape, column-major.
    pub(super) fn shape(&mut self) -> Result<Shape, Error> {
        let at = self.at();
        let rank = self.u32()?;
        self.dims(rank, at)
    }

    /// A shape, or the three sizes that old files have instead.
    pub(super) fn legacy_shape(&mut self) -> Result<Shape, Error> {
        let at = self.at();
        let rank = self.u32()?;
        if rank > 0 && self.rest.starts_with(&[0; 4]) {
            self.u32()?;
            let (last, first) = (self.u64()?, self.u64()?);
            return Ok(Shape::from([first, rank.into(), last]));
        }
        self.dims(rank, at)
    }

    fn dims(&mut self, rank: u32, at: u64) -> Result<Shape, Error> {
        if rank > MOST_AXES {
            return Err(Error::new(ErrorKind::Rank { rank: rank.into(), limit: MOST_AXES.into() }, at));
        }
        (0..rank).map(|_| self.u32().map(u64::from)).collect::<Result<_, _>>().map(Shape)
    }
}

/// Do these units spell this ASCII text?
fn is_ascii(units: &[[u8; 2]], text: &str) -> bool {
    units.len() == text.len() && units.iter().zip(text.bytes()).all(|(unit, byte)| *unit == [byte, 0])
}

/// The beginning of an unexpected text, for an error message.
fn shown(units: &[[u8; 2]]) -> String {
    const SHOWN: usize = 24;
    char::decode_utf16(units.iter().take(SHOWN).map(|unit| u16::from_le_bytes(*unit)))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}
