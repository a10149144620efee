//! Conversions to bytes and files.

use crate::{
    model::Model,
    raise::{self, Reason},
};
use cntk2onnx::{
    IoSink, Options, Outputs, Refusal, Weights, WriteError, convert,
    pytorch::{PyTorchOptions, convert_pytorch, convert_safetensors, safetensors},
};
use cntk2onnx_cli::files::{Exists, Output};
use pyo3::{
    exceptions::{PyFileExistsError, PyOSError, PyValueError},
    prelude::*,
    types::PyBytes,
};
use std::{
    fs,
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How often signals are checked and `progress` is called.
pub const OFTEN: Duration = Duration::from_millis(100);

/// Why a native step ended early.
pub enum Failure {
    Refused(Refusal),
    Write(WriteError),
    Io(io::Error),
    /// The exception that a callback or a signal handler raised.
    Python(PyErr),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Failure {
    fn raised(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Python(error) => error,
            Self::Refused(refusal) => raise::unsupported(py, refusal.reasons.iter().map(Reason::from).collect()),
            Self::Write(error @ (WriteError::TooLarge { .. } | WriteError::Inconsistent { .. })) => {
                raise::unsupported(py, vec![Reason::text(error.to_string())])
            }
            Self::Write(error) => PyOSError::new_err(error.to_string()),
            Self::Io(error) => error.into(),
        }
    }
}

/// Reports progress to Python, and stops the conversion if Python asks for it.
struct Watch<'p> {
    progress: Option<&'p Py<PyAny>>,
    last: Instant,
    raised: Option<PyErr>,
}

impl<'p> Watch<'p> {
    fn new(progress: Option<&'p Py<PyAny>>) -> Self {
        Self { progress, last: Instant::now(), raised: None }
    }

    fn update(&mut self, done: u64) -> ControlFlow<()> {
        if self.last.elapsed() < OFTEN {
            return ControlFlow::Continue(());
        }
        self.last = Instant::now();
        let asked = Python::attach(|py| {
            py.check_signals()?;
            self.progress.map_or(Ok(()), |p| p.call1(py, (done,)).map(drop))
        });
        match asked {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.raised = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    /// The error to raise for one of the writer.
    fn failure(self, error: WriteError) -> Failure {
        self.raised.map_or(Failure::Write(error), Failure::Python)
    }
}

/// What `outputs` means: `inference`, `all`, or names.
pub fn wanted(outputs: Vec<String>) -> Outputs {
    match &*outputs {
        [one] if one == "inference" => Outputs::Inference,
        [one] if one == "all" => Outputs::All,
        _ => Outputs::Named(outputs),
    }
}

/// The options of a conversion, a dictionary in Python.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Asked {
    outputs: Vec<String>,
    ids: Vec<String>,
    rename_inputs: Vec<(String, String)>,
    rename_outputs: Vec<(String, String)>,
    #[pyo3(default = Options::default().opset)]
    opset: i64,
    #[pyo3(default)]
    batch: Option<u64>,
    #[pyo3(default)]
    equal_lengths: bool,
    #[pyo3(default)]
    keep_sequence_axis: bool,
}

impl Asked {
    fn options(self) -> Options {
        Options::default()
            .outputs(wanted(self.outputs))
            .ids(self.ids)
            .rename_inputs(self.rename_inputs)
            .rename_outputs(self.rename_outputs)
            .opset(self.opset)
            .batch(self.batch)
            .equal_lengths(self.equal_lengths)
            .keep_sequence_axis(self.keep_sequence_axis)
    }
}

#[pymethods]
impl Model {
    /// The native part of :meth:`cntk2onnx.Model.to_onnx`.
    fn to_onnx<'py>(
        &self,
        py: Python<'py>,
        path: Option<PathBuf>,
        options: Asked,
        weights: &str,
        overwrite: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let place = match (weights, &path) {
            ("embed", _) => Place::Embedded,
            ("external", Some(_)) => Place::Beside,
            ("in-place", Some(_)) => Place::Source,
            ("external" | "in-place", None) => {
                return Err(PyValueError::new_err("weights can only be embedded in bytes: give a path"));
            }
            _ => return Err(PyValueError::new_err("weights is 'embed', 'external' or 'in-place'")),
        };
        let options = options.options();
        let watch = Watch::new(progress.as_ref());
        let done = py.detach(|| match &path {
            None => self.onnx_bytes(&options, watch).map(Some),
            Some(path) => self.onnx_file(&options, path, place, overwrite, watch).map(|()| None),
        });
        let bytes = done.map_err(|e| e.raised(py))?;
        self.source.unchanged()?;
        Ok(bytes.map(|b| PyBytes::new(py, &b)))
    }

