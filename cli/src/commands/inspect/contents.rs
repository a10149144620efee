//! What a model holds.

use crate::json::Json;
use cntk_parser::model::{
    Array, Container, DataType, Dim, FunctionKind, Model, Shape, ValidatedModel, Variable, VariableKind,
};
use cntk2onnx::Cost;
use std::{borrow::Cow, collections::BTreeMap};

pub struct Contents<'a> {
    pub container: &'static str,
    pub root: &'a str,
    pub inputs: Vec<Port<'a>>,
    /// Empty for a model that did not pass validation.
    pub outputs: Vec<Port<'a>>,
    pub parameters: Vec<Parameter<'a>>,
    /// Primitive functions by operator.
    pub ops: BTreeMap<String, u64>,
    /// Blocks by the name of what they make.
    pub blocks: BTreeMap<String, u64>,
    pub cost: Option<Cost>,
}

/// An input, output, parameter or constant.
pub struct Port<'a> {
    pub uid: Cow<'a, str>,
    pub name: Cow<'a, str>,
    pub data_type: DataType,
    /// Row-major.
    pub shape: Vec<String>,
    pub dynamic_axes: Vec<&'a str>,
    pub sparse: bool,
}

pub struct Parameter<'a> {
    pub port: Port<'a>,
    pub kind: &'static str,
    pub elements: u64,
    /// In the file.
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

    /// Adds what validation found out.
    pub fn infer(&mut self, model: &ValidatedModel<'a>) {
        for output in model.outputs() {
            let kind = model.type_of(output.source);
            let shape = kind.shape.iter().map(|d| match d {
                Dim::Known(n) => n.to_string(),
                Dim::Free(_) => "?".to_owned(),
            });
            let axes = [kind.axes.batch.then_some("batch"), kind.axes.sequence.map(|_| "sequence")];
            self.outputs.push(Port {
                uid: output.uid.clone(),
                name: output.name.clone(),
                data_type: kind.data_type,
                shape: shape.collect(),
                dynamic_axes: axes.into_iter().flatten().collect(),
                sparse: false,
            });
        }
        self.cost = Some(Cost::of(model));
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
            shape: variable.shape.0.iter().rev().map(dim).collect(),
            dynamic_axes: variable
                .dynamic_axes
                .iter()
                .rev()
                .map(|a| if a.ordered { "sequence" } else { "batch" })
                .collect(),
            sparse: variable.is_sparse,
        }
    }

    pub fn text(&self) -> String {
        let name = if self.name.is_empty() { String::new() } else { format!("{} ", self.name) };
        let shape: Vec<_> = self.dynamic_axes.iter().copied().chain(self.shape.iter().map(|d| &**d)).collect();
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
            ("shape", Json::list(&self.shape, dim)),
            ("dynamic_axes", Json::list(&self.dynamic_axes, |a| Json::from(*a))),
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
    array.shape.0.iter().fold(1, |n, d| n.saturating_mul(*d))
}
