//! The main interface: [`Converter`], from the bytes of a CNTK model to those of the result.

use crate::{
    Conversion,
    error::Error,
    onnx::write::Weights,
    options::Options,
    owned::{self, OwnedModel},
    pytorch::{PyTorchConversion, PyTorchOptions, convert_pytorch, convert_safetensors, safetensors},
    report::Summary,
    weights::{Sink, WriteError},
};
use cntk_parser::{Limits, ModelFile, ValidateOptions, model::ValidatedModel};
use std::{fmt, ops::ControlFlow, sync::Arc};

/// Converts CNTK models. A converter is cheap to clone and can be used for any number of models and threads.
///
/// Each method accepts the bytes of a model, an [`OwnedModel`], or a [`ValidatedModel`].
///
/// ```
/// use cntk2onnx::{Converter, Options};
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../corpus/zoo/alexnet_small.model");
/// let bytes = std::fs::read(path)?;
/// let converter = Converter::new(Options::default().opset(13));
/// let onnx: Vec<u8> = converter.to_onnx(&bytes)?;
/// let weights: Vec<u8> = converter.to_safetensors(&bytes)?;
/// let files = converter.to_pytorch(&bytes)?;
/// assert_eq!(files[0].0, "model.py");
/// # assert!(onnx.len() > 1000 && weights.len() > 1000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Converter {
    options: Options,
    pytorch: PyTorchOptions,
    limits: Limits,
    validation: ValidateOptions,
    progress: Option<Arc<Progress>>,
}

/// Is called with the number of bytes written and their total, and may stop the conversion.
type Progress = dyn Fn(u64, u64) -> ControlFlow<()> + Send + Sync;

impl Converter {
    /// A converter with these options.
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// Sets the options of the PyTorch back end.
    #[must_use]
    pub fn pytorch_options(self, pytorch: PyTorchOptions) -> Self {
        Self { pytorch, ..self }
    }

    /// Sets the limits for reading a model that is given as bytes.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets how a model that is given as bytes is validated.
    #[must_use]
    pub fn validation(self, validation: ValidateOptions) -> Self {
        Self { validation, ..self }
    }

    /// Sets a function that is called between the stages of a conversion and while weights are written. It gets the
    /// number of bytes written and their total (0 while it is not known). If it breaks, the conversion ends with
    /// [`WriteError::Cancelled`].
    #[must_use]
    pub fn progress(self, progress: impl Fn(u64, u64) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        Self { progress: Some(Arc::new(progress)), ..self }
    }

