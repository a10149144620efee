//! Evaluates the needed functions, inputs first, and recurrences step by step.

use crate::Options;
use crate::delay::{Delay, Shift};
use crate::fault::{EvaluationError, Fault, fault};
use crate::jitter::{as_read, jittered, nan_decides, unknown};
use crate::limits::Meter;
use crate::ops::{Call, apply};
use crate::precision::rounded;
use crate::ring::{Ring, Step};
use crate::stored;
use crate::value::{Frames, Value};
use cntk_parser::model::{DataType, Dim, FunctionId, LoopId, Source, ValidatedModel, VariableKind};
use cntk_parser::ops::Operator;
use fastrand::Rng;
use std::collections::{HashMap, HashSet};

/// The state of an evaluation.
pub(crate) struct Walk<'m> {
    model: &'m ValidatedModel<'m>,
    pub(crate) meter: Meter,
    random: Option<Rng>,
    jitter: Option<Rng>,
    /// The values computed so far. A value is removed after its last use.
    values: HashMap<Source, Value>,
    /// For each value, the number of reads that are still to come.
    reads: HashMap<Source, usize>,
    /// The free sizes that are known so far.
    free: HashMap<u32, usize>,
}

impl<'m> Walk<'m> {
    pub(crate) fn new(model: &'m ValidatedModel<'m>, options: &Options) -> Self {
        let [random, jitter] = [options.seed, options.jitter].map(|seed| seed.map(Rng::with_seed));
        let meter = Meter::new(options.limits);
        Self { model, meter, random, jitter, values: HashMap::new(), reads: HashMap::new(), free: HashMap::new() }
    }

    /// Sets the value of an input.
    pub(crate) fn give(&mut self, source: Source, value: Value) {
        self.note_sizes(&self.model.type_of(source).shape, value.shape());
        self.meter.hold(value.data.len());
        self.values.insert(source, value);
    }

    /// Computes the values of some sources.
    pub(crate) fn run(&mut self, wanted: &[Source]) -> Result<Vec<Value>, EvaluationError> {
        let needed = needed(self.model, wanted);
        self.count_reads(&needed, wanted);
        let mut done: HashSet<LoopId> = HashSet::new();
        for id in self.model.order().iter().filter(|id| needed.contains(id)) {
            match self.model.loop_of(*id) {
                None => self.function(*id),
                Some(of) if done.insert(of) => self.recurrence(of, *id),
                Some(_) => Ok(()),
            }?;
        }
        let take = |source: &Source| self.value(*source).map_err(|e| self.unavailable(*source, e));
        wanted.iter().map(take).collect()
    }

    fn count_reads(&mut self, needed: &HashSet<FunctionId>, wanted: &[Source]) {
        let operands = needed.iter().flat_map(|id| self.model.inputs(*id));
        for source in operands.chain(wanted) {
            *self.reads.entry(*source).or_default() += 1;
        }
    }

    /// Evaluates one function outside of loops.
    fn function(&mut self, id: FunctionId) -> Result<(), EvaluationError> {
        let inputs = self.operands(id, |walk, source| walk.value(source));
        let results = inputs.and_then(|inputs| match delay_of(self.model, id) {
            Some(delay) => self.shifted(id, delay, &inputs).map(|value| vec![value]),
            None => self.apply(id, &inputs),
        });
        let results = results.map_err(|e| self.failed(id, e))?;
        for (i, value) in results.into_iter().enumerate() {
            self.keep(Source::Output(id, i as u32), value);
        }
        for source in self.model.inputs(id) {
            self.read(*source);
        }
        Ok(())
    }

    fn keep(&mut self, source: Source, value: Value) {
        if self.reads.contains_key(&source) {
            self.meter.hold(value.data.len());
            self.values.insert(source, value);
        }
    }

    /// Counts one read of a value, and removes it after the last one.
    fn read(&mut self, source: Source) {
        let Some(left) = self.reads.get_mut(&source) else { return };
        *left -= 1;
        if *left == 0
            && let Some(value) = self.values.remove(&source)
        {
            self.meter.release(value.data.len());
        }
    }

    /// A value that was computed already, or is stored in the file.
    fn value(&mut self, source: Source) -> Result<Value, Fault> {
        if let Some(value) = self.values.get(&source) {
            return Ok(value.clone());
        }
        let Source::Variable(id) = source else { return fault("it reads a value that is not computed") };
        let Some(array) = &self.model.variable(id).value else { return fault("it reads an input that is not given") };
        let value = stored::value(array, &mut self.meter)?;
        self.meter.hold(value.data.len());
        self.values.insert(source, value.clone());
        Ok(value)
    }

    /// The operands of a function. Constants are converted to the type of the result (spec 4.3).
    fn operands(
        &mut self,
        id: FunctionId,
        get: impl Fn(&mut Self, Source) -> Result<Value, Fault>,
    ) -> Result<Vec<Value>, Fault> {
        let model = self.model;
        let to = model.output_types(id).first().map_or(DataType::Unknown, |t| t.data_type);
        let keeps = matches!(model.operator(id), Operator::Cast(_) | Operator::BatchNormalization(_));
        let one = |source: &Source| {
            let value = get(self, *source)?;
            let converts = !keeps && is_constant(model, *source) && model.type_of(*source).data_type != to;
            Ok(if converts { rounded(value, to) } else { value })
        };
        model.inputs(id).iter().map(one).collect()
    }

