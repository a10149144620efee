//! Evaluation, with arrays as `.npz` bytes, which NumPy reads and writes.

use crate::{
    convert::{OFTEN, wanted},
    model::Model,
    raise::{self, Reason},
};
use cntk2onnx::{
    EvaluateError, Record, evaluate,
    evaluator::{EvaluationError, Limits, Options},
    internals::evidence::{self, Lack, Sample},
};
use pyo3::{
    exceptions::{PyOSError, PyRuntimeError, PyValueError},
    prelude::*,
    pybacked::PyBackedBytes,
    types::PyBytes,
};
use std::{
    collections::HashMap,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
};

#[pymethods]
impl Model {
    /// The native part of :meth:`cntk2onnx.Model.eval`.
    fn eval<'py>(
        slf: &Bound<'py, Self>,
        record: PyBackedBytes,
        outputs: Vec<String>,
        seed: Option<u64>,
        limits: Option<HashMap<String, u64>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let bounds = bounded(limits)?;
        let options = Options { limits: bounds, seed, jitter: None };
        let made = interruptible(slf, move |model| {
            let mut record = Record::open(&record).map_err(EvaluateError::Record)?;
            evaluate(model.owned.get(), &wanted(outputs), &mut record, &options)
        })?;
        let py = slf.py();
        let made = made.map_err(|e| raised(py, &e))?;
        if let Some(unread) = made.unread.first() {
            return Err(PyValueError::new_err(format!("{unread} is no input of the model")));
        }
        let bytes = made.to_npz().map_err(|e| PyOSError::new_err(e.to_string()))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Generated inputs and the evaluator's outputs for them, for :func:`cntk2onnx.verify`: uid and name of the inputs
    /// and of the outputs, and all arrays except for those of outputs whose uids are in `skip`.
    fn sample<'py>(
        slf: &Bound<'py, Self>,
        outputs: Vec<String>,
        seed: u64,
        batch: usize,
        ragged: bool,
        skip: Vec<String>,
        limits: Option<HashMap<String, u64>>,
    ) -> PyResult<(Ports, Ports, Bound<'py, PyBytes>)> {
        let limits = bounded(limits)?;
        let largest = usize::try_from(limits.memory / 16).unwrap_or(usize::MAX);
        let of = Sample { seed, batch, ragged, largest, skip, limits };
        let made = interruptible(slf, move |model| evidence::sample(model.owned.get(), &wanted(outputs), &of))?;
        let py = slf.py();
        let made = made.map_err(|lack| match lack {
            Lack::Cost(why) => PyValueError::new_err(why),
            Lack::Other(why) => raise::unsupported(py, vec![Reason::text(why)]),
        })?;
        let bytes = made.to_npz().map_err(|e| PyOSError::new_err(e.to_string()))?;
        Ok((made.inputs, made.outputs, PyBytes::new(py, &bytes)))
    }
}

/// Does `work` in a thread of its own, so that Ctrl-C takes effect at once. An interrupted thread continues without
/// effect until it is done or reaches a limit.
fn interruptible<T: Send + 'static>(
    slf: &Bound<'_, Model>,
    work: impl FnOnce(&Model) -> T + Send + 'static,
) -> PyResult<T> {
    let (py, model) = (slf.py(), slf.clone().unbind());
    let (done, mut result) = mpsc::channel();
    thread::Builder::new().name("cntk2onnx".to_owned()).spawn(move || {
        // Nobody waits any more if it was interrupted.
        let _ = done.send(work(model.get()));
    })?;
    let made = loop {
        let (received, again) = py.detach(move || (result.recv_timeout(OFTEN), result));
        result = again;
        match received {
            Ok(made) => break made,
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => return Err(PyRuntimeError::new_err("the evaluation panicked")),
        }
    };
    slf.get().source.unchanged()?;
    Ok(made)
}

/// Uids and names.
type Ports = Vec<(String, String)>;

/// The limits of an evaluation, by name.
fn bounded(limits: Option<HashMap<String, u64>>) -> PyResult<Limits> {
    let mut bounds = Limits::default();
    for (name, value) in limits.unwrap_or_default() {
        match name.as_str() {
            "work" => bounds.work = value,
            "memory" => bounds.memory = value,
            _ => return Err(PyValueError::new_err(format!("no limit {name:?}: the limits are work, memory"))),
        }
    }
    Ok(bounds)
}

/// The exception for an error: `ValueError` if the arrays do not fit the model, `UnsupportedError` if it cannot be
/// evaluated.
fn raised(py: Python<'_>, error: &EvaluateError) -> PyErr {
    match error {
        EvaluateError::Outputs(refusal) => raise::unsupported(py, refusal.reasons.iter().map(Reason::from).collect()),
        EvaluateError::Evaluation(
            EvaluationError::Missing { .. }
            | EvaluationError::Input { .. }
            | EvaluationError::Work { .. }
            | EvaluationError::Memory { .. },
        )
        | EvaluateError::Record(_) => PyValueError::new_err(error.to_string()),
        other => raise::unsupported(py, vec![Reason::text(other.to_string())]),
    }
}
