//! Kinds of files that are not CNTK models.

/// A kind of file that is not a CNTK model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Foreign {
    /// An ONNX model.
    Onnx,
    /// A TensorFlow SavedModel or frozen graph.
    TensorFlow,
    /// A TensorFlow Lite model.
    TfLite,
    /// A Caffe model.
    Caffe,
    /// A file of `torch.save`.
    Torch,
    /// A Keras archive.
    Keras,
    /// An HDF5 file.
    Hdf5,
    /// A safetensors file.
    Safetensors,
    /// A NumPy array or archive of arrays.
    Numpy,
    /// A Python pickle.
    Pickle,
    /// A Git-LFS pointer in place of the file.
    LfsPointer,
    /// A web page in place of the file.
    Html,
    /// A gzip stream.
    Gzip,
    /// A ZIP archive.
    Zip,
    /// Some other archive or compressed file.
    Archive,
    /// Some other text.
    Text,
    /// Some other binary file.
    Unknown,
}

impl Foreign {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Onnx,
        Self::TensorFlow,
        Self::TfLite,
        Self::Caffe,
        Self::Torch,
        Self::Keras,
        Self::Hdf5,
        Self::Safetensors,
        Self::Numpy,
        Self::Pickle,
        Self::LfsPointer,
        Self::Html,
        Self::Gzip,
        Self::Zip,
        Self::Archive,
        Self::Text,
        Self::Unknown,
    ];

    /// The code of the error: `file.` and [`Self::as_str`].
    pub fn code(self) -> &'static str {
        self.facts().0
    }

    /// One word, for programs: `onnx`, `safetensors`, `text`…
    pub fn as_str(self) -> &'static str {
        self.code().trim_start_matches("file.")
    }

    /// The kind in words, with an article: "an ONNX model".
    pub fn describe(self) -> &'static str {
        self.facts().1
    }

    /// What the user can do about it.
    pub fn hint(self) -> &'static str {
        self.facts().2
    }

    fn facts(self) -> (&'static str, &'static str, &'static str) {
        const EXPECTED: &str = "expected a model that CNTK wrote with Function.save or BrainScript";
        match self {
            Self::Onnx => ("file.onnx", "an ONNX model", "it is ONNX already; nothing to convert"),
            Self::TensorFlow => ("file.tensorflow", "a TensorFlow model", "tf2onnx converts TensorFlow models"),
            Self::TfLite => ("file.tflite", "a TensorFlow Lite model", "tf2onnx converts TensorFlow Lite models"),
            Self::Caffe => ("file.caffe", "a Caffe model", EXPECTED),
            Self::Torch => ("file.torch", "a file of PyTorch's torch.save", "torch.onnx exports PyTorch modules"),
            Self::Keras => ("file.keras", "a Keras model", "tf2onnx converts Keras models"),
            Self::Hdf5 => ("file.hdf5", "an HDF5 file, as Keras writes them", "tf2onnx converts Keras models"),
            Self::Safetensors => ("file.safetensors", "a safetensors file", "it holds weights without a network"),
            Self::Numpy => ("file.numpy", "a file of NumPy arrays", EXPECTED),
            Self::Pickle => {
                ("file.pickle", "a Python pickle", "loading a pickle runs code: do not, unless you trust it")
            }
            Self::LfsPointer => (
                "file.lfs-pointer",
                "a Git-LFS pointer, not the model itself",
                "run `git lfs pull` in the repository that holds it",
            ),
            Self::Html => ("file.html", "a web page", "the link gave a web page; download the model itself"),
            Self::Gzip => ("file.gzip", "a gzip file", "unpack it first: `gunzip`"),
            Self::Zip => ("file.zip", "a ZIP archive", "unpack it first: `unzip`"),
            Self::Archive => ("file.archive", "an archive or a compressed file", "unpack it first"),
            Self::Text => ("file.text", "a text file", EXPECTED),
            Self::Unknown => ("file.not-cntk", "some other binary file", EXPECTED),
        }
    }
}
