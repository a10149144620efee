//! Evidence: generated inputs for a model and the outputs that it computes from them, to check a conversion without
//! CNTK.
//!
//! The inputs are pseudo-random, seeded with the digest of the model's structure, and in range for the model: an input
//! that is used as an index consists of whole numbers below the bound of that index, a sparse input has one 1 per row,
//! and sequences have several lengths.

use crate::graph::{Argument, Interface, Wanted};
use crate::options::{Options as Asked, Outputs};
use crate::provenance::structure_digest;
use crate::ranges::{Use, uses};
use crate::record::{Array, npz};
use crate::report::Refusal;
use crate::weights::ElemType;
use cntk_evaluator::{Evaluation, EvaluationError, Limits, Options, evaluate};
use cntk_parser::model::{DataType, Dim, Output, SequenceAxisId, Source, ValidatedModel, VariableId};
use std::collections::HashMap;
use std::io;

/// The most multiply-adds for all tries together, which take two or three milliseconds, so that a conversion takes at most half as long
/// again. A larger model gets no evidence.
pub const WORK: u64 = 4 << 20;
/// The most bytes of arrays at one time.
const MEMORY: u64 = 512 << 20;
/// The number of samples: the fewest that show whether samples are kept apart.
const SAMPLES: usize = 2;
/// What to try until the outputs are finite: the steps of the longest sequence, the size of free dimensions, and
/// whether inputs may be negative.
const TRIES: [(usize, usize, bool); 3] = [(4, 16, true), (9, 32, true), (24, 64, false)];

/// Arrays by name: inputs, outputs, and `NAME_lengths` of both.
pub type Arrays = Vec<(String, Array)>;

/// How to generate inputs, and the limits of the evaluation.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The seed of the random numbers.
    pub seed: u64,
    /// The number of samples.
    pub batch: usize,
    /// Do sequences have several lengths?
    pub ragged: bool,
    /// The most elements of an input.
    pub largest: usize,
    /// Uids of outputs that need not be computed.
    pub skip: Vec<String>,
    /// Limits for all tries together.
    pub limits: Limits,
}

/// Generated inputs and the outputs of a model for them.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// The uid of each input, and its name among the arrays.
    pub inputs: Vec<(String, String)>,
    /// The uid and array name of each output in the order asked for, including skipped ones.
    pub outputs: Vec<(String, String)>,
    /// All of them.
    pub arrays: Arrays,
    /// Multiply-adds of all tries.
    pub work: u64,
}

impl Sampled {
    /// The arrays as a `.npz` file.
    ///
    /// # Errors
    ///
    /// A name that an archive cannot hold.
    pub fn to_npz(&self) -> io::Result<Vec<u8>> {
        npz::write(&self.arrays)
    }
}

/// The reason why there is no evidence.
#[derive(Clone, Debug)]
pub enum Lack {
    /// A limit on work or memory is reached.
    Cost(String),
    /// Another reason.
    Other(String),
}

impl From<&str> for Lack {
    fn from(why: &str) -> Self {
        Self::Other(why.to_owned())
    }
}

impl From<Refusal> for Lack {
    fn from(refusal: Refusal) -> Self {
        Self::Other(refusal.to_string())
    }
}

/// Inputs and outputs of a model as it is converted with `asked`, or the reason why there are none. With `ragged`,
/// sequences have several lengths.
pub fn make(model: &ValidatedModel<'_>, asked: &Asked, ragged: bool) -> Result<Arrays, String> {
    within_budget(model, asked, ragged).map(|sampled| sampled.arrays)
}

/// The same, with what they cost: at most [`WORK`].
pub fn within_budget(model: &ValidatedModel<'_>, asked: &Asked, ragged: bool) -> Result<Sampled, String> {
    let limits = Limits { work: WORK, memory: MEMORY };
    let (batch, steps) = fixed(model, asked);
    let of = Sample { seed: seed(model), batch, ragged, largest: LARGEST, skip: vec![], limits };
    let interface = Interface::asked(model, asked).map_err(|refusal| refusal.to_string())?;
    generate(model, &interface, &of, steps).map_err(|lack| match lack {
        Lack::Cost(_) => "it takes too much work to evaluate in passing; `cntk2onnx eval` has no such limit".to_owned(),
        Lack::Other(why) => why,
    })
}

/// Generates inputs as `of` describes and evaluates the model on them.
pub fn sample(model: &ValidatedModel<'_>, outputs: &Outputs, of: &Sample) -> Result<Sampled, Lack> {
    generate(model, &Interface::new(model, outputs)?, of, None)
}

