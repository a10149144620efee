//! Element types: their sizes, and numbers in their encodings.

/// The element types of written tensors. Their numbers are those of ONNX's `TensorProto.DataType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[allow(missing_docs, reason = "the names are ONNX's")]
pub enum ElemType {
    Float = 1,
    Int8 = 3,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    Bool = 9,
    Float16 = 10,
    Double = 11,
}

impl ElemType {
    /// Bytes per element.
    pub fn size(self) -> usize {
        match self {
            Self::Int8 | Self::Bool => 1,
            Self::Int16 | Self::Float16 => 2,
            Self::Float | Self::Int32 => 4,
            Self::Int64 | Self::Double => 8,
        }
    }

    /// The nearest value of this type.
    #[expect(clippy::cast_possible_truncation, reason = "rounding is the point")]
    pub(crate) fn round(self, v: f64) -> f64 {
        match self {
            Self::Float => f64::from(v as f32),
            Self::Float16 => half::f16::from_f64(v).to_f64(),
            _ => v,
        }
    }

    /// Decodes little-endian elements of this type. An int64 beyond 2^53 loses digits.
    pub(crate) fn decode(self, bytes: &[u8]) -> Vec<f64> {
        fn each<const N: usize>(bytes: &[u8], one: impl Fn([u8; N]) -> f64) -> Vec<f64> {
            bytes.as_chunks().0.iter().map(|b| one(*b)).collect()
        }
        match self {
            Self::Float => each(bytes, |b| f32::from_le_bytes(b).into()),
            Self::Double => each(bytes, f64::from_le_bytes),
            Self::Float16 => each(bytes, |b| half::f16::from_le_bytes(b).to_f64()),
            Self::Int64 => each(bytes, |b| i64::from_le_bytes(b) as f64),
            Self::Int32 => each(bytes, |b| i32::from_le_bytes(b).into()),
            Self::Int16 => each(bytes, |b| i16::from_le_bytes(b).into()),
            Self::Int8 => each(bytes, |b| i8::from_le_bytes(b).into()),
            Self::Bool => each(bytes, |[b]| f64::from(u8::from(b != 0))),
        }
    }

    /// Is it a floating-point type?
    pub fn is_float(self) -> bool {
        matches!(self, Self::Float | Self::Double | Self::Float16)
    }

    /// Appends `v` in this type, in little-endian order.
    #[expect(clippy::cast_possible_truncation, reason = "the callers' values fit the type")]
    pub(crate) fn encode(self, v: f64, out: &mut Vec<u8>) {
        match self {
            Self::Float => out.extend((v as f32).to_le_bytes()),
            Self::Double => out.extend(v.to_le_bytes()),
            Self::Float16 => out.extend(half::f16::from_f64(v).to_le_bytes()),
            Self::Int64 => out.extend((v as i64).to_le_bytes()),
            Self::Int32 => out.extend((v as i32).to_le_bytes()),
            Self::Int16 => out.extend((v as i16).to_le_bytes()),
            Self::Int8 => out.extend((v as i8).to_le_bytes()),
            Self::Bool => out.push(u8::from(v != 0.0)),
        }
    }
}
