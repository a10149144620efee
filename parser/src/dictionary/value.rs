//! One `DictionaryValue`.

use super::{Dictionary, ValueKind, Vector, array, leaves};
use crate::error::{Error, ErrorKind};
use crate::model::{Array, Axis, Shape};
use crate::wire::{Field, Payload, Reader};

/// A value, decoded one level deep.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names are CNTK's")]
pub enum Value<'a> {
    None,
    Bool(bool),
    Int(i32),
    SizeT(u64),
    Float(f32),
    Double(f64),
    Str(&'a str),
    Shape(Shape),
    Axis(Axis<'a>),
    Vector(Vector<'a>),
    Dictionary(Dictionary<'a>),
    Array(Box<Array<'a>>),
}

impl<'a> Value<'a> {
    /// Its type.
    pub fn kind(&self) -> ValueKind {
        match self {
            Self::None => ValueKind::None,
            Self::Bool(_) => ValueKind::Bool,
            Self::Int(_) => ValueKind::Int,
            Self::SizeT(_) => ValueKind::SizeT,
            Self::Float(_) => ValueKind::Float,
            Self::Double(_) => ValueKind::Double,
            Self::Str(_) => ValueKind::String,
            Self::Shape(_) => ValueKind::NDShape,
            Self::Axis(_) => ValueKind::Axis,
            Self::Vector(_) => ValueKind::Vector,
            Self::Dictionary(_) => ValueKind::Dictionary,
            Self::Array(_) => ValueKind::NDArrayView,
        }
    }

    /// The name of its type.
    pub fn type_name(&self) -> &'static str {
        self.kind().name()
    }

    /// Reads one `DictionaryValue`. The contents of a list or dictionary are decoded later.
    ///
    /// When several members are set the last one counts, as in protobuf. A member set twice is an error, and so is a
    /// message that another member replaces, because nothing would ever look inside it.
    pub(crate) fn decode(reader: Reader<'a>) -> Result<Self, Error> {
        match usual(reader) {
            Some((kind, field)) => Self::member(kind, &field),
            None => Self::decode_any(reader),
        }
    }

    fn decode_any(reader: Reader<'a>) -> Result<Self, Error> {
        let at = reader.at();
        let mut reader = reader;
        let mut seen = 0_u32;
        let mut declared = 0_u64;
        let mut declared_at = at;
        let mut member: Option<(ValueKind, Field<'a>)> = None;
        while let Some(field) = reader.field()? {
            let kind = match field.number {
                1 => {
                    field.varint("version")?;
                    None
                }
                2 => {
                    declared = field.varint("value_type")?;
                    declared_at = field.at;
                    None
                }
                3..=13 => ValueKind::from_member(field.number),
                _ => continue,
            };
            let bit = 1_u32.checked_shl(field.number).unwrap_or(0);
            if seen & bit != 0 {
                return Err(field.repeated(
                    kind.map_or(if field.number == 1 { "version" } else { "value_type" }, ValueKind::field_name),
                ));
            }
            seen |= bit;
            if let Some(kind) = kind
                && let Some((replaced, old)) = member.replace((kind, field))
            {
                if replaced as u8 >= ValueKind::NDShape as u8 {
                    return Err(old.repeated("value"));
                }
                Self::member(replaced, &old)?;
            }
        }
        let Some(declared) = ValueKind::from_code(declared) else {
            return Err(Error::new(ErrorKind::UnknownValueType(declared), declared_at));
        };
        match member {
            None if declared == ValueKind::None => Ok(Self::None),
            None => Err(Error::new(ErrorKind::MissingMember { declared: declared.name() }, at)),
            Some((kind, field)) if kind != declared => {
                Err(Error::new(ErrorKind::MemberMismatch { declared: declared.name(), found: kind.name() }, field.at))
            }
            Some((kind, field)) => Self::member(kind, &field),
        }
    }

    fn member(kind: ValueKind, field: &Field<'a>) -> Result<Self, Error> {
        let name = kind.field_name();
        Ok(match kind {
            ValueKind::None => Self::None,
            ValueKind::Bool => Self::Bool(field.varint(name)? != 0),
            ValueKind::Int => Self::Int(field.int32(name)?),
            ValueKind::SizeT => Self::SizeT(field.varint(name)?),
            ValueKind::Float => Self::Float(f32::from_bits(field.fixed32(name)?)),
            ValueKind::Double => Self::Double(f64::from_bits(field.fixed64(name)?)),
            ValueKind::String => Self::Str(field.string(name)?),
            ValueKind::NDShape => Self::Shape(leaves::shape(field.message(name)?)?),
            ValueKind::Axis => Self::Axis(leaves::axis(field.message(name)?)?),
            ValueKind::Vector => Self::Vector(Vector::new(field.message(name)?)),
            ValueKind::Dictionary => Self::Dictionary(Dictionary::new(field.message(name)?)),
            ValueKind::NDArrayView => Self::Array(Box::new(array::decode(field.message(name)?)?)),
        })
    }
}

/// Fast path for a value as CNTK writes it: version, type, and the one member of that type. `None` for anything else,
/// valid or not, which the general decoder reads.
#[inline]
fn usual(reader: Reader<'_>) -> Option<(ValueKind, Field<'_>)> {
    let [0x08, 0..0x80, 0x10, declared @ 0..0x80, rest @ ..] = reader.bytes() else { return None };
    let number = declared.saturating_add(2);
    let kind = ValueKind::from_member(number.into())?;
    let at = reader.at().saturating_add(4);
    let mut rest = Reader::new(rest, at);
    if let Some(message) = rest.sole_message(number) {
        return Some((kind, Field { number: number.into(), at, payload: Payload::Bytes(message) }));
    }
    let field = rest.field().ok()??;
    (rest.is_empty() && ValueKind::from_member(field.number) == Some(kind)).then_some((kind, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(bytes: &[u8]) -> String {
        let reader = Reader::new(bytes, 100);
        let long = format!("{:?}", Value::decode_any(reader));
        assert_eq!(format!("{:?}", Value::decode(reader)), long);
        long
    }

    #[test]
    fn the_short_way_ends_where_the_long_one_does() {
        let usual: &[&[u8]] = &[
            &[8, 2, 16, 1, 0x18, 1],
            &[8, 2, 16, 3, 0x28, 7],
            &[8, 2, 16, 6, 0x42, 1, b'x'],
            &[8, 2, 16, 7, 0x4a, 3, 0x0a, 1, 5],
            &[8, 2, 16, 9, 0x5a, 0],
        ];
        for bytes in usual {
            assert!(super::usual(Reader::new(bytes, 0)).is_some(), "{bytes:?}");
            assert!(both(bytes).starts_with("Ok"), "{bytes:?}");
        }
        let unusual: &[&[u8]] = &[
            &[],
            &[16, 1, 0x18, 1],
            &[0x18, 1, 8, 2, 16, 1],
            &[8, 2, 16, 1, 0x18, 1, 0x18, 0],
            &[8, 2, 16, 1, 0x28, 1],
            &[8, 2, 16, 0],
            &[8, 2, 16, 0, 0x12, 0],
            &[8, 2, 16, 12, 0x18, 1],
            &[8, 2, 16, 6, 0x42, 9, b'x'],
            &[8, 0x82, 0, 16, 1, 0x18, 1],
            &[8, 2, 16, 1, 0x18, 1, 0x78, 5],
        ];
        for bytes in unusual {
            assert!(super::usual(Reader::new(bytes, 0)).is_none(), "{bytes:?}");
            both(bytes);
        }
        // Usual outside, wrong within: the same error at the same place.
        assert!(both(&[8, 2, 16, 6, 0x42, 1, 0xff]).contains("0x6a"));
    }
}
