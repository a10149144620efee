//! The cost of one evaluation in multiply-adds and memory, as formulas of the batch size and the length of its
//! sequences.

use cntk_parser::{
    model::{DataType, Dims, FunctionId, Source, ValidatedModel, ValueType, VariableKind},
    ops::Operator,
};
use std::{collections::HashMap, fmt};

/// The formula `fixed + batch * (per_sample + steps * per_step)`: an amount for the whole call, for each sample, and
/// for each step of each sample's sequences. If sequences have several lengths, `steps` is the longest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "said above")]
pub struct Amount {
    pub fixed: u64,
    pub per_sample: u64,
    pub per_step: u64,
}

/// The cost of one evaluation of a model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cost {
    /// Multiply-adds of matrix products and convolutions.
    pub multiply_adds: Amount,
    /// The number of elements in parameters and constants that the outputs need.
    pub parameters: u64,
    /// The number of needed functions whose sizes are only known at run time. The formulas do not include them.
    pub unknown: u64,
    /// Bytes of values that are alive at once, at the points of the evaluation where this may be largest.
    peaks: Vec<Amount>,
}

/// How many such points are kept. Further ones are merged into one that is at least as large as each of them.
const MOMENTS: usize = 32;

impl Cost {
    /// The cost of all outputs of a model.
    pub fn of(model: &ValidatedModel<'_>) -> Self {
        let needed = needed(model);
        let mut cost = Self { multiply_adds: Amount::default(), parameters: 0, unknown: 0, peaks: vec![] };
        let order: Vec<_> = model.order().iter().copied().filter(|id| needed.functions.contains_key(id)).collect();
        for id in &order {
            match Amount::multiply_adds(model, *id) {
                Some(amount) => cost.multiply_adds.add(amount),
                None => cost.unknown = cost.unknown.saturating_add(1),
            }
        }
        for id in model.variable_ids() {
            let stored = matches!(model.variable(id).kind, VariableKind::Parameter | VariableKind::Constant);
            if stored && needed.last.contains_key(&Source::Variable(id)) {
                let count = elements(&model.type_of(Source::Variable(id)).shape).unwrap_or(0);
                cost.parameters = cost.parameters.saturating_add(count);
            }
        }
        cost.activations(model, &order, &needed);
        cost
    }

    /// The largest number of bytes of values that are alive at once, if each has its own buffer and is freed after its
    /// last use. Parameters are not counted.
    pub fn peak_activation(&self, batch: u64, steps: u64) -> u64 {
        self.peaks.iter().map(|peak| peak.at(batch, steps)).max().unwrap_or(0)
    }

    /// The formulas of which the largest is [`peak_activation`](Self::peak_activation).
    pub fn peaks(&self) -> &[Amount] {
        &self.peaks
    }

    /// Follows which values are alive.
    fn activations(&mut self, model: &ValidatedModel<'_>, order: &[FunctionId], needed: &Needed) {
        let mut alive = Amount::default();
        let inputs = needed
            .last
            .keys()
            .filter(|s| matches!(s, Source::Variable(v) if model.variable(*v).kind == VariableKind::Input));
        inputs.for_each(|source| alive.add(self.bytes(model.type_of(*source))));
        self.moment(alive);
        let mut ends: HashMap<FunctionId, Vec<Source>> = HashMap::new();
        for (source, last) in &needed.last {
            if let Some(last) = last {
                ends.entry(*last).or_default().push(*source);
            }
        }
        for id in order {
            for kind in model.output_types(*id) {
                let bytes = self.bytes(kind);
                alive.add(bytes);
            }
            self.moment(alive);
            for source in ends.remove(id).unwrap_or_default() {
                let stored = matches!(source, Source::Variable(v) if model.variable(v).kind != VariableKind::Input);
                if !stored {
                    alive.subtract(Amount::of(model.type_of(source), size(model.type_of(source)).unwrap_or(0)));
                }
            }
        }
    }

    fn bytes(&mut self, kind: &ValueType) -> Amount {
        Amount::of(kind, size(kind).unwrap_or(0))
    }

