//! The bytes of a file, and an arena for texts and tensors that a model needs in another form than the file has.

use elsa::sync::FrozenVec;
use std::fmt;

/// A model file in memory: what [`crate::parse`] reads and its model borrows from.
///
/// A model borrows its texts and tensors from the file where the file holds them in the form that the model needs.
/// Others (UTF-16 text, tensors that an old format stores differently) are converted once and kept here, so that they
/// live as long as the file.
///
/// ```
/// use cntk_parser::{Limits, ModelFile, parse};
///
/// let file = ModelFile::new(b"no model");
/// assert_eq!(parse(&file, &Limits::default()).unwrap_err().code(), "file.text");
/// ```
pub struct ModelFile<'i> {
    bytes: &'i [u8],
    texts: FrozenVec<String>,
    tensors: FrozenVec<Vec<u8>>,
}

impl<'i> ModelFile<'i> {
    /// A file with these bytes. Allocates nothing yet.
    pub fn new(bytes: &'i [u8]) -> Self {
        Self { bytes, texts: FrozenVec::new(), tensors: FrozenVec::new() }
    }

    /// The bytes.
    pub fn bytes(&self) -> &'i [u8] {
        self.bytes
    }

    /// Keeps a text as long as the file.
    pub(crate) fn keep_text(&self, text: String) -> &str {
        self.texts.push_get(text)
    }

    /// Keeps bytes as long as the file.
    pub(crate) fn keep_bytes(&self, bytes: Vec<u8>) -> &[u8] {
        self.tensors.push_get(bytes)
    }
}

impl fmt::Debug for ModelFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, texts, tensors) = (self.bytes.len(), self.texts.len(), self.tensors.len());
        write!(f, "ModelFile({bytes} bytes, {texts} texts and {tensors} tensors made)")
    }
}
