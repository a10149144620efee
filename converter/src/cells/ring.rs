//! A loop as recognition sees it: its delays, and its functions without those that change nothing at inference.

use super::{Activation, Block, Projection, Segment};
use crate::graph::literal::scalar;
use cntk_parser::model::{Dim, FunctionId, LoopId, Source, ValidatedModel, VariableId, VariableKind};
use cntk_parser::ops::Operator;

/// The longest chain of functions without effect that is followed.
const LONGEST_CHAIN: usize = 64;

/// A loop whose delays all reach back one frame.
pub(super) struct Ring<'m, 'a> {
    pub(super) model: &'m ValidatedModel<'a>,
    pub(super) id: LoopId,
    pub(super) backward: bool,
    pub(super) delays: Vec<Delay>,
}

/// A delay of one frame.
#[derive(Clone, Copy)]
pub(super) struct Delay {
    /// Its output, the value of the previous frame.
    pub(super) last: Source,
    /// Its input, the value of this frame.
    pub(super) now: Source,
    /// Its initial state.
    pub(super) initial: Source,
}

impl<'m, 'a> Ring<'m, 'a> {
    pub(super) fn new(model: &'m ValidatedModel<'a>, id: LoopId) -> Option<Self> {
        let found = model.recurrence(id);
        let mut ring = Self { model, id, backward: found.backward, delays: Vec::new() };
        for f in &found.members {
            let (Operator::PastValue(a) | Operator::FutureValue(a)) = model.operator(*f) else { continue };
            if a.offset != 1 || ring.delays.len() == 2 {
                return None;
            }
            let [fed, initial] = model.inputs(*f) else { return None };
            let now = ring.peel(*fed);
            ring.delays.push(Delay { last: Source::Output(*f, 0), now, initial: *initial });
        }
        Some(ring)
    }

    /// Is a value computed in the loop?
    pub(super) fn is_inside(&self, source: Source) -> bool {
        matches!(source, Source::Output(f, _) if self.model.loop_of(f) == Some(self.id))
    }

    /// The value behind functions that change nothing at inference.
    pub(super) fn peel(&self, mut source: Source) -> Source {
        for _ in 0..LONGEST_CHAIN {
            let Source::Output(f, 0) = source else { return source };
            let Some(first) = self.model.inputs(f).first() else { return source };
            let same = match self.model.operator(f) {
                Operator::NoOp | Operator::Pass => true,
                // Outside of the loop these are lowered as they are, for training.
                Operator::StopGradient | Operator::Dropout(_) => self.is_inside(source),
                Operator::ReconcileDynamicAxis => self.model.type_of(source).axes == self.model.type_of(*first).axes,
                Operator::Reshape(_) => self.model.type_of(source).shape == self.model.type_of(*first).shape,
                _ => false,
            };
            if !same {
                return source;
            }
            source = *first;
        }
        source
    }

    /// The function that computes a value, with its operator.
    pub(super) fn maker(&self, source: Source) -> Option<(FunctionId, &'m Operator<'a>)> {
        match source {
            Source::Output(f, 0) => Some((f, self.model.operator(f))),
            _ => None,
        }
    }

    /// The operands of a function, peeled.
    pub(super) fn operands(&self, f: FunctionId) -> Option<[Source; 2]> {
        let [a, b] = self.model.inputs(f) else { return None };
        Some([self.peel(*a), self.peel(*b)])
    }

    /// The operands of a value that is an element-wise product.
    pub(super) fn product(&self, source: Source) -> Option<[Source; 2]> {
        match self.maker(source)? {
            (f, Operator::ElementTimes) => self.operands(f),
            _ => None,
        }
    }

    /// The operands of a value that is a sum.
    pub(super) fn sum(&self, source: Source) -> Option<[Source; 2]> {
        match self.maker(source)? {
            (f, Operator::Plus) => self.operands(f),
            _ => None,
        }
    }

    /// The operands of a value that is a difference.
    pub(super) fn difference(&self, source: Source) -> Option<[Source; 2]> {
        match self.maker(source)? {
            (f, Operator::Minus) => self.operands(f),
            _ => None,
        }
    }

    /// The activation that computes a value, and its operand.
    pub(super) fn activation(&self, source: Source) -> Option<(Activation, Source)> {
        let (f, op) = self.maker(source)?;
        let activation = match op {
            Operator::Tanh => Activation::Tanh,
            Operator::Sigmoid | Operator::StableSigmoid => Activation::Sigmoid,
            Operator::ReLU => Activation::Relu,
            _ => return None,
        };
        Some((activation, self.peel(*self.model.inputs(f).first()?)))
    }