    /// The native part of :meth:`cntk2onnx.Model.to_pytorch`.
    fn to_pytorch(
        &self,
        py: Python<'_>,
        directory: PathBuf,
        options: Asked,
        check_inputs: bool,
        overwrite: bool,
    ) -> PyResult<()> {
        let options = options.options();
        let own = PyTorchOptions::default().check_inputs(check_inputs);
        py.detach(|| self.pytorch_directory(&options, own, &directory, overwrite)).map_err(|e| e.raised(py))?;
        self.source.unchanged()
    }

    /// The native part of :meth:`cntk2onnx.Model.to_safetensors`.
    fn to_safetensors(&self, py: Python<'_>, path: PathBuf, overwrite: bool) -> PyResult<()> {
        let write = || -> Result<(), Failure> {
            let made = convert_safetensors(self.owned.get())?;
            let file = create(&path, overwrite)?;
            let metadata = safetensors::provenance(self.owned.get(), None);
            self.tensors_into(&made, &metadata, file.file())?;
            publish(file, &path)
        };
        py.detach(write).map_err(|e| e.raised(py))?;
        self.source.unchanged()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Embedded,
    Beside,
    Source,
}

impl Model {
    fn onnx_bytes(&self, options: &Options, mut watch: Watch<'_>) -> Result<Vec<u8>, Failure> {
        let model = self.owned.get();
        let done = convert(model, options)?;
        let source = &self.source;
        let mut writer = done.writer(source, Weights::Embed { side: "" }).map_err(Failure::Write)?;
        let bytes = writer.model_length();
        if writer.side_length().is_some() {
            return Err(Failure::Write(WriteError::TooLarge { bytes }));
        }
        let mut out = Vec::new();
        match writer.write_model(&mut out, &mut |n| watch.update(n), || Ok(vec![])) {
            Ok(_) => Ok(out),
            Err(error) => Err(watch.failure(error)),
        }
    }

    fn onnx_file(
        &self,
        options: &Options,
        path: &Path,
        place: Place,
        overwrite: bool,
        mut watch: Watch<'_>,
    ) -> Result<(), Failure> {
        let model = self.owned.get();
        let done = convert(model, options)?;
        let source = &self.source;
        let side_path = {
            let mut name = path.as_os_str().to_owned();
            name.push(".data");
            PathBuf::from(name)
        };
        let side = side_path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let inside = match (place, source.path()) {
            (Place::Source, Some(file)) => beside(file, path)?,
            (Place::Source, None) => return Err(io::Error::other("the model was not loaded from a path").into()),
            _ => String::new(),
        };
        let weights = match place {
            Place::Embedded => Weights::Embed { side: &side },
            Place::Beside => Weights::External { side: &side },
            Place::Source => Weights::InPlace { source: &inside, side: &side },
        };
        let mut writer = done.writer(source, weights).map_err(Failure::Write)?;
        let file = create(path, overwrite)?;
        let mut data = None;
        let before = writer.side_length().unwrap_or(0);
        if before > 0 {
            let file = create(&side_path, overwrite)?;
            let mut sink = IoSink(BufWriter::new(file.file()));
            let written = writer.write_side(&mut sink, &mut |n| watch.update(n));
            if let Err(error) = written {
                return Err(watch.failure(error));
            }
            sink.0.flush()?;
            drop(sink);
            data = Some(file);
        }
        let mut sink = IoSink(BufWriter::new(file.file()));
        let written = writer.write_model(&mut sink, &mut |n| watch.update(before + n), || Ok(vec![]));
        if let Err(error) = written {
            return Err(watch.failure(error));
        }
        sink.0.flush()?;
        drop(sink);
        // The weights first, so that there is never a model without them.
        if let Some(data) = data {
            publish(data, &side_path)?;
        }
        publish(file, path)
    }

