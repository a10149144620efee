//! Exceptions that the Python part defines, raised from here.

use pyo3::prelude::*;

/// Why one node cannot be converted or evaluated.
#[pyclass(module = "cntk2onnx", frozen, eq, hash, get_all)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reason {
    /// CNTK's operator; empty if the reason is not about one node.
    pub op: String,
    /// The function's uid.
    pub uid: String,
    /// The function's name; may be empty.
    pub name: String,
    /// The attribute or input that cannot be converted, which may be empty.
    pub attribute: String,
    /// One sentence.
    pub reason: String,
    /// The whole reason in one line.
    text: String,
}

#[pymethods]
impl Reason {
    /// For pickle.
    #[new]
    fn new(op: String, uid: String, name: String, attribute: String, reason: String, text: String) -> Self {
        Self { op, uid, name, attribute, reason, text }
    }

    fn __getnewargs__(&self) -> (&str, &str, &str, &str, &str, &str) {
        (&self.op, &self.uid, &self.name, &self.attribute, &self.reason, &self.text)
    }

    fn __repr__(&self) -> String {
        format!("<Reason: {}>", self.text)
    }

    fn __str__(&self) -> &str {
        &self.text
    }
}

impl Reason {
    /// A reason that is not about one node.
    pub fn text(text: String) -> Self {
        let empty = String::new;
        Self { op: empty(), uid: empty(), name: empty(), attribute: empty(), reason: text.clone(), text }
    }
}

impl From<&cntk2onnx::Reason> for Reason {
    fn from(r: &cntk2onnx::Reason) -> Self {
        Self {
            op: r.op.clone(),
            uid: r.uid.clone(),
            name: r.name.clone(),
            attribute: r.attribute.to_string(),
            reason: r.reason.to_string(),
            text: r.to_string(),
        }
    }
}

/// An `UnsupportedError` with these reasons.
pub fn unsupported(py: Python<'_>, reasons: Vec<Reason>) -> PyErr {
    let made = py.import("cntk2onnx._errors").and_then(|m| m.getattr("UnsupportedError")?.call1((reasons,)));
    match made {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}
