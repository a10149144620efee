//! Recognises outputs that are needed only for training by the structure of the graph.
//!
//! A custom loss or metric is a number per sample that compares a prediction with a label. It shares computation with
//! another output, and it reads an input (the label) that no other output needs and that reaches it without passing any
//! learned weights.

use cntk_parser::model::{FunctionId, Output, Source, ValidatedModel, VariableId, VariableKind};
use hashbrown::HashMap;

/// The most outputs or inputs that are examined, because each is a bit of a word. A model with more is skipped.
const MOST: usize = 64;

/// For each output that is a criterion, the reason. Outputs in `known` are already known to be criteria and get no
/// reason.
pub(super) fn by_structure(model: &ValidatedModel<'_>, outputs: &[Output<'_>], known: &[bool]) -> Vec<Option<String>> {
    let mut reasons = vec![None; outputs.len()];
    let asked: Vec<usize> = (0..outputs.len()).filter(|i| !known[*i]).collect();
    if asked.len() > MOST || !asked.iter().any(|i| is_number(model, &outputs[*i])) {
        return reasons;
    }
    let sources: Vec<Source> = asked.iter().map(|i| outputs[*i].source).collect();
    let Some(flow) = Flow::new(model, &sources) else { return reasons };
    let numbers = asked.iter().enumerate().filter(|(_, i)| is_number(model, &outputs[**i]));
    let criteria = flow.criteria(numbers.fold(0, |bits, (bit, _)| bits | 1 << bit), mask(asked.len()));
    for (bit, i) in asked.iter().enumerate().filter(|(bit, _)| criteria >> bit & 1 == 1) {
        let compared = (0..asked.len()).find(|other| criteria >> other & 1 == 0 && flow.shares(bit, 1 << other));
        let compared = compared.map(|other| outputs[asked[other]].to_string());
        let compared = compared.unwrap_or_else(|| "a prediction".to_owned());
        let labels = flow.labels(bit, !criteria);
        let labels = flow.inputs.iter().enumerate().filter(|(l, _)| labels >> l & 1 == 1);
        let labels: Vec<&str> = labels.map(|(_, v)| name(model, *v)).collect();
        let inputs = if labels.len() == 1 { "the input" } else { "the inputs" };
        let text = format!("it compares {compared} with {inputs} {}, which nothing else needs", labels.join(" and "));
        reasons[*i] = Some(text);
    }
    reasons
}

/// The values that criteria compare with labels: in a model that has only criteria, these may be the useful outputs.
pub(super) fn predictions(model: &ValidatedModel<'_>, outputs: &[Output<'_>]) -> Vec<String> {
    let sources: Vec<Source> = outputs.iter().take(MOST).map(|o| o.source).collect();
    let Some(flow) = Flow::new(model, &sources) else { return Vec::new() };
    let labels = (0..sources.len()).fold(0, |labels, bit| labels | flow.labels(bit, 0));
    let mut found: Vec<String> = Vec::new();
    for f in model.order().iter().filter(|f| flow.takes(Source::Output(**f, 0)) & labels != 0) {
        for source in model.inputs(*f) {
            let Source::Output(operand, _) = source else { continue };
            let takes = flow.takes(*source);
            // An operand in the same block as the criterion is a part of the criterion.
            let apart = outermost(model, *operand).is_none_or(|block| outermost(model, *f) != Some(block));
            if takes != 0 && takes & labels == 0 && flow.needed(*f) != 0 && apart {
                let shown = named(model, *operand);
                if !found.contains(&shown) {
                    found.push(shown);
                }
            }
        }
    }
    found
}

/// Is an output one number for each sample, or for the whole minibatch?
fn is_number(model: &ValidatedModel<'_>, output: &Output<'_>) -> bool {
    matches!(output.source, Source::Output(..))
        && model.is_known(output.source)
        && model.type_of(output.source).shape.iter().all(|n| n.known() == Some(1))
}

/// A function by the name that its author knows: its own, or that of the outermost named block around it.
fn named(model: &ValidatedModel<'_>, f: FunctionId) -> String {
    let mut best = f;
    let mut at = Some(f);
    while let Some(id) = at {
        if !model.function(id).name.is_empty() {
            best = id;
        }
        at = model.parent(id);
    }
    let function = model.function(best);
    if function.name.is_empty() { function.uid.to_owned() } else { function.name.to_owned() }
}

/// The outermost block around a function.
fn outermost(model: &ValidatedModel<'_>, f: FunctionId) -> Option<FunctionId> {
    std::iter::successors(model.parent(f), |block| model.parent(*block)).last()
}

fn name<'a>(model: &ValidatedModel<'a>, id: VariableId) -> &'a str {
    let variable = model.variable(id);
    if variable.name.is_empty() { variable.uid } else { variable.name }
}

fn mask(count: usize) -> u64 {
    if count >= MOST { u64::MAX } else { (1 << count) - 1 }
}

