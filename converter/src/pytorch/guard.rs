//! What the option `check_inputs` adds to a module: it refuses inputs that the model was not made for, before anything is
//! computed from them.

use super::helpers::Needs;
use super::interface::{Interface, Size};
use super::lower::Lower;
use super::python::names::Names;
use super::python::wrap::Lines;
use crate::json::string;
use crate::ranges::{Use, uses};

/// The arguments of `check_input` for each input.
pub(super) struct Guard {
    calls: Vec<Vec<String>>,
}

impl Guard {
    /// Arguments of the module's constructor and of `load`.
    pub(super) const OPTIONS: [&'static str; 2] = ["check_inputs: bool = True", "max_steps: int = 10000"];

    pub(super) fn new(lower: &Lower<'_, '_, '_>, interface: &Interface, attributes: &mut Names) -> Self {
        attributes.take("check_inputs");
        attributes.take("max_steps");
        let graph = lower.graph;
        let bounds = uses(graph.model, graph.outputs.iter().map(|o| o.source));
        let mut calls = vec![];
        let mut samples: Option<String> = None;
        for (port, argument) in interface.inputs.iter().zip(&graph.arguments) {
            let size = |size: &Size| match size {
                Size::Batch => samples.clone().unwrap_or_else(|| "0".to_owned()),
                Size::Steps(_) => "-self.max_steps".to_owned(),
                Size::Known(n) => n.to_string(),
                Size::OtherBatch | Size::Free(_) => "0".to_owned(),
            };
            let sizes: Vec<String> = port.sizes.iter().map(size).collect();
            let mut arguments = vec![string(&port.argument), port.argument.clone(), format!("[{}]", sizes.join(", "))];
            arguments.extend(port.axis().and_then(|axis| interface.lengths_of(axis)).map(|l| format!("lengths={l}")));
            if let Some(Use::Index(below)) = bounds.get(&argument.variable) {
                arguments.push(format!("below={below}"));
            }
            calls.push(arguments);
            if port.has_batch() && samples.is_none() {
                samples = Some(format!("{}.shape[0]", port.argument));
            }
        }
        Self { calls }
    }

    pub(super) fn init(code: &mut Lines) {
        code.push(2, "self.check_inputs = check_inputs");
        code.push(2, "self.max_steps = max_steps");
    }

    pub(super) fn check(&self, body: &mut Lines) {
        if self.calls.is_empty() {
            return;
        }
        body.push(2, "if self.check_inputs:");
        for arguments in &self.calls {
            body.statement(3, "", &format!("check_input({})", arguments.join(", ")));
        }
    }

    pub(super) fn see(&self, needs: &mut Needs) {
        if !self.calls.is_empty() {
            needs.call("check_input");
        }
    }
}
