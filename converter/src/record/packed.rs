//! The `.safetensors` format.

use super::{Array, RecordError, size, wrong};
use crate::weights::ElemType;
use safetensors::{Dtype, SafeTensors};

/// The largest header in bytes.
const LARGEST_HEADER: u64 = 1 << 20;

pub(super) struct Packed<'r>(SafeTensors<'r>);

impl<'r> Packed<'r> {
    /// Does a file begin like this format, with a length and JSON?
    pub(super) fn is(bytes: &[u8]) -> bool {
        bytes.get(8) == Some(&b'{')
    }

    pub(super) fn open(bytes: &'r [u8]) -> Result<Self, RecordError> {
        let header = bytes.first_chunk().map_or(u64::MAX, |n| u64::from_le_bytes(*n));
        if header > LARGEST_HEADER {
            return Err(wrong(format!("its header is larger than {} kiB", LARGEST_HEADER >> 10)));
        }
        SafeTensors::deserialize(bytes).map(Self).map_err(|e| wrong(format!("is no sound .safetensors file: {e}")))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.names().into_iter()
    }

    pub(super) fn read(&self, name: &str, left: u64) -> Result<Array, RecordError> {
        let tensor = self.0.tensor(name).map_err(|e| wrong(e.to_string()))?;
        let elem = match tensor.dtype() {
            Dtype::F16 => ElemType::Float16,
            Dtype::F32 => ElemType::Float,
            Dtype::F64 => ElemType::Double,
            Dtype::I32 => ElemType::Int32,
            Dtype::I64 => ElemType::Int64,
            other => return Err(wrong(format!("elements of type {other:?} are not read"))),
        };
        let dims: Vec<u64> = tensor.shape().iter().map(|d| *d as u64).collect();
        size(elem, &dims, left)?;
        Ok(Array { elem, dims, bytes: tensor.data().to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
    }

    #[test]
    fn reads_an_array() {
        let bytes = file(r#"{"x":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}"#, &[0, 0, 128, 63]);
        assert!(Packed::is(&bytes));
        let array = Packed::open(&bytes).unwrap().read("x", 4).unwrap();
        assert_eq!(array, Array { elem: ElemType::Float, dims: vec![1, 1], bytes: vec![0, 0, 128, 63] });
        assert!(Packed::open(&bytes).unwrap().read("x", 3).is_err());
    }

    #[test]
    fn what_is_unsound_is_refused() {
        let header = r#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        for bytes in [file(header, &[0; 7]), file(header, &[0; 9]), file("{", &[]), file("{}", &[])[..9].to_vec()] {
            assert!(Packed::open(&bytes).is_err());
        }
        let mut far = file(header, &[0; 8]);
        far[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(Packed::open(&far).err().unwrap().to_string().contains("header"));
    }
}