    /// Keeps a point unless another one is at least as large for all batch sizes and lengths.
    fn moment(&mut self, now: Amount) {
        if self.peaks.iter().any(|peak| peak.covers(now)) {
            return;
        }
        self.peaks.retain(|peak| !now.covers(*peak));
        self.peaks.push(now);
        if self.peaks.len() > MOMENTS {
            let most = |of: fn(&Amount) -> u64| self.peaks.iter().map(of).max().unwrap_or(0);
            let all =
                Amount { fixed: most(|p| p.fixed), per_sample: most(|p| p.per_sample), per_step: most(|p| p.per_step) };
            self.peaks = vec![all];
        }
    }
}

impl Amount {
    /// The amount for a batch of samples whose sequences have this many steps.
    pub fn at(&self, batch: u64, steps: u64) -> u64 {
        let sample = self.per_sample.saturating_add(self.per_step.saturating_mul(steps));
        self.fixed.saturating_add(sample.saturating_mul(batch))
    }

    /// `n` for each instance of a value of this type: once, per sample or per step.
    fn of(kind: &ValueType, n: u64) -> Self {
        match (kind.axes.sequence, kind.axes.batch) {
            (Some(_), _) => Self { per_step: n, ..Self::default() },
            (None, true) => Self { per_sample: n, ..Self::default() },
            (None, false) => Self { fixed: n, ..Self::default() },
        }
    }

    /// The multiply-adds of a function; `None` if a size is free.
    pub(crate) fn multiply_adds(model: &ValidatedModel<'_>, id: FunctionId) -> Option<Self> {
        let count = multiply_adds(model, id)?;
        let kind = match model.operator(id) {
            // The result is a sum over the steps of the operands.
            Operator::Times(times) if times.reduces_sequence() => model.type_of(*model.inputs(id).first()?),
            _ => model.output_types(id).first()?,
        };
        Some(Self::of(kind, count))
    }

    pub(crate) fn add(&mut self, more: Self) {
        self.fixed = self.fixed.saturating_add(more.fixed);
        self.per_sample = self.per_sample.saturating_add(more.per_sample);
        self.per_step = self.per_step.saturating_add(more.per_step);
    }

    fn subtract(&mut self, less: Self) {
        self.fixed = self.fixed.saturating_sub(less.fixed);
        self.per_sample = self.per_sample.saturating_sub(less.per_sample);
        self.per_step = self.per_step.saturating_sub(less.per_step);
    }

    fn covers(&self, other: Self) -> bool {
        self.fixed >= other.fixed && self.per_sample >= other.per_sample && self.per_step >= other.per_step
    }
}

/// `12 + batch * (345 + steps * 678)`, without terms that are zero.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sample = match (self.per_sample, self.per_step) {
            (0, 0) => None,
            (n, 0) => Some(format!("batch * {n}")),
            (0, n) => Some(format!("batch * steps * {n}")),
            (n, m) => Some(format!("batch * ({n} + steps * {m})")),
        };
        match (self.fixed, sample) {
            (n, None) => write!(f, "{n}"),
            (0, Some(sample)) => f.write_str(&sample),
            (n, Some(sample)) => write!(f, "{n} + {sample}"),
        }
    }
}

/// The functions and values that the outputs need.
struct Needed {
    functions: HashMap<FunctionId, ()>,
    /// For each value, the function that uses it last; `None` if it is an output.
    last: HashMap<Source, Option<FunctionId>>,
}

fn needed(model: &ValidatedModel<'_>) -> Needed {
    let mut needed = Needed { functions: HashMap::new(), last: HashMap::new() };
    let mut waiting: Vec<_> = model.outputs().iter().map(|output| output.source).collect();
    while let Some(source) = waiting.pop() {
        if let Source::Output(id, _) = source
            && needed.functions.insert(id, ()).is_none()
        {
            waiting.extend_from_slice(model.inputs(id));
        }
    }
    for id in model.order().iter().filter(|id| needed.functions.contains_key(id)) {
        for source in model.inputs(*id) {
            needed.last.insert(*source, Some(*id));
        }
        // An unused value is freed at once.
        for i in (0..).take(model.output_types(*id).len()) {
            needed.last.entry(Source::Output(*id, i)).or_insert(Some(*id));
        }
    }
    for output in model.outputs() {
        needed.last.insert(output.source, None);
    }
    needed
}

