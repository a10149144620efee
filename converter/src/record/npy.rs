//! NumPy's `.npy` format: a magic number, a Python dictionary with type, order and shape, and the elements.

use super::{Array, RecordError, size, take, wrong};
use crate::weights::ElemType;
use std::io::{self, Read, Write};

/// The longest header. NumPy's default is the same.
const LARGEST_HEADER: u64 = 10_000;

/// Reads an array of at most `left` bytes, which must end where `from` ends.
pub(super) fn read(mut from: impl Read, left: u64) -> Result<Array, RecordError> {
    let start = take(&mut from, 8)?;
    let length = match start.as_slice() {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _] => 2,
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _] => 4,
        _ => return Err(wrong("is no .npy file that this version knows")),
    };
    let length = take(&mut from, length)?.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
    if length > LARGEST_HEADER {
        return Err(wrong("its header is too long"));
    }
    let header = String::from_utf8(take(&mut from, length)?).ok();
    let header = header.as_deref().and_then(Header::parse).ok_or_else(|| wrong("its header is not NumPy's"))?;
    let elem = match header.elements {
        "<f2" => ElemType::Float16,
        "<f4" => ElemType::Float,
        "<f8" => ElemType::Double,
        "<i4" => ElemType::Int32,
        "<i8" => ElemType::Int64,
        other => return Err(wrong(format!("elements of type {other} are not read"))),
    };
    if header.fortran_order && header.shape.len() > 1 {
        return Err(wrong("is in Fortran order: save np.ascontiguousarray of it"));
    }
    let bytes = take(&mut from, size(elem, &header.shape, left)?)?;
    match from.read(&mut [0]) {
        Ok(0) => Ok(Array { elem, dims: header.shape, bytes }),
        Ok(_) => Err(wrong("goes on after its last element")),
        Err(e) => Err(wrong(format!("is damaged: {e}"))),
    }
}

/// NumPy's alignment of the elements in bytes.
const ALIGNMENT: usize = 64;

/// Writes an array.
pub(super) fn write(array: &Array, to: &mut impl Write) -> io::Result<()> {
    let elements = match array.elem {
        ElemType::Float16 => "<f2",
        ElemType::Float => "<f4",
        ElemType::Double => "<f8",
        ElemType::Int32 => "<i4",
        ElemType::Int64 => "<i8",
        other => return Err(io::Error::other(format!("elements of type {other:?} are not written"))),
    };
    let shape: String = array.dims.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '{elements}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
    let end = (10 + header.len() + 1).next_multiple_of(ALIGNMENT) - 11;
    header = format!("{header:end$}\n", end = end);
    to.write_all(b"\x93NUMPY\x01\x00")?;
    to.write_all(&u16::try_from(header.len()).map_err(io::Error::other)?.to_le_bytes())?;
    to.write_all(header.as_bytes())?;
    to.write_all(&array.bytes)
}

/// The content of the dictionary.
#[derive(Debug, PartialEq, Eq)]
struct Header<'t> {
    elements: &'t str,
    fortran_order: bool,
    shape: Vec<u64>,
}

impl<'t> Header<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let (mut elements, mut fortran_order, mut shape) = (None, None, None);
        let mut text = Literal(text);
        text.eat("{").then_some(())?;
        while !text.eat("}") {
            let key = text.string()?;
            text.eat(":").then_some(())?;
            match key {
                "descr" => elements = Some(text.string()?),
                "fortran_order" => fortran_order = Some(text.truth()?),
                "shape" => shape = Some(text.tuple()?),
                _ => return None,
            }
            if !text.eat(",") {
                text.eat("}").then_some(())?;
                break;
            }
        }
        text.0.trim().is_empty().then_some(())?;
        Some(Self { elements: elements?, fortran_order: fortran_order?, shape: shape? })
    }
}

/// Text of a Python literal.
struct Literal<'t>(&'t str);

impl<'t> Literal<'t> {
    fn eat(&mut self, token: &str) -> bool {
        match self.0.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn string(&mut self) -> Option<&'t str> {
        let quote = if self.eat("'") { '\'' } else { self.eat("\"").then_some('"')? };
        let (text, rest) = self.0.split_once(quote)?;
        self.0 = rest;
        Some(text)
    }

    fn truth(&mut self) -> Option<bool> {
        if self.eat("True") { Some(true) } else { self.eat("False").then_some(false) }
    }

    fn tuple(&mut self) -> Option<Vec<u64>> {
        self.eat("(").then_some(())?;
        let mut all = Vec::new();
        while !self.eat(")") {
            all.push(self.number()?);
            if !self.eat(",") {
                self.eat(")").then_some(())?;
                break;
            }
        }
        Some(all)
    }

    fn number(&mut self) -> Option<u64> {
        let text = self.0.trim_start();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, rest) = text.split_at(end);
        // Python 2 wrote an L after the number.
        self.0 = rest.strip_prefix('L').unwrap_or(rest);
        digits.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let parse = |text| Header::parse(text).map(|h| (h.elements, h.fortran_order, h.shape));
        let numpy = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }          \n";
        assert_eq!(parse(numpy), Some(("<f4", false, vec![3, 2])));
        let old = "{\"shape\":(5L,),\"fortran_order\":True,\"descr\":\"|O\"}";
        assert_eq!(parse(old), Some(("|O", true, vec![5])));
        assert_eq!(parse("{'descr': '<f4', 'fortran_order': False, 'shape': ()}"), Some(("<f4", false, vec![])));
        for bad in [
            "",
            "{",
            "{}",
            "{'descr': '<f4'}",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': ()} or more",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn types_and_orders() {
        let file = |header: &str| {
            let start = [b"\x93NUMPY\x02\x00".as_slice(), &(header.len() as u32).to_le_bytes()].concat();
            [start.as_slice(), header.as_bytes(), &[0; 8]].concat()
        };
        let says = |header: &str| read(file(header).as_slice(), 100).map_err(|e| e.to_string());
        assert!(says("{'descr': '<i8', 'fortran_order': True, 'shape': (1,)}").is_ok());
        let error = says("{'descr': '>f8', 'fortran_order': False, 'shape': (1,)}").unwrap_err();
        assert!(error.contains(">f8"), "{error}");
        let error = says("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2)}").unwrap_err();
        assert!(error.contains("ascontiguousarray"), "{error}");
        assert!(read(b"\x93NUMPY\x04\x00".as_slice(), 100).is_err());
    }
}