    /// The operand of a value that is a sigmoid.
    pub(super) fn sigmoid(&self, source: Source) -> Option<Source> {
        match self.activation(source)? {
            (Activation::Sigmoid, inner) => Some(inner),
            _ => None,
        }
    }

    /// `z` of a value that is `1 - z`.
    pub(super) fn complement(&self, source: Source) -> Option<Source> {
        let [one, z] = self.difference(source)?;
        (scalar(self.model, one) == Some(1.0)).then_some(z)
    }

    /// The length of a value that is a vector.
    pub(super) fn length(&self, source: Source) -> Option<u64> {
        match self.model.type_of(source).shape.as_slice() {
            [Dim::Known(n)] => Some(*n),
            _ => None,
        }
    }

    /// The parameter or constant that a value is.
    pub(super) fn stored(&self, source: Source) -> Option<VariableId> {
        let Source::Variable(id) = source else { return None };
        let variable = self.model.variable(id);
        let kept = matches!(variable.kind, VariableKind::Parameter | VariableKind::Constant);
        (kept && variable.value.is_some()).then_some(id)
    }

    /// Is it a number from outside the loop, with one element and without dynamic axes?
    fn is_number(&self, source: Source) -> bool {
        let ty = self.model.type_of(source);
        !self.is_inside(source)
            && !ty.axes.batch
            && ty.axes.sequence.is_none()
            && ty.shape.len() <= 1
            && ty.shape.iter().all(|d| *d == Dim::Known(1))
    }

    /// `source` as a multiple of `of`: the factor, `None` for 1.
    pub(super) fn multiple(&self, source: Source, of: Source) -> Option<Option<Source>> {
        if source == of {
            return Some(None);
        }
        let [a, b] = self.product(source)?;
        match (a == of, b == of) {
            (true, false) if self.is_number(b) => Some(Some(b)),
            (false, true) if self.is_number(a) => Some(Some(a)),
            _ => None,
        }
    }

    /// A multiple of `of` that a function of the loop computes: the factor and the multiple.
    pub(super) fn scaled(&self, of: Source) -> Option<(Source, Source)> {
        let members = &self.model.recurrence(self.id).members;
        members.iter().find_map(|f| {
            let source = Source::Output(*f, 0);
            Some((self.multiple(source, of)??, source))
        })
    }

    /// The block of a stored matrix, with columns from `column` on, by which `Times` multiplies, and the other operand.
    pub(super) fn matrix(&self, f: FunctionId, column: u64) -> Option<(Block, Source)> {
        let Operator::Times(a) = self.model.operator(f) else { return None };
        let [w, x] = self.operands(f)?;
        let weight = self.stored(w)?;
        let (wd, xd) = (self.sizes(w)?, self.sizes(x)?);
        let (width, reduced) = wd.split_last()?;
        if a.output_rank != 1 || a.reduces_sequence() || reduced != xd.as_slice() || reduced.is_empty() {
            return None;
        }
        let rows = reduced.iter().try_fold(1u64, |n, d| n.checked_mul(*d))?;
        Some((Block { weight, row: 0, rows, column, width: *width }, x))
    }

    /// The static sizes of a value, if all are known.
    pub(super) fn sizes(&self, source: Source) -> Option<Vec<u64>> {
        self.model.type_of(source).shape.iter().map(|d| if let Dim::Known(n) = d { Some(*n) } else { None }).collect()
    }

    /// A vector of the model as a segment of `length` elements.
    pub(super) fn segment(&self, source: Source, from: u64, length: u64) -> Option<Segment> {
        let vector = self.stored(source)?;
        let n = self.length(source)?;
        (from.checked_add(length)? <= n).then_some(Segment { vector, from })
    }

    /// The projection that computes `fed`, if it is one, and the value that is projected.
    pub(super) fn projection(&self, fed: Source) -> Option<(Projection, Source)> {
        let (f, Operator::Times(_)) = self.maker(fed)? else { return None };
        let (weight, x) = self.matrix(f, 0)?;
        let (scale, from) = match self.product(x) {
            Some([a, b]) if self.is_number(a) => (Some(a), b),
            Some([a, b]) if self.is_number(b) => (Some(b), a),
            _ => (None, x),
        };
        Some((Projection { weight, size: weight.width, scale, output: fed }, from))
    }
}