    fn pytorch_directory(
        &self,
        options: &Options,
        own: PyTorchOptions,
        directory: &Path,
        overwrite: bool,
    ) -> Result<(), Failure> {
        let stem = &self.source.stem;
        let name = if stem.is_empty() { "model".to_owned() } else { stem.clone() };
        let mut made = convert_pytorch(self.owned.get(), options, &own.name(name))?;
        made.compare_with_evaluator(self.owned.get(), options);
        if !overwrite && fs::read_dir(directory).is_ok_and(|mut d| d.next().is_some()) {
            let text = format!("{}: holds files; overwrite=True replaces them", directory.display());
            return Err(Failure::Python(PyFileExistsError::new_err(text)));
        }
        fs::create_dir_all(directory)?;
        for (name, text) in made.texts() {
            let path = directory.join(name);
            let file = create(&path, true)?;
            file.file().write_all(text.as_bytes())?;
            publish(file, &path)?;
        }
        let weights = ("model.safetensors", &made.weights, &*made.metadata);
        for (name, tensors, metadata) in [weights, ("reference.safetensors", &made.reference, &[])] {
            let path = directory.join(name);
            let file = create(&path, true)?;
            self.tensors_into(tensors, metadata, file.file())?;
            publish(file, &path)?;
        }
        Ok(())
    }

    fn tensors_into(
        &self,
        tensors: &[safetensors::Tensor],
        metadata: &[(String, String)],
        file: &fs::File,
    ) -> Result<(), Failure> {
        let mut watch = Watch::new(None);
        let mut sink = IoSink(BufWriter::new(file));
        match safetensors::write(tensors, metadata, &self.source, &mut sink, &mut |n| watch.update(n)) {
            Ok(()) => Ok(sink.0.flush()?),
            Err(error) => Err(watch.failure(error)),
        }
    }
}

/// A file that gets its name once it is complete.
fn create(path: &Path, overwrite: bool) -> Result<Output, Failure> {
    Output::create(path, overwrite).map_err(|error| failed(&error, path))
}

/// Gives a complete file its name.
fn publish(file: Output, path: &Path) -> Result<(), Failure> {
    file.finish().map_err(|error| failed(&error, path))
}

fn failed(error: &anyhow::Error, path: &Path) -> Failure {
    if error.is::<Exists>() {
        let text = format!("{}: exists; overwrite=True replaces it", path.display());
        return Failure::Python(PyFileExistsError::new_err(text));
    }
    match error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
        Some(number) => Failure::Io(io::Error::from_raw_os_error(number)),
        None => Failure::Io(io::Error::other(format!("{error:#}"))),
    }
}

/// The path of the model relative to the directory of the ONNX file. Readers of ONNX accept no file outside of it.
fn beside(model: &Path, onnx: &Path) -> io::Result<String> {
    let folder = onnx.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (model, folder) = (fs::canonicalize(model)?, fs::canonicalize(folder)?);
    let inside = model.strip_prefix(&folder).ok().and_then(Path::to_str);
    let text =
        || io::Error::other("weights can stay in the CNTK file only if it lies in the ONNX file's directory or below");
    inside.map(str::to_owned).ok_or_else(text)
}