/// The same for an interface, with this number of steps if it is fixed.
fn generate(
    model: &ValidatedModel<'_>,
    interface: &Interface,
    of: &Sample,
    fixed_steps: Option<usize>,
) -> Result<Sampled, Lack> {
    let bounds = uses(model, interface.outputs.iter().map(|o| o.source));
    let computed: Vec<&Wanted> = interface.outputs.iter().filter(|o| !of.skip.contains(&o.uid)).collect();
    let wanted: Vec<Output<'_>> = computed.iter().filter_map(|o| model.find(&o.uid)).collect();
    let mut left = of.limits.work;
    let mut why = String::new();
    for (steps, free, signed) in TRIES {
        let steps = fixed_steps.unwrap_or(steps);
        let mut maker = Maker { model, bounds: &bounds, of, random: of.seed, steps, free, signed };
        let uid = |a: &Argument| model.variable(a.variable).uid.to_owned();
        let feeds: HashMap<String, cntk_evaluator::Array> = interface
            .arguments
            .iter()
            .map(|a| Some((uid(a), maker.array(a)?)))
            .collect::<Option<_>>()
            .ok_or("its inputs are large")?;
        let options = Options { limits: Limits { work: left, memory: of.limits.memory }, ..Options::default() };
        match evaluate(model, &feeds, &wanted, &options) {
            Ok(found) if found.outputs.iter().flat_map(|o| &o.array.values).all(|x| x.is_finite()) => {
                return Ok(Sampled {
                    work: of.limits.work - left + found.work,
                    inputs: interface.arguments.iter().map(|a| (uid(a), a.name.clone())).collect(),
                    outputs: interface.outputs.iter().map(|o| (o.uid.clone(), o.name.clone())).collect(),
                    arrays: named(model, &interface.arguments, &computed, feeds, found).map_err(Lack::Other)?,
                });
            }
            Ok(found) => {
                left = left.saturating_sub(found.work);
                "what it computes from made-up inputs is not finite".clone_into(&mut why);
            }
            Err(error @ (EvaluationError::Work { .. } | EvaluationError::Memory { .. })) => {
                return Err(Lack::Cost(error.to_string()));
            }
            Err(error) => why = error.to_string(),
        }
    }
    Err(Lack::Other(why))
}

/// How many samples, and how many steps if that is fixed.
fn fixed(model: &ValidatedModel<'_>, asked: &Asked) -> (usize, Option<usize>) {
    let size = |n: u64| usize::try_from(n).ok().filter(|n| *n > 0);
    let mut samples = asked.batch.and_then(size);
    let mut steps = None;
    for of in &asked.input_shapes {
        let named = model.model().variables.iter().find(|v| v.uid == of.input || v.name == of.input);
        let Some(dynamic) = named.and_then(|v| of.sizes.len().checked_sub(v.shape.rank())) else { continue };
        if dynamic > 0 {
            samples = samples.or(of.sizes[0].and_then(size));
        }
        if dynamic > 1 {
            steps = steps.or(of.sizes[1].and_then(size));
        }
    }
    (samples.unwrap_or(SAMPLES), steps)
}

/// The first bytes of the structure's digest.
fn seed(model: &ValidatedModel<'_>) -> u64 {
    structure_digest(model.model()).first_chunk().map_or(1, |bytes| u64::from_le_bytes(*bytes))
}

/// The element type of arrays of a CNTK type.
pub(crate) fn elem(data_type: DataType) -> ElemType {
    match data_type {
        DataType::Double => ElemType::Double,
        DataType::Float16 => ElemType::Float16,
        _ => ElemType::Float,
    }
}

/// The arrays under the names of the interface.
fn named(
    model: &ValidatedModel<'_>,
    arguments: &[Argument],
    wanted: &[&Wanted],
    mut feeds: HashMap<String, cntk_evaluator::Array>,
    found: Evaluation,
) -> Result<Arrays, String> {
    let inputs = arguments.iter().filter_map(|argument| {
        let of = model.type_of(Source::Variable(argument.variable));
        let array = feeds.remove(model.variable(argument.variable).uid)?;
        Some((argument.name.clone(), elem(of.data_type), array, argument.classes))
    });
    let found = wanted.iter().zip(found.outputs);
    let outputs = found.map(|(o, found)| (o.name.clone(), elem(found.data_type), found.array, None));
    let mut all = Arrays::new();
    for (name, elem, array, classes) in inputs.chain(outputs) {
        if let Some(lengths) = array.lengths {
            let bytes = lengths.iter().flat_map(|n| (*n as i64).to_le_bytes()).collect();
            let dims = vec![lengths.len() as u64];
            all.push((format!("{name}_lengths"), Array { elem: ElemType::Int64, dims, bytes }));
        }
        let mut bytes = Vec::with_capacity(array.values.len() * elem.size());
        array.values.iter().for_each(|x| elem.encode(*x, &mut bytes));
        let array = Array { elem, dims: array.shape.iter().map(|n| *n as u64).collect(), bytes };
        all.push((name, classes.map_or(Ok(array.clone()), |n| array.ids(n))?));
    }
    Ok(all)
}

