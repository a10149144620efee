//! Handles functions that cannot be expressed, by a refusal or by a call of a method that the user has to write.

use super::{Elem, Lower, Node, Val};
use crate::pytorch::python::expr::{Argument, Expr};
use crate::report::Reason;
use cntk_parser::model::{FunctionId, Source};
use smallvec::SmallVec;

impl Lower<'_, '_, '_> {
    /// Records the reason why `f` cannot be lowered.
    pub(super) fn refuse(&mut self, f: FunctionId, reason: Reason) {
        self.reasons.push(reason.of(self.graph.model, f));
    }

    /// A call of a method that the user has to write.
    pub(super) fn bind_stub(&mut self, node: &Node<'_, '_>, reason: Reason) {
        let model = self.graph.model;
        let op = model.operator(node.id).name().to_owned();
        let method = self.names.numbered(&format!("missing_{}_", op.to_lowercase()));
        let method = method.replace("__", "_");
        let arguments: Vec<Argument> = node.inputs.iter().map(|v| self.tensor(v).id.into()).collect();
        let call = Expr::Stub(method.clone()).call(arguments);
        let mut outputs = SmallVec::new();
        for (i, ty) in node.types.iter().enumerate() {
            let id = self.body.compute(call.clone());
            let elem = Elem::new(ty.data_type).unwrap_or(Elem::Float);
            let lead = self.lead(Source::Output(node.id, i as u32));
            outputs.push(Val { id, lead, dims: ty.shape.clone(), elem, literal: None });
        }
        self.warnings.push(format!("{method} has to be written by hand: {reason}"));
        self.stubs.push((method, reason.to_string()));
        self.bind_outputs(node.id, outputs);
    }
}
