//! Writes tensors one after another behind a header, for formats without ONNX's messages.

use super::{Data, ElemType, Output, Progress, Sink, WriteError};

/// A tensor of such a file.
pub struct Plain<'t> {
    /// The tensor's name, for error messages.
    pub name: &'t str,
    /// Element type.
    pub elem: ElemType,
    /// The number of bytes that the file's header states.
    pub length: u64,
    /// The bytes.
    pub data: &'t Data,
}

/// Writes `header`, then the tensors. `source` is the CNTK file that [`Data`] refers to.
///
/// # Errors
///
/// Errors of the sink or the source, and tensors whose data do not match their length.
pub fn write_plain<'s, 't>(
    header: &[u8],
    tensors: impl Iterator<Item = Plain<'t>>,
    source: &[u8],
    sink: &'s mut dyn Sink,
    progress: &'s mut Progress<'s>,
) -> Result<(), WriteError> {
    let mut out = Output::new(sink, progress);
    let mut chunk = Vec::new();
    out.write(header)?;
    for tensor in tensors {
        let wrong = |what| WriteError::Inconsistent { tensor: tensor.name.to_owned(), what };
        if tensor.data.length(tensor.elem, source).map_err(wrong)? != tensor.length {
            return Err(wrong("its shape and its bytes disagree"));
        }
        tensor.data.write(tensor.elem, source, &mut chunk, &mut out)?;
    }
    out.drain()
}