/// Generates arrays.
struct Maker<'m> {
    model: &'m ValidatedModel<'m>,
    bounds: &'m HashMap<VariableId, Use>,
    of: &'m Sample,
    random: u64,
    steps: usize,
    free: usize,
    signed: bool,
}

/// The most elements of an input of evidence.
const LARGEST: usize = 1 << 20;

impl Maker<'_> {
    /// A number from 0 to 1: the upper bits of a linear congruential generator.
    fn number(&mut self) -> f64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 40) as f64 / f64::from(1u32 << 24)
    }

    /// The array of an input; `None` if it would be too large.
    fn array(&mut self, argument: &Argument) -> Option<cntk_evaluator::Array> {
        let id = argument.variable;
        let of = self.model.type_of(Source::Variable(id));
        let lengths = of.axes.sequence.map(|axis| self.lengths(axis));
        let batch = of.axes.batch.then_some(self.of.batch);
        let steps = lengths.as_ref().map(|l| l.iter().copied().max().unwrap_or(1));
        let sizes = of.shape.iter().map(|dim| match dim {
            Dim::Known(n) => usize::try_from(*n).unwrap_or(usize::MAX),
            Dim::Free(_) => self.free,
        });
        let shape: Vec<usize> = batch.into_iter().chain(steps).chain(sizes).collect();
        let count = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d)).filter(|n| *n <= self.of.largest)?;
        let whole = |x: f64, bound: u64| (x * bound as f64).floor();
        let is_hot = argument.classes.is_some();
        let values = match self.bounds.get(&id).filter(|_| !is_hot) {
            Some(Use::Index(bound)) => (0..count).map(|_| whole(self.number(), *bound)).collect(),
            Some(Use::Steps(most)) => (0..count).map(|_| 1.0 + whole(self.number(), *most)).collect(),
            Some(Use::Boxes(map)) => self.boxes(count, *map),
            None if is_hot || self.model.variable(id).is_sparse => {
                self.one_hot(count, shape.last().copied().unwrap_or(1))
            }
            None => (0..count).map(|_| if self.signed { self.number() * 2.0 - 1.0 } else { self.number() }).collect(),
        };
        let data = elem(of.data_type);
        let values: Vec<f64> = values;
        Some(cntk_evaluator::Array { shape, values: values.into_iter().map(|x| data.round(x)).collect(), lengths })
    }

    /// Rows with one 1 each.
    fn one_hot(&mut self, count: usize, width: usize) -> Vec<f64> {
        let mut values = vec![0.0; count];
        for row in values.chunks_mut(width.max(1)) {
            let place = (self.number() * row.len() as f64) as usize;
            row[place] = 1.0;
        }
        values
    }

    /// Boxes [x1, y1, x2, y2] within the map, with x1 <= x2 and y1 <= y2.
    fn boxes(&mut self, count: usize, [columns, rows]: [f64; 2]) -> Vec<f64> {
        let corner = |maker: &mut Self, size: f64| (maker.number() * size / 2.0).floor();
        let mut values = Vec::with_capacity(count);
        while values.len() < count {
            let from = [corner(self, columns), corner(self, rows)];
            values.extend(from);
            values.extend([from[0] + corner(self, columns), from[1] + corner(self, rows)]);
        }
        values.truncate(count);
        values
    }

    /// The lengths of the sequences of an axis. Every other sequence is shorter; on every other axis it is the first
    /// one.
    fn lengths(&self, axis: SequenceAxisId) -> Vec<usize> {
        let shorter = |i: usize| self.steps.saturating_sub(1 + i / 2).max(1);
        let is_long = |i: usize| !self.of.ragged || (i + axis.index()).is_multiple_of(2);
        (0..self.of.batch).map(|i| if is_long(i) { self.steps } else { shorter(i) }).collect()
    }
}