    /// An ONNX model that contains its weights.
    ///
    /// # Errors
    ///
    /// The model is invalid or cannot be converted as asked, or the result would exceed the 2 GiB of a protobuf
    /// message.
    pub fn to_onnx<M: Source + ?Sized>(&self, model: &M) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.write_onnx(model, &mut bytes)?;
        Ok(bytes)
    }

    /// Writes an ONNX model that contains its weights, and returns a summary.
    ///
    /// # Errors
    ///
    /// As [`Self::to_onnx`], and errors of the sink.
    pub fn write_onnx<M: Source + ?Sized>(&self, model: &M, sink: &mut dyn Sink) -> Result<Summary, Error> {
        self.with(model, |model| {
            let (conversion, source) = (self.convert(model)?, model.model().input);
            let mut writer = conversion.writer(source, Weights::Embed { side: "" })?;
            if let Some(side) = writer.side_length() {
                return Err(WriteError::TooLarge { bytes: writer.model_length().saturating_add(side) }.into());
            }
            let total = writer.model_length();
            writer.write_model(sink, &mut |done| self.tell(done, total), || Ok(vec![]))?;
            Ok(conversion.summary)
        })
    }

    /// Writes an ONNX model to `sink` and its weights to `side`. The model refers to that file by `location`, a path
    /// relative to the model's folder. Nothing is written to `side` if all weights are small.
    ///
    /// # Errors
    ///
    /// The model is invalid or cannot be converted as asked, and errors of the sinks.
    pub fn write_onnx_with_side<M: Source + ?Sized>(
        &self,
        model: &M,
        sink: &mut dyn Sink,
        side: &mut dyn Sink,
        location: &str,
    ) -> Result<Summary, Error> {
        self.with(model, |model| {
            let (conversion, source) = (self.convert(model)?, model.model().input);
            let mut writer = conversion.writer(source, Weights::External { side: location })?;
            let before = writer.side_length().unwrap_or(0);
            let total = before.saturating_add(writer.model_length());
            if before > 0 {
                writer.write_side(side, &mut |done| self.tell(done, total))?;
            }
            writer.write_model(sink, &mut |done| self.tell(before.saturating_add(done), total), || Ok(vec![]))?;
            Ok(conversion.summary)
        })
    }

    /// The files of a PyTorch package by name: `model.py`, `test_model.py`, `report.json`, `__init__.py`,
    /// `model.safetensors`, `reference.safetensors`.
    ///
    /// # Errors
    ///
    /// The model is invalid or cannot be expressed in PyTorch.
    pub fn to_pytorch<M: Source + ?Sized>(&self, model: &M) -> Result<Vec<(&'static str, Vec<u8>)>, Error> {
        self.with(model, |model| {
            #[cfg_attr(not(feature = "evaluator"), expect(unused_mut, reason = "only the evaluator adds to it"))]
            let mut made = self.pytorch(model)?;
            #[cfg(feature = "evaluator")]
            made.compare_with_evaluator(model, &self.options);
            let source = model.model().input;
            let mut files = Vec::from(made.texts().map(|(name, text)| (name, text.as_bytes().to_vec())));
            files.push(("model.safetensors", self.safetensors(&made.weights, &made.metadata, source)?));
            files.push(("reference.safetensors", self.safetensors(&made.reference, &[], source)?));
            Ok(files)
        })
    }

    /// All parameters and constants by name, as a safetensors file.
    ///
    /// # Errors
    ///
    /// The model is invalid, or a parameter has no value.
    pub fn to_safetensors<M: Source + ?Sized>(&self, model: &M) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.write_safetensors(model, &mut bytes)?;
        Ok(bytes)
    }

    /// Writes all parameters and constants by name, as a safetensors file.
    ///
    /// # Errors
    ///
    /// As [`Self::to_safetensors`], and errors of the sink.
    pub fn write_safetensors<M: Source + ?Sized>(&self, model: &M, sink: &mut dyn Sink) -> Result<(), Error> {
        self.with(model, |model| {
            let tensors = convert_safetensors(model)?;
            let metadata = safetensors::provenance(model, None);
            let total = safetensors::length(&tensors, &metadata);
            safetensors::write(&tensors, &metadata, model.model().input, sink, &mut |done| self.tell(done, total))?;
            Ok(())
        })
    }

    /// The ONNX model before it is written, for callers who place the weights themselves.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) with every node that cannot be converted as asked.
    pub fn convert(&self, model: &ValidatedModel<'_>) -> Result<Conversion, Error> {
        self.stage()?;
        let conversion = crate::convert(model, &self.options)?;
        self.stage()?;
        Ok(conversion)
    }

    /// The PyTorch module before it is written: its texts, and descriptions of its weights.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) with every node that cannot be expressed in PyTorch.
    pub fn pytorch(&self, model: &ValidatedModel<'_>) -> Result<PyTorchConversion, Error> {
        self.stage()?;
        let made = convert_pytorch(model, &self.options, &self.pytorch)?;
        self.stage()?;
        Ok(made)
    }

    fn safetensors(
        &self,
        tensors: &[safetensors::Tensor],
        metadata: &[(String, String)],
        source: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let (mut bytes, total) = (Vec::new(), safetensors::length(tensors, metadata));
        safetensors::write(tensors, metadata, source, &mut bytes, &mut |done| self.tell(done, total))?;
        Ok(bytes)
    }

    fn with<M: Source + ?Sized, T>(
        &self,
        model: &M,
        act: impl FnOnce(&ValidatedModel<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let given = match model.given() {
            Given(Is::Model(model)) => return act(model),
            Given(Is::Bytes(bytes)) => bytes,
        };
        self.stage()?;
        let file = ModelFile::new(given);
        let fix = |model: &mut _| self.options.fix_shapes(model);
        let (_, _, model) = owned::validated(&file, &self.limits, &self.validation, fix)?;
        act(&model)
    }

    fn tell(&self, done: u64, total: u64) -> ControlFlow<()> {
        self.progress.as_ref().map_or(ControlFlow::Continue(()), |progress| progress(done, total))
    }

    /// Calls the progress function between two stages.
    fn stage(&self) -> Result<(), WriteError> {
        match self.tell(0, 0) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(WriteError::Cancelled),
        }
    }
}