    /// Applies an operator other than a delay, rounds the results to their types and checks their shapes against the
    /// model.
    fn apply(&mut self, id: FunctionId, inputs: &[Value]) -> Result<Vec<Value>, Fault> {
        let types = self.model.output_types(id);
        let random = self.random.as_mut();
        let operator = self.model.operator(id);
        let of = types.first().map_or(DataType::Unknown, |t| t.data_type);
        let read = self.jitter.as_mut().and_then(|jitter| as_read(operator, inputs, of, jitter));
        let inputs = read.as_deref().unwrap_or(inputs);
        let mut call = Call { model: self.model, id, inputs, types, meter: &mut self.meter, random };
        let results = apply(&mut call)?;
        let mut all = Vec::with_capacity(results.len());
        for (value, of) in results.into_iter().zip(types) {
            let fits = value.rank() == of.shape.len()
                && value
                    .shape()
                    .iter()
                    .zip(&of.shape)
                    .all(|(n, dim)| dim.known().is_none_or(|known| known == *n as u64));
            if !fits {
                return fault(format!("its result has the shape {:?}, the model says {:?}", value.shape(), of.shape));
            }
            self.note_sizes(&of.shape, value.shape());
            let value = rounded(value, of.data_type);
            all.push(match &mut self.jitter {
                Some(random) if nan_decides(operator, inputs) => unknown(&value, operator, random),
                Some(random) => jittered(&value, operator, inputs, of.data_type, random),
                None => value,
            });
        }
        Ok(all)
    }

    /// Applies a delay whose operand is known at all steps.
    fn shifted(&mut self, id: FunctionId, delay: Delay, inputs: &[Value]) -> Result<Value, Fault> {
        let [x, state] = inputs else { return fault("not two operands") };
        let shape = self.delayed_shape(id, state, Some(x.shape()));
        let shift = Shift { delay, state, from: x.shape(), shape: &shape };
        self.meter.room(&[&[x.frames.count()], shape.as_slice()].concat())?;
        let (rows, width) = (x.contiguous(), x.width());
        let mut elements = Vec::new();
        for (sample, frames) in x.frames.ranges().into_iter().enumerate() {
            let row = |t: usize| rows.get((frames.start + t) * width..(frames.start + t + 1) * width);
            for t in 0..frames.len() {
                elements.extend(shift.frame(row, [sample, t, frames.len()])?);
            }
        }
        Value::of(x.frames.clone(), &shape, elements)
    }

    fn note_sizes(&mut self, dims: &[Dim], shape: &[usize]) {
        for (dim, n) in dims.iter().zip(shape) {
            if let Dim::Free(id) = dim {
                self.free.insert(*id, *n);
            }
        }
    }

    /// The static shape of a delay's result in the model. A free size is that of the operand, or of the initial state if
    /// the operand is broadcast; at the first step of a loop it is that of another value with the same free size, or else
    /// that of the initial state.
    fn delayed_shape(&self, id: FunctionId, state: &Value, operand: Option<&[usize]>) -> Vec<usize> {
        let dims = self.model.output_types(id).first().map(|t| t.shape.as_slice()).unwrap_or_default();
        let at = |shape: &[usize], i: usize| (i + shape.len()).checked_sub(dims.len()).map(|i| shape[i]);
        let size = |(i, dim): (usize, &Dim)| match (dim, operand) {
            (Dim::Known(n), _) => *n as usize,
            (Dim::Free(_), Some(x)) => at(x, i).filter(|n| *n != 1).or_else(|| at(state.shape(), i)).unwrap_or(1),
            (Dim::Free(id), None) => self.free.get(id).copied().or_else(|| at(state.shape(), i)).unwrap_or(1),
        };
        dims.iter().enumerate().map(size).collect()
    }

    /// Evaluates a loop: computes all members for one step of every sequence before the next step. Sequences that have
    /// ended are skipped.
    fn recurrence(&mut self, of: LoopId, first: FunctionId) -> Result<(), EvaluationError> {
        let model = self.model;
        let ring = model.recurrence(of);
        let lengths = self.lengths(&ring.members).map_err(|e| self.failed(first, e))?;
        let mut ring = Ring::new(&ring.members, ring.backward, lengths);
        for step in 0..ring.longest() {
            let at = ring.at(step);
            for id in ring.members {
                self.member(*id, &mut ring, &at).map_err(|e| self.failed(*id, e))?;
            }
        }
        let frames = Frames::Steps(ring.lengths.clone().into());
        for (source, history) in ring.history {
            let value =
                Value::of(frames.clone(), &history.shape, history.elements).map_err(|e| self.failed(first, e))?;
            self.meter.release(value.data.len());
            self.keep(source, value);
        }
        for id in ring.members {
            for source in model.inputs(*id) {
                self.read(*source);
            }
        }
        Ok(())
    }

