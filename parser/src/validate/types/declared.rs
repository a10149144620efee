//! Compares placeholder records with the values that they stand for, and finds the origin of each sequence axis.

use super::node::{Node, Stage};
use super::value::{Certainty, Operand, show};
use super::{Inference, axes, shapes};
use crate::model::{DataType, Dim, Dims, FunctionId, Source, ValueType, VariableId, VariableKind};
use crate::ops::Operator;
use crate::report::Severity;
use crate::validate::arena::{Id, ids};
use crate::validate::findings::Place;
use crate::validate::graph::Order;
use crate::validate::rules;
use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;

impl<'a> Inference<'_, '_, 'a> {
    /// Reports placeholders whose record has another type than the value that they stand for. CNTK infers types first
    /// with the record and then with the value, so a difference is an error if a reader of the placeholder cannot be
    /// inferred with the record.
    pub(super) fn report_declared(&mut self) {
        let resolution = self.resolution;
        let formal = resolution.arguments.iter().filter_map(|(id, argument)| Some((id, (*argument)?)));
        let mut differences: Vec<Difference> = Vec::new();
        for (placeholder, source) in resolution.forward.iter().copied().chain(formal) {
            differences.extend(self.difference(placeholder, source));
        }
        if differences.is_empty() {
            return;
        }
        let failing = self.failing_readers(&differences);
        for difference in differences {
            let fails = failing.contains(&difference.placeholder);
            let severity = if fails { Severity::Error } else { difference.severity };
            let place = Place::VariableKey(difference.placeholder, difference.key);
            self.context.findings.add_as(&rules::DECLARED, severity, place, difference.text);
        }
    }

    /// The difference between the type in a placeholder's record and that of the value that it stands for.
    fn difference(&self, placeholder: VariableId, source: Source) -> Option<Difference> {
        let said = self.values.variables.types.get(placeholder)?;
        let said_certainty = self.values.variables.certainty.get(placeholder).copied().unwrap_or_default();
        let operand = self.values.operand(source, None);
        let found = operand.value;
        let differs = |key, severity, text| Some(Difference { placeholder, key, severity, text });
        if said.data_type != DataType::Unknown
            && found.data_type != DataType::Unknown
            && said.data_type != found.data_type
        {
            let text = format!(
                "the data type is {:?}, but that of the value that it stands for is {:?}",
                said.data_type, found.data_type
            );
            return differs("data_type", Severity::Error, text);
        }
        if said_certainty.shape && operand.certainty.shape && !agree(&said.shape, &found.shape) {
            let long = |shape: &Dims| -> Dims { shape.iter().copied().filter(|n| *n != Dim::Known(1)).collect() };
            let as_many = agree(&long(&said.shape), &long(&found.shape));
            let severity = if as_many { Severity::Note } else { Severity::Warning };
            return differs(
                "shape",
                severity,
                format!(
                    "the shape is {}, but that of the value that it stands for is {}",
                    show(&said.shape),
                    show(&found.shape)
                ),
            );
        }
        if said_certainty.axes && operand.certainty.axes && said.axes != found.axes {
            let text = "the dynamic axes are not those of the value that it stands for".to_owned();
            return differs("dynamic_axis", Severity::Warning, text);
        }
        None
    }

    /// The placeholders whose recorded types make a function that reads them fail.
    fn failing_readers(&mut self, differences: &[Difference]) -> HashSet<VariableId> {
        let uid = |id: VariableId| self.model.variables.get(id.place()).map(|v| v.uid);
        let said: HashMap<&str, VariableId> =
            differences.iter().filter_map(|d| Some((uid(d.placeholder)?, d.placeholder))).collect();
        let mut failing = HashSet::new();
        for (id, function) in ids::<FunctionId, _>(&self.model.functions) {
            let read: SmallVec<[Option<VariableId>; 3]> =
                function.inputs.iter().map(|uid| said.get(uid).copied()).collect();
            if read.iter().any(Option::is_some) && !self.goes_with(id, &read) {
                failing.extend(read.into_iter().flatten());
            }
        }
        failing
    }

    /// Can a function be inferred if some of its inputs have the types in the records of placeholders?
    fn goes_with(&mut self, id: FunctionId, said: &[Option<VariableId>]) -> bool {
        let Some(function) = self.model.functions.get(id.place()) else { return true };
        let Some(operator) = self.operators.get(id) else { return true };
        let sources = self.resolution.inputs.get(id).map(|i| i.as_slice()).unwrap_or_default();
        let operand = |(source, said): (&Source, &Option<VariableId>)| {
            self.values.operand(said.map_or(*source, Source::Variable), None)
        };
        let operands: SmallVec<[Operand<'_>; 3]> = sources.iter().zip(said).map(operand).collect();
        if matches!(operator, Operator::Block | Operator::User | Operator::Combine)
            || !operands.iter().all(|operand| operand.certainty == Certainty::ALL)
        {
            return true;
        }
        self.context.stage = Stage::Searching;
        let mut node = Node { context: &mut self.context, id, function, operands: &operands, in_loop: false, fresh: 0 };
        let goes = shapes::infer(&mut node, operator).is_some() && axes::infer(&mut node, operator).is_some();
        self.context.stage = Stage::Final;
        goes
    }

    /// Finds the origin of each axis: the first input that has it, or else the op that creates it. Placeholders only
    /// name it.
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

/// A placeholder whose record has another type than the value that it stands for.
struct Difference {
    placeholder: VariableId,
    key: &'static str,
    /// The severity if all readers can be inferred with the record.
    severity: Severity,
    text: String,
}

/// Do two shapes agree where both are known?
fn agree(a: &Dims, b: &Dims) -> bool {
    let same = |(a, b): (&Dim, &Dim)| a.known().is_none() || b.known().is_none() || a == b;
    a.len() == b.len() && a.iter().zip(b).all(same)
}
