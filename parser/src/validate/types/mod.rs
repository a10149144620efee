//! Infers types, that is shape, element type and dynamic axes of every value, in the order of evaluation (spec part 4).
//!
//! The members of a recurrence are inferred again whenever the type of an input changes, until nothing changes. A delay
//! has the type that was inferred for it last. Findings about the members are kept only in a final pass.

mod axes;
mod classes;
mod data_type;
mod declared;
mod node;
mod placeholders;
mod sequence_axes;
mod shapes;
mod value;
mod variables;
mod worklist;

use super::arena::{Id, PerId};
use super::findings::{Findings, Place};
use super::graph::Order;
use super::operators::Operators;
use super::resolve::Resolution;
use super::{ValidateOptions, rules};
use crate::model::{
    DataType, Dims, DynamicAxes, FunctionId, Loop, LoopId, Model, SequenceAxis, Source, ValueType, VariableId,
    VariableKind,
};
use crate::ops::Operator;
use hashbrown::{HashMap, HashSet};
use node::{Context, Node, Stage};
use sequence_axes::SequenceAxes;
use smallvec::SmallVec;
use value::{Certainty, Operand, alike, unknown};
use variables::Variables;
use worklist::Worklist;

/// How often, on average, a member of a recurrence is inferred before it is reported that its shapes do not settle.
const MOST_LOOKS: usize = 32;

/// The result of inference.
pub(crate) struct Types<'a> {
    pub(crate) variables: PerId<VariableId, ValueType>,
    pub(crate) outputs: PerId<FunctionId, SmallVec<[ValueType; 1]>>,
    /// Values whose shape or dynamic axes stayed unknown.
    pub(crate) unknown: HashSet<Source>,
    pub(crate) sequence_axes: Vec<SequenceAxis<'a>>,
}

/// Infers the type of every value.
pub(crate) fn infer<'a>(
    model: &Model<'a>,
    operators: &Operators<'a>,
    resolution: &Resolution<'a>,
    order: &Order,
    options: &ValidateOptions,
    findings: &mut Findings<'_, 'a>,
) -> Types<'a> {
    let mut context = Context {
        model,
        findings,
        stage: Stage::Final,
        next_free: 0,
        made: HashMap::new(),
        axes: SequenceAxes::default(),
    };
    let mut variables = variables::declared(model, &mut context);
    placeholders::assume(operators, resolution, &options.placeholders, &mut variables, &mut context);
    let mut hints = PerId::filled(model.functions.len(), None);
    for (placeholder, source) in &resolution.forward {
        if let Source::Output(f, 0) = source {
            hints.set(*f, Some(*placeholder));
        }
    }
    let mut inference = Inference {
        hints,
        model,
        operators,
        resolution,
        values: Values {
            model,
            order,
            variables,
            outputs: PerId::filled(model.functions.len(), SmallVec::new()),
            certainty: PerId::filled(model.functions.len(), Certainty::default()),
            nothing: unknown(),
        },
        context,
    };
    let mut ids = order.order.iter().copied();
    while let Some(id) = ids.next() {
        match order.loop_of.get(id).copied().flatten().and_then(|l| order.loops.get(l.0 as usize)) {
            None => inference.function(id, None),
            Some(found) => {
                inference.recurrence(found);
                // The members of a recurrence are consecutive.
                for _ in found.members.iter().skip(1) {
                    ids.next();
                }
            }
        }
    }
    inference.report_unknown(order);
    inference.report_declared();
    inference.find_origins(order);
    Types {
        unknown: inference.values.unknown(),
        variables: inference.values.variables.types,
        outputs: inference.values.outputs,
        sequence_axes: inference.context.axes.into_list(),
    }
}

struct Inference<'i, 'm, 'a> {
    model: &'i Model<'a>,
    operators: &'i Operators<'a>,
    resolution: &'i Resolution<'a>,
    /// For each function, the placeholder that stands for its output, if there is one.
    hints: PerId<FunctionId, Option<VariableId>>,
    values: Values<'i, 'a>,
    context: Context<'i, 'm, 'a>,
}

/// What is known of each value so far.
struct Values<'i, 'a> {
    model: &'i Model<'a>,
    order: &'i Order,
    variables: Variables,
    outputs: PerId<FunctionId, SmallVec<[ValueType; 1]>>,
    certainty: PerId<FunctionId, Certainty>,
    /// The type of a value without a type.
    nothing: ValueType,
}

