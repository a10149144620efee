//! A loaded model and its methods.

use crate::{
    limits::Bounds,
    raise::{self, Reason},
    report::{Finding, Report},
    source::Source,
};
use cntk_parser::{
    FileKind, ModelFile,
    model::{DataType, Dim, Dims, FunctionKind, Shape, ValueType, VariableKind},
    ops::Operator,
};
use cntk2onnx::{ElemType, Error, OwnedModel, Rejection, internals::weights::Data, pytorch::convert_safetensors};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyDict, PyTuple},
};
use pythonize::pythonize;
use std::{ops::Range, sync::Arc};

/// The bytes that a model shares with the views of its tensors.
struct Shared(Arc<Source>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// An input or output of a model.
#[pyclass(module = "cntk2onnx", frozen, get_all)]
pub struct Variable {
    /// CNTK's name; may be empty.
    pub name: String,
    /// CNTK's uid, unique in the model.
    pub uid: String,
    /// Static shape in NumPy order; -1 for a size that is known only at run time.
    pub shape: Vec<i64>,
    /// ``"float32"``, ``"float64"`` or ``"float16"``.
    pub dtype: &'static str,
    /// ``"batch"`` and ``"sequence"``, in this order, each where the variable has it: an array is
    /// ``[batch, sequence, *shape]``.
    pub dynamic_axes: Vec<&'static str>,
    /// Declared sparse in CNTK; arrays are dense all the same.
    pub is_sparse: bool,
}

#[pymethods]
impl Variable {
    fn __repr__(&self) -> String {
        let name = if self.name.is_empty() { &self.uid } else { &self.name };
        let axes = self.dynamic_axes.iter().map(|a| (*a).to_owned());
        let dims: Vec<_> = axes.chain(self.shape.iter().map(i64::to_string)).collect();
        format!("<Variable {name}: {}[{}]>", self.dtype, dims.join(", "))
    }
}

/// A primitive function, block or user-defined function of a model.
#[pyclass(module = "cntk2onnx", frozen, get_all)]
pub struct Function {
    /// CNTK's operator, such as ``"Convolution"``; of a block, its label; ``"UserDefined"`` for a user-defined function.
    pub op: String,
    /// CNTK's uid.
    pub uid: String,
    /// CNTK's name; may be empty.
    pub name: String,
    /// The uids of what it reads, in CNTK's order.
    pub inputs: Vec<String>,
    /// The uids of what it computes.
    pub outputs: Vec<String>,
    /// Is it a block, whose functions are listed too?
    pub is_block: bool,
    /// The attributes by name, typed, with CNTK's defaults filled in. Shapes and axes are as CNTK stores them: the first
    /// dimension varies fastest.
    pub attributes: Py<PyDict>,
}

#[pymethods]
impl Function {
    fn __repr__(&self) -> String {
        let name = if self.name.is_empty() { String::new() } else { format!(" {:?}", self.name) };
        format!("<Function {} {}{name}>", self.op, self.uid)
    }
}

/// A parameter or constant.
#[pyclass(module = "cntk2onnx._native", frozen)]
pub struct Tensor {
    elements: Elements,
    shape: Vec<u64>,
    elem: ElemType,
    /// CNTK's name where it is unique, else the uid.
    #[pyo3(get)]
    key: String,
    /// Does CNTK train it?
    #[pyo3(get)]
    is_parameter: bool,
}

/// Where the elements are, in the order and type that Python sees.
enum Elements {
    File(Arc<Source>, Range<usize>),
    Made(Vec<u8>),
}

#[pymethods]
impl Tensor {
    /// NumPy's array interface: address, shape and type of read-only memory that this object keeps alive.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let bytes = match &self.elements {
            Elements::File(source, range) => {
                source.unchanged()?;
                source.get(range.clone()).unwrap_or_default()
            }
            Elements::Made(bytes) => bytes,
        };
        let kind = match self.elem {
            ElemType::Float => "<f4",
            ElemType::Double => "<f8",
            ElemType::Float16 => "<f2",
            ElemType::Int8 => "|i1",
            ElemType::Int16 => "<i2",
            ElemType::Int32 => "<i4",
            ElemType::Int64 => "<i8",
            ElemType::Bool => "|b1",
        };
        let interface = PyDict::new(py);
        interface.set_item("data", (bytes.as_ptr() as usize, true))?;
        interface.set_item("shape", PyTuple::new(py, &self.shape)?)?;
        interface.set_item("typestr", kind)?;
        interface.set_item("version", 3)?;
        Ok(interface)
    }
}

