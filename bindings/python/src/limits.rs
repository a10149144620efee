//! The `limits` argument: a mapping from the names of the program's `--max-…` flags to numbers.

use cntk_parser::{Limits, ValidateOptions};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyDict};

/// What a file may ask for, the bytes read into memory included.
#[derive(Clone, Default)]
pub struct Bounds {
    pub limits: Limits,
    /// `max_size`: bytes of a file that is read rather than mapped.
    pub size: Option<u64>,
}

impl Bounds {
    pub fn of(limits: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut bounds = Self::default();
        for (name, value) in limits.into_iter().flat_map(|d| d.iter()) {
            let (name, value) = (name.extract::<String>()?, value.extract::<u64>()?);
            if name == "size" {
                bounds.size = Some(value);
            } else if !bounds.limits.set(&name.replace('_', "-"), value) {
                let known: Vec<_> = Limits::default().list().iter().map(|(n, ..)| n.replace('-', "_")).collect();
                return Err(PyValueError::new_err(format!(
                    "no limit {name:?} that can be {value}: the limits are size, {}",
                    known.join(", "),
                )));
            }
        }
        Ok(bounds)
    }

    pub fn options(&self, allow_udf: bool, scan_weights: bool) -> ValidateOptions {
        let mut options = ValidateOptions::default();
        options.allow_udf = allow_udf;
        options.scan_weights = scan_weights;
        options.findings = self.limits.findings;
        options
    }
}
