//! Types of unbound placeholders whose records do not give them: those that the caller states, or else those that the
//! functions around them need. (A C# or C++ program binds such placeholders after loading, and CNTK infers types then.)
//!
//! Values that must have the same element type, the same dynamic axes or the same shape form a class. What is known of
//! one member then holds for the placeholder. This takes time linear in the size of the model.

use super::classes::Classes;
use super::node::Context;
use super::value::{Certainty, show};
use super::variables::Variables;
use crate::model::{
    AxisKind, DataType, Dim, Dims, DynamicAxes, FunctionId, Model, Source, ValueType, VariableId, VariableKind,
};
use crate::ops::{Class, Operator, ShapeRule};
use crate::validate::PlaceholderType;
use crate::validate::arena::Id;
use crate::validate::findings::{Place, Quoted};
use crate::validate::operators::Operators;
use crate::validate::resolve::Resolution;
use crate::validate::rules;

/// The sequence axis that CNTK's Python API gives to a sequence that names none.
const DEFAULT_SEQUENCE: &str = "defaultDynamicAxis";

/// Fills in the types of the unbound placeholders.
pub(super) fn assume<'a>(
    operators: &Operators<'a>,
    resolution: &Resolution<'a>,
    given: &[PlaceholderType],
    variables: &mut Variables,
    context: &mut Context<'_, '_, 'a>,
) {
    let model = context.model;
    for id in &resolution.unbound {
        let Some(variable) = model.variables.get(id.place()) else { continue };
        if let Some(stated) = given.iter().rev().find(|g| [variable.uid, variable.name].contains(&&*g.placeholder)) {
            state(*id, stated, variables, context);
        }
    }
    let open: Vec<VariableId> = resolution.unbound.iter().copied().filter(|id| !is_settled(*id, variables)).collect();
    if open.is_empty() {
        return;
    }
    let mut needs = Needs::new(model);
    for (id, operator) in operators.iter() {
        let sources = resolution.inputs.get(id).map(|i| i.as_slice()).unwrap_or_default();
        needs.read(model, id, operator, sources, variables);
    }
    for id in open {
        needs.fill(id, variables, context);
    }
}

fn is_settled(id: VariableId, variables: &Variables) -> bool {
    let typed = variables.types.get(id).is_some_and(|value| value.data_type != DataType::Unknown);
    typed && variables.certainty.get(id) == Some(&Certainty::ALL)
}

/// Takes the type that the caller states.
fn state(id: VariableId, stated: &PlaceholderType, variables: &mut Variables, context: &mut Context<'_, '_, '_>) {
    let Some(value) = variables.types.get_mut(id) else { return };
    let Some(certainty) = variables.certainty.get_mut(id) else { return };
    value.data_type = stated.data_type;
    if let Some(dims) = &stated.dims {
        value.shape = dims.shape.iter().map(|n| n.map_or_else(|| context.fresh(), Dim::Known)).collect();
        let sequence = dims.sequence.then(|| context.axes.named(DEFAULT_SEQUENCE, Source::Variable(id)));
        value.axes = DynamicAxes { batch: dims.batch, sequence };
        *certainty = Certainty::ALL;
    }
}

/// The types that the functions of the model need their operands to have.
struct Needs {
    variables: usize,
    data_types: Classes<DataType>,
    /// The element types of constants. CNTK would convert a constant, so they count only if nothing else is known.
    constants: Classes<DataType>,
    /// The dynamic axes; `None` stands for a sequence axis that is not known.
    axes: Classes<Option<DynamicAxes>>,
    shapes: Classes<Dims>,
}

impl Needs {
    fn new(model: &Model<'_>) -> Self {
        let values = model.variables.len().saturating_add(model.functions.len());
        Self {
            variables: model.variables.len(),
            data_types: Classes::new(values),
            constants: Classes::new(values),
            axes: Classes::new(values),
            shapes: Classes::new(values),
        }
    }