impl fmt::Debug for Converter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Converter").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A model that can be converted: its bytes, or a validated model.
pub trait Source {
    /// The model. Not to be called or implemented outside of this crate.
    #[doc(hidden)]
    fn given(&self) -> Given<'_>;
}

/// The content of a [`Source`].
#[doc(hidden)]
pub struct Given<'s>(Is<'s>);

enum Is<'s> {
    Bytes(&'s [u8]),
    Model(&'s ValidatedModel<'s>),
}

impl Source for [u8] {
    fn given(&self) -> Given<'_> {
        Given(Is::Bytes(self))
    }
}

impl Source for Vec<u8> {
    fn given(&self) -> Given<'_> {
        Given(Is::Bytes(self))
    }
}

impl Source for ValidatedModel<'_> {
    fn given(&self) -> Given<'_> {
        Given(Is::Model(self))
    }
}

impl Source for OwnedModel {
    fn given(&self) -> Given<'_> {
        Given(Is::Model(self.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Outputs;
    use std::{
        path::Path,
        sync::atomic::{AtomicU64, Ordering},
    };

    fn model(name: &str) -> Vec<u8> {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name)).unwrap()
    }

    #[test]
    fn bytes_and_models_give_the_same() {
        let bytes = model("zoo/alexnet_small.model");
        let converter = Converter::default();
        let onnx = converter.to_onnx(&bytes).unwrap();
        let owned = OwnedModel::load(bytes.clone()).unwrap();
        assert_eq!(owned.bytes(), bytes);
        assert_eq!(converter.to_onnx(&owned).unwrap(), onnx);
        assert_eq!(converter.to_onnx(owned.get()).unwrap(), onnx);
        let (mut sink, mut side) = (vec![], vec![]);
        let summary = converter.write_onnx_with_side(&owned, &mut sink, &mut side, "w.data").unwrap();
        assert_eq!(summary.inputs[0].name, "features");
        assert!(sink.len() + side.len() > onnx.len() && side.len() > sink.len());
        let names: Vec<_> = converter.to_pytorch(&owned).unwrap().into_iter().map(|(name, _)| name).collect();
        let texts = ["model.py", "test_model.py", "report.json", "__init__.py"];
        let wanted = [&texts[..], &["model.safetensors", "reference.safetensors"][..]].concat();
        assert_eq!(names, wanted);
    }

    #[test]
    fn errors_have_codes() {
        let code = |result: Result<Vec<u8>, Error>| result.unwrap_err().code();
        let bytes = model("zoo/alexnet_small.model");
        let converter = Converter::default();
        assert_eq!(code(converter.to_onnx(b"PK\x03\x04aaaa".as_slice())), "file.zip");
        let limited = converter.clone().limits(Limits { functions: 1, ..Limits::default() });
        assert_eq!(code(limited.to_onnx(&bytes)), "limit");
        let named = Options::default().outputs(Outputs::Named(vec!["nothing".into()]));
        assert_eq!(code(Converter::new(named).to_onnx(&bytes)), "unsupported");
        assert_eq!(code(Converter::new(Options::default().opset(3)).to_onnx(&bytes)), "unsupported");
        let unsafe_file = converter.to_safetensors(&model("hostile/udf_native_path.model")).unwrap_err();
        assert!(unsafe_file.code().starts_with("code."), "{}", unsafe_file.code());
        assert!(unsafe_file.to_string().starts_with("at 0x"), "{unsafe_file}");
    }

    #[test]
    fn progress_is_told_and_can_stop() {
        let bytes = model("zoo/alexnet_small.model");
        let last = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&last);
        let converter = Converter::default().progress(move |done, total| {
            assert!(done <= total);
            seen.store(done, Ordering::Relaxed);
            ControlFlow::Continue(())
        });
        let onnx = converter.to_onnx(&bytes).unwrap();
        assert_eq!(last.load(Ordering::Relaxed), onnx.len() as u64);
        let stopped = Converter::default().progress(|_, _| ControlFlow::Break(()));
        assert_eq!(stopped.to_onnx(&bytes).unwrap_err().code(), "write.cancelled");
        assert_eq!(stopped.to_pytorch(&OwnedModel::load(bytes).unwrap()).unwrap_err().code(), "write.cancelled");
    }
}