/// For each value, the outputs that need it and the inputs that it depends on.
struct Flow {
    inputs: Vec<VariableId>,
    /// By function: the outputs that need it.
    needed: Vec<u64>,
    /// By input: the outputs that need it.
    input_needed: Vec<u64>,
    /// By function: the inputs that it depends on.
    takes: Vec<u64>,
    input_bits: HashMap<VariableId, u64>,
    /// By output: the inputs that pass learned weights on the way to it.
    learned: Vec<u64>,
}

impl Flow {
    /// Computes the sets in linear time; `None` if the model has too many inputs.
    fn new(model: &ValidatedModel<'_>, outputs: &[Source]) -> Option<Self> {
        let is_input =
            |v: &VariableId| matches!(model.variable(*v).kind, VariableKind::Input | VariableKind::Placeholder);
        let count = model.model().functions.len();
        let mut flow = Self {
            inputs: Vec::new(),
            needed: vec![0; count],
            input_needed: Vec::new(),
            takes: vec![0; count],
            input_bits: HashMap::new(),
            learned: vec![0; outputs.len()],
        };
        let operands = || model.order().iter().flat_map(|f| model.inputs(*f)).chain(outputs);
        for source in operands() {
            if let Source::Variable(v) = source
                && is_input(v)
                && !flow.input_bits.contains_key(v)
            {
                if flow.inputs.len() == MOST {
                    return None;
                }
                flow.input_bits.insert(*v, 1 << flow.inputs.len());
                flow.inputs.push(*v);
            }
        }
        flow.input_needed = vec![0; flow.inputs.len()];
        for (bit, source) in outputs.iter().enumerate() {
            flow.need(*source, 1 << bit);
        }
        // Members of a recurrence are consecutive, so a second pass propagates what went round a loop in the first.
        for _ in 0..2 {
            for f in model.order().iter().rev() {
                let bits = flow.needed[f.index()];
                model.inputs(*f).iter().for_each(|source| flow.need(*source, bits));
            }
            for f in model.order() {
                let bits = model.inputs(*f).iter().fold(0, |bits, source| bits | flow.takes(*source));
                flow.takes[f.index()] |= bits;
            }
            if model.loops().is_empty() {
                break;
            }
        }
        for f in model.order() {
            let weight = |source: &Source| matches!(source, Source::Variable(v) if model.variable(*v).kind == VariableKind::Parameter);
            if model.inputs(*f).iter().any(weight) {
                let (needed, takes) = (flow.needed[f.index()], flow.takes[f.index()]);
                flow.learned
                    .iter_mut()
                    .enumerate()
                    .filter(|(bit, _)| needed >> bit & 1 == 1)
                    .for_each(|(_, l)| *l |= takes);
            }
        }
        Some(flow)
    }

    /// Which of the outputs in `numbers` are criteria: those that need a label and share computation with an output
    /// that is not a criterion. If all outputs need labels and use learned weights, all are criteria.
    fn criteria(&self, numbers: u64, all: u64) -> u64 {
        let bits = |criteria: u64, keep: &dyn Fn(usize) -> bool| {
            (0..MOST).filter(|bit| criteria >> bit & 1 == 1 && keep(*bit)).fold(0, |bits, bit| bits | 1 << bit)
        };
        let mut criteria = numbers;
        loop {
            // An output that turns out not to be a criterion may need an input, which then is not a label.
            let mut next = bits(criteria, &|bit| self.labels(bit, !criteria) != 0);
            if next == criteria {
                if criteria == all {
                    return bits(criteria, &|bit| self.learned[bit] != 0);
                }
                next = bits(criteria, &|bit| self.shares(bit, all & !criteria));
            }
            if next == criteria {
                return criteria;
            }
            criteria = next;
        }
    }

    fn need(&mut self, source: Source, bits: u64) {
        match source {
            Source::Output(f, _) => self.needed[f.index()] |= bits,
            Source::Variable(v) => {
                if let Some(bit) = self.input_bits.get(&v) {
                    self.input_needed[bit.trailing_zeros() as usize] |= bits;
                }
            }
        }
    }

    fn needed(&self, f: FunctionId) -> u64 {
        self.needed[f.index()]
    }

    /// The inputs that a value depends on.
    fn takes(&self, source: Source) -> u64 {
        match source {
            Source::Output(f, _) => self.takes[f.index()],
            Source::Variable(v) => self.input_bits.get(&v).copied().unwrap_or(0),
        }
    }

    /// The labels of an output: inputs that it needs, that no output in `kept` needs, and that pass no learned weights.
    fn labels(&self, output: usize, kept: u64) -> u64 {
        let label = |needed: u64| needed >> output & 1 == 1 && needed & kept & !(1 << output) == 0;
        let labels = self.input_needed.iter().enumerate().filter(|(_, needed)| label(**needed));
        labels.fold(0, |bits, (l, _)| bits | 1 << l) & !self.learned[output]
    }

    /// Does an output need a function that one of `others` also needs?
    fn shares(&self, output: usize, others: u64) -> bool {
        let others = others & !(1 << output);
        self.needed.iter().any(|needed| needed >> output & 1 == 1 && needed & others != 0)
    }
}