    /// The index of a value in the classes. All outputs of a function share one.
    fn place(&self, source: Source) -> usize {
        match source {
            Source::Variable(id) => id.place(),
            Source::Output(id, _) => self.variables.saturating_add(id.place()),
        }
    }

    /// Joins the values that one function relates, and records what it needs.
    fn read(
        &mut self,
        model: &Model<'_>,
        id: FunctionId,
        operator: &Operator<'_>,
        sources: &[Source],
        variables: &Variables,
    ) {
        let output = self.place(Source::Output(id, 0));
        let mut operands = Vec::with_capacity(sources.len());
        for source in sources {
            let (kind, value, certainty) = match source {
                Source::Output(..) => (None, None, Certainty::default()),
                Source::Variable(v) => (
                    model.variables.get(v.place()).map(|v| v.kind),
                    variables.types.get(*v),
                    variables.certainty.get(*v).copied().unwrap_or_default(),
                ),
            };
            operands.push(Operand { place: self.place(*source), kind, value, certainty });
        }
        self.read_data_types(output, operator, &operands);
        self.read_axes(output, operator, &operands);
        self.read_shapes(output, operator, &operands);
    }

    fn read_data_types(&mut self, output: usize, operator: &Operator<'_>, operands: &[Operand<'_>]) {
        let alike = match operator {
            Operator::Cast(_) | Operator::CustomProxyOp(_) | Operator::User => return,
            // The statistics of a normalization may have another type: single precision beside half precision.
            Operator::BatchNormalization(_) => operands.get(..3).unwrap_or_default(),
            _ => operands,
        };
        for operand in alike {
            let data_type = operand.value.map_or(DataType::Unknown, |value| value.data_type);
            if operand.kind == Some(VariableKind::Constant) {
                self.constants.know(output, data_type);
                continue;
            }
            self.data_types.join(output, operand.place);
            self.constants.join(output, operand.place);
            if data_type != DataType::Unknown {
                self.data_types.know(output, data_type);
            }
        }
    }

    fn read_axes(&mut self, output: usize, operator: &Operator<'_>, operands: &[Operand<'_>]) {
        for operand in operands.iter().filter(|o| !o.is_stored() && o.certainty.axes) {
            if let Some(axes) = operand.value.map(|value| value.axes).filter(|axes| *axes != DynamicAxes::default()) {
                self.axes.know(operand.place, Some(axes));
            }
        }
        let needs_sequence = match operator {
            Operator::PastValue(_)
            | Operator::FutureValue(_)
            | Operator::OptimizedRNNStack(_)
            | Operator::UnpackSequence(_)
            | Operator::GatherPacked
            | Operator::PackedIndex
            | Operator::Where(_) => true,
            Operator::ReduceElements(reduce) => reduce.axes.iter().any(|axis| axis.kind() == AxisKind::Sequence),
            _ => false,
        };
        if let Some(first) = operands.first().filter(|_| needs_sequence) {
            self.axes.know(first.place, None);
        }
        let alike = match operator {
            Operator::GatherPacked | Operator::PackedIndex | Operator::ReconcileDynamicAxis => operands.get(1..2),
            Operator::ScatterPacked => operands.get(2..3),
            Operator::PastValue(_) | Operator::FutureValue(_) | Operator::OptimizedRNNStack(_) => operands.get(..1),
            Operator::ReduceElements(reduce) => {
                let dynamic = |kind| matches!(kind, AxisKind::Sequence | AxisKind::Batch | AxisKind::All);
                if reduce.axes.iter().any(|axis| dynamic(axis.kind())) { None } else { operands.get(..1) }
            }
            _ if has_axes_of_its_own(operator) => None,
            _ => Some(operands),
        };
        for operand in alike.unwrap_or_default().iter().filter(|o| !o.is_stored()) {
            self.axes.join(output, operand.place);
        }
    }

    fn read_shapes(&mut self, output: usize, operator: &Operator<'_>, operands: &[Operand<'_>]) {
        let known = |i: usize| operands.get(i).filter(|o| o.certainty.shape).and_then(|o| o.value).map(|v| &*v.shape);
        let needed: Option<Dims> = match (operator, known(0)) {
            (Operator::Times(times), Some(w)) if !times.reduces_sequence() => {
                let output_rank = usize::try_from(times.output_rank).unwrap_or(usize::MAX);
                w.len()
                    .checked_sub(output_rank)
                    .and_then(|reduced| w.get(..reduced))
                    .map(|r| r.iter().copied().collect())
            }
            (Operator::TransposeTimes(_), Some([r] | [_, r])) => Some(std::iter::once(*r).collect()),
            _ => None,
        };
        if let (Some(needed), Some(x)) = (needed, operands.get(1)) {
            self.shapes.know(x.place, needed);
        }
        if let (Some(x), true) = (operands.first(), keeps_shape(operator)) {
            self.shapes.join(output, x.place);
        }
    }

    /// Gives a placeholder the type that is needed of it.
    fn fill(&mut self, id: VariableId, variables: &mut Variables, context: &mut Context<'_, '_, '_>) {
        let Some(value) = variables.types.get_mut(id) else { return };
        let Some(certainty) = variables.certainty.get_mut(id) else { return };
        let place = id.place();
        if value.data_type == DataType::Unknown {
            let found = self.data_types.known(place).or(self.constants.known(place));
            value.data_type = found.copied().unwrap_or(DataType::Unknown);
        }
        if !certainty.shape
            && let Some(shape) = self.shapes.known(place)
        {
            value.shape.clone_from(shape);
            certainty.shape = true;
        }
        // The axes are of use only if the shape is known, too.
        if !certainty.axes && certainty.shape {
            value.axes = match self.axes.known(place) {
                Some(Some(axes)) => *axes,
                Some(None) => {
                    let sequence = context.axes.named(DEFAULT_SEQUENCE, Source::Variable(id));
                    DynamicAxes { batch: true, sequence: Some(sequence) }
                }
                None => DynamicAxes { batch: true, sequence: None },
            };
            certainty.axes = true;
        }
        if *certainty == Certainty::ALL && value.data_type != DataType::Unknown {
            let uid = context.model.variables.get(place).map_or("", |v| v.uid);
            let dynamic = [value.axes.batch.then_some("batch"), value.axes.sequence.map(|_| "sequence")];
            let dynamic: Vec<&str> = dynamic.into_iter().flatten().collect();
            let text = format!(
                "the placeholder {} is taken for a {:?} input of shape {} with the dynamic axes [{}], as the functions around it need",
                Quoted(uid),
                value.data_type,
                show(&value.shape),
                dynamic.join(", ")
            );
            context.findings.add(&rules::ASSUMED_TYPE, Place::Variable(id), text);
        }
    }
}

/// Are the dynamic axes of the result different from those of the operands together?
fn has_axes_of_its_own(operator: &Operator<'_>) -> bool {
    match operator {
        Operator::SumAll | Operator::ConvolutionSequenceShape(_) => true,
        Operator::Times(times) => times.reduces_sequence(),
        _ => matches!(operator.facts().class, Class::Criterion | Class::Sequence | Class::Foreign),
    }
}

/// Is the shape of the result that of the first operand, whatever the shapes of the others?
fn keeps_shape(operator: &Operator<'_>) -> bool {
    operator.facts().shape == ShapeRule::First
}

/// An operand, and what its record says of it.
struct Operand<'v> {
    place: usize,
    kind: Option<VariableKind>,
    value: Option<&'v ValueType>,
    certainty: Certainty,
}

impl Operand<'_> {
    fn is_stored(&self) -> bool {
        matches!(self.kind, Some(VariableKind::Parameter | VariableKind::Constant))
    }
}
