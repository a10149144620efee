//! Placeholder records against what they stand for, and where each sequence axis comes from.

use super::Inference;
use super::value::{Certainty, show};
use crate::model::{DataType, Dim, FunctionId, Source, ValueType, VariableId, VariableKind};
use crate::validate::arena::{Id, ids};
use crate::validate::findings::Place;
use crate::validate::graph::Order;
use crate::validate::rules;

impl<'a> Inference<'_, '_, 'a> {
    /// Forward references and formal placeholders say the type of what they stand for: CNTK infers with what they say.
    pub(super) fn report_declared(&mut self) {
        let resolution = self.resolution;
        for (placeholder, source) in &resolution.forward {
            self.compare(*placeholder, *source);
        }
        for (id, argument) in resolution.arguments.iter() {
            if let Some(argument) = argument {
                self.compare(id, *argument);
            }
        }
    }

    fn compare(&mut self, placeholder: VariableId, source: Source) {
        let Some(said) = self.values.variables.types.get(placeholder) else { return };
        let said_certainty = self.values.variables.certainty.get(placeholder).copied().unwrap_or_default();
        let operand = self.values.operand(source);
        let known = Certainty {
            shape: said_certainty.shape && operand.certainty.shape,
            axes: said_certainty.axes && operand.certainty.axes,
        };
        let found = operand.value;
        let mut report = |key, text| {
            self.context.findings.add(&rules::DECLARED, Place::VariableKey(placeholder, key), text);
        };
        if known.shape && !agree(said, found) {
            report("shape", format!("the shape {} stands for {}", show(&said.shape), show(&found.shape)));
        }
        let both = said.data_type != DataType::Unknown && found.data_type != DataType::Unknown;
        if both && said.data_type != found.data_type {
            report("data_type", format!("the data type {:?} stands for {:?}", said.data_type, found.data_type));
        }
        if known.axes && said.axes != found.axes {
            report("dynamic_axis", "the dynamic axes are not those of what it stands for".to_owned());
        }
    }

    /// An axis comes from the first input that has it, or else from the op that makes it. Placeholders only name it.
    pub(super) fn find_origins(&mut self, order: &Order) {
        let mut settled = vec![false; self.context.axes.len()];
        let mut settle = |value: &ValueType, source: Source| {
            let Some(axis) = value.axes.sequence else { return };
            if let Some(slot) = settled.get_mut(axis.0 as usize)
                && !std::mem::replace(slot, true)
            {
                self.context.axes.set_origin(axis, source);
            }
        };
        for (id, variable) in ids::<VariableId, _>(&self.model.variables) {
            if variable.kind == VariableKind::Input
                && let Some(value) = self.values.variables.types.get(id)
            {
                settle(value, Source::Variable(id));
            }
        }
        for id in &order.order {
            let types = self.values.outputs.get(*id).map(|types| types.as_slice()).unwrap_or_default();
            for (i, value) in types.iter().enumerate() {
                settle(value, Source::Output(*id, FunctionId::of(i).0));
            }
        }
    }
}

/// Do two shapes agree where both are known?
fn agree(a: &ValueType, b: &ValueType) -> bool {
    let same = |(a, b): (&Dim, &Dim)| a.known().is_none() || b.known().is_none() || a == b;
    a.shape.len() == b.shape.len() && a.shape.iter().zip(&b.shape).all(same)
}