/// A valid model, as :func:`cntk2onnx.load` returns it.
#[pyclass(module = "cntk2onnx._native", frozen)]
pub struct Model {
    pub owned: OwnedModel,
    pub source: Arc<Source>,
}

#[pymethods]
impl Model {
    /// Warnings and notes of the validation.
    #[getter]
    fn findings(&self) -> Vec<Finding> {
        self.owned.findings().iter().map(Finding::from).collect()
    }

    /// The name of the file without its suffix; empty when the model came from memory.
    #[getter]
    fn stem(&self) -> &str {
        &self.source.stem
    }

    fn inputs(&self) -> Vec<Variable> {
        let model = self.owned.get();
        let inputs = model.model().variables.iter().filter(|v| v.kind == VariableKind::Input);
        inputs
            .map(|v| Variable {
                name: v.name.to_string(),
                uid: v.uid.to_string(),
                shape: v.shape.0.iter().rev().map(|d| dim(*d)).collect(),
                dtype: dtype(v.data_type),
                dynamic_axes: v
                    .dynamic_axes
                    .iter()
                    .rev()
                    .map(|a| if a.ordered { "sequence" } else { "batch" })
                    .collect(),
                is_sparse: v.is_sparse,
            })
            .collect()
    }

    fn outputs(&self) -> Vec<Variable> {
        let model = self.owned.get();
        let outputs = model.outputs().iter();
        outputs
            .map(|o| {
                let ValueType { shape, data_type, axes } = model.type_of(o.source);
                let names = [axes.batch.then_some("batch"), axes.sequence.map(|_| "sequence")];
                Variable {
                    name: o.name.to_string(),
                    uid: o.uid.to_string(),
                    shape: dims(shape),
                    dtype: dtype(*data_type),
                    dynamic_axes: names.into_iter().flatten().collect(),
                    is_sparse: false,
                }
            })
            .collect()
    }

    fn functions(&self, py: Python<'_>) -> PyResult<Vec<Function>> {
        let model = self.owned.get();
        let functions = model.function_ids().map(|id| (model.function(id), model.operator(id)));
        functions
            .map(|(f, operator)| {
                let op = match &f.kind {
                    FunctionKind::Primitive(op) => op.name().to_owned(),
                    FunctionKind::Block(block) => block.op_name.to_string(),
                    FunctionKind::Foreign(foreign) => foreign.name.to_owned(),
                    FunctionKind::User(_) => "UserDefined".to_owned(),
                };
                Ok(Function {
                    op,
                    uid: f.uid.to_string(),
                    name: f.name.to_string(),
                    inputs: f.inputs.iter().map(|i| i.to_string()).collect(),
                    outputs: vec![format!("{}_Output_0", f.uid)],
                    is_block: matches!(f.kind, FunctionKind::Block(_)),
                    attributes: attributes(py, operator)?,
                })
            })
            .collect()
    }

