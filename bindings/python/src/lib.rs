//! The extension module of the Python package: the library's types as Python objects, and nothing that could be Python.

mod convert;
mod evaluate;
mod limits;
mod model;
mod raise;
mod report;
mod source;

use pyo3::prelude::*;

/// Native part of the package `cntk2onnx`.
#[pymodule]
fn _native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add_class::<raise::Reason>()?;
    m.add_class::<report::Finding>()?;
    m.add_class::<report::Report>()?;
    m.add_class::<model::Variable>()?;
    m.add_class::<model::Function>()?;
    m.add_class::<model::Tensor>()?;
    m.add_class::<model::Model>()?;
    m.add_function(wrap_pyfunction!(model::validate, m)?)?;
    m.add_function(wrap_pyfunction!(model::load, m)?)?;
    m.add_function(wrap_pyfunction!(program, m)?)?;
    Ok(())
}

/// Runs the program `cntk2onnx` and returns its exit code. To be called once, at the end of the process.
#[pyfunction]
fn program(py: Python<'_>, arguments: Vec<std::ffi::OsString>) -> u8 {
    py.detach(|| cntk2onnx_cli::run(arguments))
}