impl Values<'_, '_> {
    /// An input of a function. `within` is the recurrence that the function is a member of.
    fn operand(&self, source: Source, within: Option<LoopId>) -> Operand<'_> {
        let (value, certainty, constant, member) = match source {
            Source::Variable(v) => {
                let constant = self.model.variables.get(v.place()).is_some_and(|v| v.kind == VariableKind::Constant);
                (self.variables.types.get(v), self.variables.certainty.get(v), constant, None)
            }
            Source::Output(f, i) => {
                let member = self.order.loop_of.get(f).copied().flatten();
                (self.outputs.get(f).and_then(|types| types.get(i as usize)), self.certainty.get(f), false, member)
            }
        };
        let certainty = if value.is_some() { certainty.copied().unwrap_or_default() } else { Certainty::default() };
        let in_loop = within.is_some() && member == within;
        Operand { source, value: value.unwrap_or(&self.nothing), certainty, constant, in_loop }
    }
}

impl Values<'_, '_> {
    /// The values whose types are not fully known: unbound placeholders, user-defined functions and everything after
    /// them.
    fn unknown(&self) -> HashSet<Source> {
        let unknown = |certainty: &Certainty| *certainty != Certainty::ALL;
        let variables = self.variables.certainty.iter().filter(|(_, c)| unknown(c)).map(|(v, _)| Source::Variable(v));
        let outputs = self.order.order.iter().filter(|f| self.certainty.get(**f).is_some_and(unknown)).flat_map(|f| {
            let count = self.outputs.get(*f).map_or(0, |types| u32::try_from(types.len()).unwrap_or(u32::MAX));
            (0..count).map(|i| Source::Output(*f, i))
        });
        variables.chain(outputs).collect()
    }
}

