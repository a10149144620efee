//! A validated model that owns its bytes.

use crate::error::{Error, Rejection};
use crate::report::Refusal;
use cntk_parser::{
    FileKind, Finding, Limits, ModelFile, ValidateOptions,
    model::{Model, ValidatedModel},
};
use self_cell::self_cell;
use std::{fmt, sync::Arc};

/// Bytes that several owners share: a vector, or a mapped file.
type Bytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

self_cell!(
    struct File {
        owner: Bytes,

        #[not_covariant]
        dependent: ModelFile,
    }
);

self_cell!(
    struct Held {
        owner: File,

        #[covariant]
        dependent: ValidatedModel,
    }
);

/// A validated model together with the bytes from which it borrows, for uses where borrowing is not possible: bindings,
/// caches, threads.
///
/// ```
/// use cntk2onnx::OwnedModel;
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../corpus/zoo/alexnet_small.model");
/// let model = OwnedModel::load(std::fs::read(path)?)?;
/// std::thread::spawn(move || assert!(!model.get().outputs().is_empty())).join().unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OwnedModel {
    held: Held,
    findings: Vec<Finding>,
    more_findings: u64,
}

impl OwnedModel {
    /// Reads and validates a model under the default limits.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with all findings.
    pub fn load(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self, Error> {
        Self::load_with(bytes, &Limits::default(), &ValidateOptions::default())
    }

    /// Reads and validates a model.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with all findings.
    pub fn load_with(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
        limits: &Limits,
        options: &ValidateOptions,
    ) -> Result<Self, Error> {
        let (mut findings, mut more_findings) = (Vec::new(), 0);
        let file = File::new(Arc::new(bytes), |bytes| ModelFile::new((**bytes).as_ref()));
        let held = Held::try_new(file, |file| {
            file.with_dependent(|_, file| {
                let (found, more, model) = validated(file, limits, options, |_| Ok(()))?;
                (findings, more_findings) = (found, more);
                Ok::<_, Error>(model)
            })
        })?;
        Ok(Self { held, findings, more_findings })
    }

    /// The model.
    pub fn get(&self) -> &ValidatedModel<'_> {
        self.held.borrow_dependent()
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        (**self.held.borrow_owner().borrow_owner()).as_ref()
    }

    /// Warnings and notes.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The number of findings beyond the limit.
    pub fn more_findings(&self) -> u64 {
        self.more_findings
    }
}

impl fmt::Debug for OwnedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedModel").field("bytes", &self.bytes().len()).finish_non_exhaustive()
    }
}

/// Reads and validates a model. Returns the findings, the number of further ones, and the model. `prepare` may change
/// the model before it is validated.
pub(crate) fn validated<'f>(
    file: &'f ModelFile<'_>,
    limits: &Limits,
    options: &ValidateOptions,
    prepare: impl FnOnce(&mut Model<'f>) -> Result<(), Refusal>,
) -> Result<(Vec<Finding>, u64, ValidatedModel<'f>), Error> {
    let mut model =
        cntk_parser::parse(file, limits).map_err(|e| Error::Invalid(Rejection::unreadable(file.bytes(), &e)))?;
    prepare(&mut model)?;
    let validation = cntk_parser::validate(model, options);
    let (findings, more_findings) = (validation.findings, validation.more_findings);
    match validation.model {
        Some(model) => Ok((findings, more_findings, model)),
        None => {
            let kind = FileKind::of(file.bytes(), None);
            Err(Error::Invalid(Rejection { kind, findings, more_findings, hint: None }))
        }
    }
}