fn size(kind: &ValueType) -> Option<u64> {
    let width = match kind.data_type {
        DataType::Double => 8,
        DataType::Float16 | DataType::Int16 => 2,
        DataType::Int8 => 1,
        DataType::Float | DataType::Unknown => 4,
    };
    elements(&kind.shape)?.checked_mul(width)
}

/// The multiply-adds of a function for one instance of its result: 0 if it computes no products, `None` if a size is
/// free.
fn multiply_adds(model: &ValidatedModel<'_>, id: FunctionId) -> Option<u64> {
    let shape = |input: usize| model.inputs(id).get(input).map(|source| &model.type_of(*source).shape);
    let output = || elements(&model.output_types(id).first()?.shape);
    match model.operator(id) {
        // Each element of the output is a sum over the axes that both operands share.
        Operator::Times(times) => {
            let right = elements(shape(0)?)?;
            let kept = last(shape(0)?, times.output_rank)?;
            output()?.checked_mul(right.checked_div(kept)?)
        }
        Operator::TransposeTimes(times) => {
            let left = elements(shape(0)?)?;
            let kept = first(shape(0)?, times.output_rank)?;
            output()?.checked_mul(left.checked_div(kept)?)
        }
        // The kernel is [outputs, inputs per group, window…]. A transposed convolution applies it to each input
        // element.
        Operator::Convolution(convolution) => {
            let per_output = elements(shape(0)?)?.checked_div(shape(0)?.first()?.known()?)?;
            let places = if convolution.transpose { elements(shape(1)?)? } else { output()? };
            places.checked_mul(per_output)
        }
        // Other operators compute no products, but their sizes must be known.
        _ => model.output_types(id).iter().try_fold(0, |_, kind| size(kind).map(|_| 0)),
    }
}

fn elements(shape: &Dims) -> Option<u64> {
    shape.iter().try_fold(1u64, |n, d| n.checked_mul(d.known()?))
}

fn last(shape: &Dims, count: u64) -> Option<u64> {
    let skip = shape.len().saturating_sub(usize::try_from(count).ok()?);
    shape.iter().skip(skip).try_fold(1u64, |n, d| n.checked_mul(d.known()?))
}

fn first(shape: &Dims, count: u64) -> Option<u64> {
    shape.iter().take(usize::try_from(count).ok()?).try_fold(1u64, |n, d| n.checked_mul(d.known()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_leave_out_what_is_zero() {
        let amount = |fixed, per_sample, per_step| Amount { fixed, per_sample, per_step };
        let shown = [amount(0, 0, 0), amount(0, 7, 0), amount(3, 0, 5), amount(3, 7, 5)].map(|a| a.to_string());
        assert_eq!(shown, ["0", "batch * 7", "3 + batch * steps * 5", "3 + batch * (7 + steps * 5)"]);
        assert_eq!(amount(3, 7, 5).at(2, 10), 3 + 2 * (7 + 50));
    }

    fn of(name: &str) -> Cost {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name);
        let bytes = std::fs::read(path).unwrap();
        let file = cntk_parser::ModelFile::new(&bytes);
        let model = cntk_parser::parse(&file, &cntk_parser::Limits::default()).unwrap();
        let model = cntk_parser::validate(model, &cntk_parser::ValidateOptions::default()).model.unwrap();
        Cost::of(&model)
    }

    #[test]
    fn a_convolutional_net_costs_by_the_sample_and_a_recurrent_one_by_the_step() {
        let net = of("zoo/alexnet_small.model");
        assert!(net.multiply_adds.per_sample > 1_000_000 && net.multiply_adds.per_step == 0, "{net:?}");
        assert!(net.peak_activation(1, 1) >= 4 * 3 * 67 * 67, "the input alone");
        assert_eq!(net.peak_activation(10, 1), net.peak_activation(10, 99));
        let tagger = of("zoo/word_lm_peephole_projection.model");
        assert!(tagger.multiply_adds.per_step > 0 && tagger.peak_activation(1, 20) > tagger.peak_activation(1, 10));
    }

    #[test]
    fn a_product_over_the_sequence_costs_by_the_step() {
        let product = of("attributes/times_over_sequence_of_matrices.model").multiply_adds;
        assert_eq!(product, Amount { per_step: 3 * 4, ..Amount::default() });
    }
}