impl<'a> Inference<'_, '_, 'a> {
    /// Infers one function from its inputs.
    fn function(&mut self, id: FunctionId, within: Option<LoopId>) {
        let Some(function) = self.model.functions.get(id.place()) else { return };
        let sources = self.resolution.inputs.get(id).map(|i| i.as_slice()).unwrap_or_default();
        let operands: SmallVec<[Operand<'_>; 3]> =
            sources.iter().map(|source| self.values.operand(*source, within)).collect();
        let count = self.resolution.output_counts.get(id).copied().unwrap_or(1);
        let mut made = ValueType { shape: Dims::new(), data_type: DataType::Unknown, axes: DynamicAxes::default() };
        let mut certainty = Certainty::default();
        let mut second = None;
        // Nothing is known of the outputs of an invalid operator.
        if let Some(operator) = self.operators.get(id) {
            let in_loop = within.is_some();
            let mut node = Node { context: &mut self.context, id, function, operands: &operands, in_loop, fresh: 0 };
            let shape = shapes::infer(&mut node, operator).filter(|shape| node.bounded(shape));
            let axes = axes::infer(&mut node, operator);
            made.data_type = data_type::infer(&mut node, operator);
            certainty = Certainty { shape: shape.is_some(), axes: axes.is_some() };
            made.axes = axes.unwrap_or(DynamicAxes { batch: true, sequence: None });
            if let Some(shape) = shape {
                if count > 1 {
                    second = Some(shapes::second(operator, &shape));
                }
                made.shape = shape;
            }
        }
        let mut types = SmallVec::with_capacity(count as usize);
        for _ in 1..count {
            types.push(ValueType { shape: second.clone().unwrap_or_default(), ..made.clone() });
        }
        types.insert(0, made);
        drop(operands);
        self.values.outputs.set(id, types);
        self.values.certainty.set(id, certainty);
    }

    /// Infers the members of a recurrence.
    fn recurrence(&mut self, found: &Loop) {
        self.hint(found);
        let mut list = Worklist::new(found, self.resolution);
        for stage in [Stage::Searching, Stage::Guessing] {
            self.context.stage = stage;
            found.members.iter().for_each(|member| list.push(*member));
            let mut looks = found.members.len().saturating_mul(MOST_LOOKS);
            while let Some(member) = list.pop().filter(|_| looks > 0) {
                looks = looks.saturating_sub(1);
                if self.look(member) {
                    list.changed(member);
                }
            }
            if found.members.iter().all(|member| self.values.certainty.get(*member) == Some(&Certainty::ALL)) {
                break;
            }
        }
        self.context.stage = Stage::Final;
        let mut changed = false;
        for member in &found.members {
            changed |= self.look(*member);
        }
        if changed {
            self.unsettled(found);
        }
        self.context.made.clear();
    }

    /// Infers a member from what is known now, and says whether its type changed.
    fn look(&mut self, member: FunctionId) -> bool {
        let before = self.values.outputs.get(member).cloned().unwrap_or_default();
        let was = self.values.certainty.get(member).copied().unwrap_or_default();
        self.function(member, self.values.order.loop_of.get(member).copied().flatten());
        if self.context.stage != Stage::Final {
            self.keep(member, &before, was);
        }
        let after = self.values.outputs.get(member).map(|types| types.as_slice()).unwrap_or_default();
        let same = |(a, b): (&ValueType, &ValueType)| {
            alike(&a.shape, &b.shape) && a.data_type == b.data_type && a.axes == b.axes
        };
        before.len() != after.len()
            || self.values.certainty.get(member) != Some(&was)
            || !before.iter().zip(after).all(same)
    }

    /// Keeps what was known of a member where inferring it again gave nothing.
    fn keep(&mut self, member: FunctionId, before: &[ValueType], was: Certainty) {
        let Some(certainty) = self.values.certainty.get_mut(member) else { return };
        let Some(types) = self.values.outputs.get_mut(member) else { return };
        for (new, old) in types.iter_mut().zip(before) {
            if was.shape && !certainty.shape {
                new.shape.clone_from(&old.shape);
            }
            if was.axes && !certainty.axes {
                new.axes = old.axes;
            }
            if new.data_type == DataType::Unknown {
                new.data_type = old.data_type;
            }
        }
        *certainty = Certainty { shape: certainty.shape || was.shape, axes: certainty.axes || was.axes };
    }

    /// Initializes members with the types in the records of forward references.
    fn hint(&mut self, found: &Loop) {
        for member in &found.members {
            let Some(hint) = self.hints.get(*member).copied().flatten() else { continue };
            let Some(value) = self.values.variables.types.get(hint) else { continue };
            let certainty = self.values.variables.certainty.get(hint).copied().unwrap_or_default();
            let count = self.resolution.output_counts.get(*member).copied().unwrap_or(1);
            // Skip free sizes: in the record such a size is a new one, while the loop's comes from outside of it.
            let sized = value.shape.iter().all(|d| d.known().is_some());
            if count == 1 && certainty.shape && sized {
                self.values.outputs.set(*member, SmallVec::from_elem(value.clone(), 1));
                self.values.certainty.set(*member, certainty);
            }
        }
    }

    /// Reports that the shapes of a loop do not settle, unless there is an error already, from which that may follow.
    fn unsettled(&mut self, found: &Loop) {
        if self.context.findings.errors() > 0 {
            return;
        }
        if let Some(first) = found.members.first() {
            let text = "the shapes of this loop do not settle".to_owned();
            self.context.findings.add(&rules::LOOP_SHAPES, Place::Function(*first), text);
        }
    }

    /// Warns of types that stay unknown. That happens behind an unbound placeholder or a user-defined function;
    /// elsewhere a type is unknown only after another finding.
    fn report_unknown(&mut self, order: &Order) {
        let mut first = None;
        for id in &order.order {
            if self.values.certainty.get(*id) == Some(&Certainty::ALL) {
                continue;
            }
            if matches!(self.operators.get(*id), Some(Operator::User | Operator::Foreign(_))) {
                continue;
            }
            first = first.or(Some(*id));
        }
        let Some(first) = first else { return };
        if self.context.findings.errors() > 0 {
            return;
        }
        let opaque = |o: &Operator<'_>| matches!(o, Operator::User | Operator::Foreign(_));
        let explained = !self.resolution.unbound.is_empty() || self.operators.iter().any(|(_, o)| opaque(o));
        let rule = if explained { &rules::UNKNOWN_TYPE } else { &rules::LOOP_SHAPES };
        let text = "the shape or the dynamic axes cannot be inferred".to_owned();
        self.context.findings.add(rule, Place::Function(first), text);
    }
}