    /// Parameters and constants in the order of the file.
    fn tensors(&self, py: Python<'_>) -> PyResult<Vec<Tensor>> {
        let model = self.owned.get();
        let made = convert_safetensors(model)
            .map_err(|r| raise::unsupported(py, r.reasons.iter().map(Reason::from).collect()))?;
        let weights = model.model().variables.iter().map(|v| v.kind);
        let weights = weights.filter(|k| matches!(k, VariableKind::Parameter | VariableKind::Constant));
        let source = &self.source;
        let tensors = made.into_iter().zip(weights).map(|(tensor, kind)| {
            let elements = match &tensor.data {
                Data::Unchanged(range) => Elements::File(source.clone(), range.start as usize..range.end as usize),
                _ => Elements::Made(tensor.to_bytes(source).map_err(|e| PyValueError::new_err(e.to_string()))?),
            };
            Ok(Tensor {
                elements,
                shape: tensor.dims,
                elem: tensor.elem,
                key: tensor.name,
                is_parameter: kind == VariableKind::Parameter,
            })
        });
        tensors.collect()
    }
}

/// Checks a model file. Never raises for what a file holds.
#[pyfunction]
#[pyo3(signature = (source, limits=None, allow_udf=false, scan_weights=false))]
pub fn validate(
    source: &Bound<'_, PyAny>,
    limits: Option<&Bound<'_, PyDict>>,
    allow_udf: bool,
    scan_weights: bool,
) -> PyResult<Report> {
    let bounds = Bounds::of(limits)?;
    let bytes = Source::of(source, bounds.size.unwrap_or(u64::MAX))?;
    let report = source.py().detach(|| {
        let file = ModelFile::new(&bytes);
        match cntk_parser::parse(&file, &bounds.limits) {
            Err(error) => Report::refused(&Rejection::unreadable(&bytes, &error)),
            Ok(model) => {
                let done = cntk_parser::validate(model, &bounds.options(allow_udf, scan_weights));
                let findings = done.findings.iter().map(Finding::from).collect();
                Report::checked(FileKind::of(&bytes, None), done.model.is_some(), findings, done.more_findings)
            }
        }
    });
    bytes.unchanged()?;
    Ok(report)
}

/// The native part of :func:`cntk2onnx.load`: a model, or the report that says why there is none.
#[pyfunction]
pub fn load(
    py: Python<'_>,
    source: &Bound<'_, PyAny>,
    limits: Option<&Bound<'_, PyDict>>,
    allow_udf: bool,
) -> PyResult<(Option<Model>, Option<Report>)> {
    let bounds = Bounds::of(limits)?;
    let source = Arc::new(Source::of(source, bounds.size.unwrap_or(u64::MAX))?);
    let shared = Shared(source.clone());
    let made = py.detach(|| OwnedModel::load_with(shared, &bounds.limits, &bounds.options(allow_udf, false)));
    source.unchanged()?;
    match made {
        Ok(owned) => Ok((Some(Model { owned, source }), None)),
        Err(Error::Invalid(why)) => Ok((None, Some(Report::refused(&why)))),
        Err(error) => Err(PyValueError::new_err(error.to_string())),
    }
}

/// The attributes in braces; `{}` for an operator without attributes.
fn attributes(py: Python<'_>, operator: &Operator<'_>) -> PyResult<Py<PyDict>> {
    let tagged = pythonize(py, operator)?;
    let inner = tagged.cast::<PyDict>().ok().and_then(|d| d.values().iter().next());
    let fields = inner.and_then(|v| v.cast_into::<PyDict>().ok());
    Ok(fields.unwrap_or_else(|| PyDict::new(py)).unbind())
}

fn dim(size: u64) -> i64 {
    match size {
        Shape::INFERRED | Shape::FREE | Shape::UNKNOWN => -1,
        size => i64::try_from(size).unwrap_or(i64::MAX),
    }
}

fn dims(shape: &Dims) -> Vec<i64> {
    shape
        .iter()
        .map(|d| match d {
            Dim::Known(n) => i64::try_from(*n).unwrap_or(i64::MAX),
            Dim::Free(_) => -1,
        })
        .collect()
}

fn dtype(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Double => "float64",
        DataType::Float16 => "float16",
        DataType::Int8 => "int8",
        DataType::Int16 => "int16",
        DataType::Float | DataType::Unknown => "float32",
    }
}
