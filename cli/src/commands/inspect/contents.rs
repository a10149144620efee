//! The contents of a model.

use crate::json::Json;
use cntk_parser::model::{
    Array, Container, DataType, FunctionKind, Model, Shape, Source, ValidatedModel, Variable, VariableKind,
};
use cntk2onnx::{Cost, Symbols, symbols::size};
use std::{borrow::Cow, collections::BTreeMap};

pub struct Contents<'a> {
    pub container: &'static str,
    pub root: &'a str,
    pub inputs: Vec<Port<'a>>,
    /// The outputs; empty for a model that did not pass validation.
    pub outputs: Vec<Port<'a>>,
    pub parameters: Vec<Parameter<'a>>,
    /// The number of primitive functions by operator.
    pub ops: BTreeMap<String, u64>,
    /// The number of blocks by the name of their operation.
    pub blocks: BTreeMap<String, u64>,
    pub cost: Option<Cost>,
}

/// An input, output, parameter or constant.
pub struct Port<'a> {
    pub uid: Cow<'a, str>,
    pub name: Cow<'a, str>,
    pub data_type: DataType,
    /// The row-major shape; `None` if it is not known.
    pub shape: Option<Vec<String>>,
    pub dynamic_axes: Vec<Cow<'a, str>>,
    pub sparse: bool,
}

pub struct Parameter<'a> {
    pub port: Port<'a>,
    pub kind: &'static str,
    pub elements: u64,
    /// The size in the file.
    pub bytes: u64,
}

impl<'a> Contents<'a> {
    pub fn of(model: &Model<'a>) -> Self {
        let mut contents = Self {
            container: match model.container {
                Container::Plain => "one message",
                Container::LargeLayout { .. } => "over-2-GB layout",
                Container::Nodes { .. } => "v1 nodes",
            },
            root: model.root,
            inputs: vec![],
            outputs: vec![],
            parameters: vec![],
            ops: BTreeMap::new(),
            blocks: BTreeMap::new(),
            cost: None,
        };
        for variable in &model.variables {
            match variable.kind {
                VariableKind::Input => contents.inputs.push(Port::of(variable)),
                VariableKind::Parameter => contents.parameters.push(Parameter::of(variable, "parameter")),
                VariableKind::Constant => contents.parameters.push(Parameter::of(variable, "constant")),
                VariableKind::Placeholder => {}
            }
        }
        for function in &model.functions {
            let (counts, name) = match &function.kind {
                FunctionKind::Primitive(op) => (&mut contents.ops, op.name()),
                FunctionKind::Block(block) => (&mut contents.blocks, block.op_name),
                FunctionKind::Foreign(foreign) => (&mut contents.ops, foreign.name),
                FunctionKind::User(_) => (&mut contents.ops, "user-defined"),
            };
            *counts.entry(name.to_owned()).or_default() += 1;
        }
        contents
    }

    /// Adds the types that validation inferred.
    pub fn infer(&mut self, model: &ValidatedModel<'a>) {
        let mut symbols = Symbols::default();
        let inputs = model.variable_ids().filter(|v| model.variable(*v).kind == VariableKind::Input);
        for (input, port) in inputs.zip(&mut self.inputs) {
            let kind = model.type_of(Source::Variable(input));
            port.dynamic_axes = symbols.dynamic_axes(kind);
        }
        for id in model.unbound() {
            let variable = model.variable(*id);
            let (uid, name) = (Cow::Borrowed(variable.uid), Cow::Borrowed(variable.name));
            self.inputs.push(Port::inferred(model, &mut symbols, uid, name, Source::Variable(*id)));
        }
        for output in model.outputs() {
            let (uid, name) = (output.uid.clone(), output.name.clone());
            self.outputs.push(Port::inferred(model, &mut symbols, uid, name, output.source));
        }
    }
}

impl<'a> Port<'a> {
    fn of(variable: &Variable<'a>) -> Self {
        let dim = |dim: &u64| match *dim {
            Shape::INFERRED | Shape::FREE | Shape::UNKNOWN => "?".to_owned(),
            n => n.to_string(),
        };
        Self {
            uid: Cow::Borrowed(variable.uid),
            name: Cow::Borrowed(variable.name),
            data_type: variable.data_type,
            shape: (!variable.shape.is_unknown()).then(|| variable.shape.0.iter().rev().map(dim).collect()),
            dynamic_axes: variable
                .dynamic_axes
                .iter()
                .rev()
                .map(|a| if a.ordered { "sequence".into() } else { "batch".into() })
                .collect(),
            sparse: variable.is_sparse,
        }
    }

    fn inferred(
        model: &ValidatedModel<'a>,
        symbols: &mut Symbols,
        uid: Cow<'a, str>,
        name: Cow<'a, str>,
        source: Source,
    ) -> Self {
        let kind = model.type_of(source);
        let known = model.is_known(source);
        Self {
            uid,
            name,
            data_type: kind.data_type,
            shape: known.then(|| kind.shape.iter().map(size).collect()),
            dynamic_axes: if known { symbols.dynamic_axes(kind) } else { vec![] },
            sparse: false,
        }
    }

    pub fn text(&self) -> String {
        let name = if self.name.is_empty() { String::new() } else { format!("{} ", self.name) };
        let shape: Vec<_> = match &self.shape {
            None => vec!["unknown"],
            Some(shape) => self.dynamic_axes.iter().map(|a| &**a).chain(shape.iter().map(|d| &**d)).collect(),
        };
        let sparse = if self.sparse { ", sparse" } else { "" };
        format!("{name}({}) {:?}[{}]{sparse}", self.uid, self.data_type, shape.join(", "))
    }

    pub fn json(&self) -> Json {
        Json::Object(self.entries())
    }

    fn entries(&self) -> Vec<(&'static str, Json)> {
        let dim = |d: &String| d.parse().map_or(Json::Null, Json::Number);
        vec![
            ("uid", Json::text(&*self.uid)),
            ("name", Json::text(&*self.name)),
            ("type", Json::text(format!("{:?}", self.data_type))),
            ("shape", self.shape.as_ref().map_or(Json::Null, |shape| Json::list(shape, dim))),
            ("dynamic_axes", Json::list(&self.dynamic_axes, |a| Json::from(&**a))),
            ("sparse", Json::Bool(self.sparse)),
        ]
    }
}

impl<'a> Parameter<'a> {
    fn of(variable: &Variable<'a>, kind: &'static str) -> Self {
        let array = variable.value.as_ref();
        let elements = array.map_or(0, elements);
        let bytes = array.and_then(|a| a.range.as_ref()).map_or(0, |r| r.end - r.start);
        Self { port: Port::of(variable), kind, elements, bytes }
    }

    pub fn json(&self) -> Json {
        let mut entries = self.port.entries();
        entries.push(("kind", Json::from(self.kind)));
        entries.push(("elements", Json::Number(self.elements)));
        entries.push(("bytes", Json::Number(self.bytes)));
        Json::Object(entries)
    }
}

fn elements(array: &Array<'_>) -> u64 {
    array.shape.elements().unwrap_or(u64::MAX)
}