    /// The lengths of the sequences of a loop, from any value outside of it with the same axis.
    fn lengths(&mut self, members: &[FunctionId]) -> Result<Vec<usize>, Fault> {
        let model = self.model;
        let axis = members.first().and_then(|id| model.output_types(*id).first()).and_then(|t| t.axes.sequence);
        let of = members.first().and_then(|id| model.loop_of(*id));
        let outside = members.iter().flat_map(|id| model.inputs(*id)).filter(|source| !is_member(model, of, **source));
        let on_axis: Vec<Source> = outside.copied().filter(|s| model.type_of(*s).axes.sequence == axis).collect();
        for source in on_axis {
            if let Frames::Steps(lengths) = &self.value(source)?.frames {
                return Ok(lengths.to_vec());
            }
        }
        fault("nothing says how long the sequences of this loop are")
    }

    /// Evaluates one member of a loop at one step.
    fn member(&mut self, id: FunctionId, ring: &mut Ring<'_>, at: &Step) -> Result<(), Fault> {
        let model = self.model;
        let results = match delay_of(model, id) {
            Some(delay) => vec![self.delayed(id, delay, ring, at)?],
            None => {
                let inputs = self.operands(id, |walk, source| match ring.current.get(&source) {
                    Some(value) => Ok(value.clone()),
                    None => at.of(&walk.value(source)?),
                })?;
                self.apply(id, &inputs)?
            }
        };
        for (i, value) in results.into_iter().enumerate() {
            let value = value.spread(&Frames::Samples(at.samples.len()))?;
            ring.record(Source::Output(id, i as u32), &value, at, &mut self.meter)?;
            ring.current.insert(Source::Output(id, i as u32), value);
        }
        Ok(())
    }

    /// Evaluates a delay in a loop at one step. Its operand is read at an earlier step, or is known at all steps.
    fn delayed(&mut self, id: FunctionId, delay: Delay, ring: &Ring<'_>, at: &Step) -> Result<Value, Fault> {
        let [x, state] = self.model.inputs(id) else { return fault("not two operands") };
        let state = self.value(*state)?;
        let inside = is_member(self.model, self.model.loop_of(id), *x);
        let outside = if inside { None } else { Some(self.value(*x)?) };
        let history = ring.history.get(x);
        let known = history.map(|h| h.shape.as_slice()).or(outside.as_ref().map(Value::shape));
        let shape = self.delayed_shape(id, &state, known);
        let rows = outside.as_ref().map(Value::contiguous);
        let width = known.map_or(0, |shape| shape.iter().product());
        let elements = rows.as_deref().or(history.map(|h| h.elements.as_slice())).unwrap_or_default();
        let shift = Shift { delay, state: &state, from: known.unwrap_or_default(), shape: &shape };
        let mut all = Vec::new();
        for (sample, t) in at.samples.iter().zip(&at.steps) {
            let start = ring.starts[*sample];
            let row = |t: usize| elements.get((start + t) * width..(start + t + 1) * width);
            all.extend(shift.frame(row, [*sample, *t, ring.lengths[*sample]])?);
        }
        Value::of(Frames::Samples(at.samples.len()), &shape, all)
    }

    /// The error about a function.
    fn failed(&self, id: FunctionId, why: Fault) -> EvaluationError {
        self.unavailable(Source::Output(id, 0), why)
    }

    fn unavailable(&self, source: Source, why: Fault) -> EvaluationError {
        match why {
            Fault::Why(why) => match source {
                Source::Variable(v) => EvaluationError::Input { input: self.model.variable(v).uid.to_owned(), why },
                Source::Output(f, _) => {
                    let record = self.model.function(f);
                    let (uid, op) = (record.uid.to_owned(), self.model.operator(f).name());
                    EvaluationError::Operator { uid, op, at: record.at, why }
                }
            },
            Fault::Work(limit) => EvaluationError::Work { limit },
            Fault::Memory(limit) => EvaluationError::Memory { limit },
        }
    }
}

/// The functions on which some values depend.
pub(crate) fn needed(model: &ValidatedModel<'_>, wanted: &[Source]) -> HashSet<FunctionId> {
    let mut found = HashSet::new();
    let mut open: Vec<Source> = wanted.to_vec();
    while let Some(source) = open.pop() {
        if let Source::Output(id, _) = source
            && found.insert(id)
        {
            open.extend(model.inputs(id));
        }
    }
    found
}

fn is_member(model: &ValidatedModel<'_>, of: Option<LoopId>, source: Source) -> bool {
    matches!(source, Source::Output(id, _) if model.loop_of(id) == of)
}

fn is_constant(model: &ValidatedModel<'_>, source: Source) -> bool {
    matches!(source, Source::Variable(id) if model.variable(id).kind == VariableKind::Constant)
}

fn delay_of(model: &ValidatedModel<'_>, id: FunctionId) -> Option<Delay> {
    let offset = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    match model.operator(id) {
        Operator::PastValue(a) => Some(Delay { offset: offset(a.offset), future: false }),
        Operator::FutureValue(a) => Some(Delay { offset: offset(a.offset), future: true }),
        _ => None,
    }
}
