//! One function with its operands, as the rules of inference see it.

use super::sequence_axes::SequenceAxes;
use super::value::{Operand, show};
use crate::model::{Dim, Dims, DynamicAxes, Function, FunctionId, MAX_DIM, MOST_AXES, Model};
use crate::report::Severity;
use crate::validate::findings::{Findings, Place};
use crate::validate::rules::{self, Rule};
use hashbrown::HashMap;

/// The most elements per sample: more would only exhaust the memory of whoever evaluates the model.
const MOST_ELEMENTS: u64 = 1 << 36;

/// The passes over the members of a recurrence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stage {
    /// First pass: types are propagated until they no longer change. Findings are dropped.
    Searching,
    /// Second pass: as the first, but a shape that is still unknown may be taken for a scalar. Findings are dropped.
    Guessing,
    /// Last pass, and the only one outside of recurrences: findings are kept.
    Final,
}

/// What the inference of all functions shares.
pub(crate) struct Context<'c, 'm, 'a> {
    pub(crate) model: &'c Model<'a>,
    pub(crate) findings: &'c mut Findings<'m, 'a>,
    pub(crate) stage: Stage,
    pub(crate) next_free: u32,
    /// Free sizes invented for the members of the current recurrence; every pass uses the same ones.
    pub(crate) made: HashMap<(FunctionId, u32), Dim>,
    pub(crate) axes: SequenceAxes<'a>,
}

impl Context<'_, '_, '_> {
    /// A new free size, computed at run time.
    pub(crate) fn fresh(&mut self) -> Dim {
        let id = self.next_free;
        self.next_free = id.saturating_add(1);
        Dim::Free(id)
    }
}

/// A function and its operands.
pub(crate) struct Node<'n, 'c, 'm, 'a> {
    pub(crate) context: &'n mut Context<'c, 'm, 'a>,
    pub(crate) id: FunctionId,
    pub(crate) function: &'n Function<'a>,
    pub(crate) operands: &'n [Operand<'n>],
    /// Is the function a member of a recurrence, and therefore inferred more than once?
    pub(crate) in_loop: bool,
    /// How many free sizes were invented for it.
    pub(crate) fresh: u32,
}

impl<'n> Node<'n, '_, '_, '_> {
    /// The shape of an operand. `None`: unknown, or missing (which was reported).
    pub(crate) fn shape(&self, i: usize) -> Option<&'n Dims> {
        self.operands.get(i)?.shape()
    }

    /// A new free size, computed at run time.
    pub(crate) fn fresh(&mut self) -> Dim {
        if !self.in_loop {
            return self.context.fresh();
        }
        let key = (self.id, self.fresh);
        self.fresh = self.fresh.saturating_add(1);
        if let Some(dim) = self.context.made.get(&key) {
            return *dim;
        }
        let dim = self.context.fresh();
        self.context.made.insert(key, dim);
        dim
    }

    /// Reports at an attribute.
    #[cold]
    pub(crate) fn attribute<T>(&mut self, rule: &'static Rule, key: &'static str, message: String) -> Option<T> {
        self.report(rule, Place::Attribute(self.id, key), message)
    }

    /// Reports a warning at an attribute.
    #[cold]
    pub(crate) fn warn(&mut self, rule: &'static Rule, key: &'static str, message: String) {
        if self.context.stage == Stage::Final {
            let place = Place::Attribute(self.id, key);
            self.context.findings.add_as(rule, Severity::Warning, place, message);
        }
    }

    /// Reports at the function.
    #[cold]
    pub(crate) fn fail<T>(&mut self, rule: &'static Rule, message: String) -> Option<T> {
        self.report(rule, Place::Function(self.id), message)
    }

    /// Reports at an input.
    #[cold]
    pub(crate) fn input<T>(&mut self, rule: &'static Rule, i: usize, message: String) -> Option<T> {
        self.report(rule, Place::Input(self.id, i), message)
    }

    /// Reports that the shapes of operands do not fit each other.
    #[cold]
    pub(crate) fn mismatch<T>(&mut self, what: &str, a: &[Dim], b: &[Dim]) -> Option<T> {
        self.fail(&rules::SHAPE, format!("{what}: {} and {}", show(a), show(b)))
    }

    /// Has an operand no dynamic axes? `None` while that cannot be known.
    pub(crate) fn is_fixed(&self, i: usize) -> Option<bool> {
        let axes = self.operands.get(i)?.axes()?;
        Some(axes == DynamicAxes::default())
    }

    /// Is input `i` one number in each `unit` (a frame or a sample)? If not, it is reported.
    pub(crate) fn one_number(&mut self, i: usize, unit: &str) -> Option<()> {
        let shape = self.shape(i)?;
        if Self::is_one(shape) {
            return Some(());
        }
        let text = format!("input {i} has the shape {}, not one number per {unit}", show(shape));
        self.input(&rules::SHAPE, i, text)
    }

    /// Can a tensor have this shape? If not, it is reported.
    pub(crate) fn bounded(&mut self, shape: &[Dim]) -> bool {
        if shape.len() > MOST_AXES {
            let text = format!("the result would have {} axes, the most is {MOST_AXES}", shape.len());
            return self.fail(&rules::RANK, text).unwrap_or(false);
        }
        let known = || shape.iter().filter_map(|dim| dim.known());
        let elements = known().try_fold(1u64, |product, n| product.checked_mul(n));
        let rule = match elements {
            Some(0..=MOST_ELEMENTS) if known().all(|n| n <= MAX_DIM) => return true,
            Some(..=0x7fff_ffff_ffff_ffff) if known().all(|n| n <= MAX_DIM) => &rules::ALLOCATION,
            _ => &rules::DIMENSION_RANGE,
        };
        self.fail(rule, format!("the result would have the shape {}", show(shape))).unwrap_or(false)
    }

    fn report<T>(&mut self, rule: &'static Rule, place: Place, message: String) -> Option<T> {
        if self.context.stage == Stage::Final {
            self.context.findings.add(rule, place, message);
        }
        None
    }

    /// The dimension that two dimensions broadcast to (spec 4.3). A free dimension takes the known size it meets.
    pub(crate) fn join(&mut self, a: Dim, b: Dim) -> Option<Dim> {
        Some(match (a, b) {
            _ if a == b => a,
            (Dim::Known(1), other) | (other, Dim::Known(1)) => other,
            (Dim::Known(_), Dim::Known(_)) => return None,
            (Dim::Known(n), Dim::Free(_)) | (Dim::Free(_), Dim::Known(n)) => Dim::Known(n),
            // A size that goes round a loop is the one that entered it: of the two, that is the older.
            (Dim::Free(a), Dim::Free(b)) if self.in_loop => Dim::Free(a.min(b)),
            (Dim::Free(_), Dim::Free(_)) => self.fresh(),
        })
    }

    /// NumPy broadcasting of two row-major shapes; `None` when they do not fit.
    pub(crate) fn broadcast(&mut self, a: &[Dim], b: &[Dim]) -> Option<Dims> {
        let rank = a.len().max(b.len());
        let missing = |shape: &[Dim]| rank.saturating_sub(shape.len());
        let (skip_a, skip_b) = (missing(a), missing(b));
        (0..rank)
            .map(|i| {
                let dim = |shape: &[Dim], skip| {
                    let i = i.checked_sub(skip)?;
                    shape.get(i).copied()
                };
                let (a, b) = (dim(a, skip_a).unwrap_or(Dim::Known(1)), dim(b, skip_b).unwrap_or(Dim::Known(1)));
                self.join(a, b)
            })
            .collect()
    }

    /// Are these the dimensions of one element, as far as can be known?
    pub(crate) fn is_one(dims: &[Dim]) -> bool {
        dims.iter().all(|dim| Self::equal(*dim, Dim::Known(1)))
    }

    /// Are two dimensions equal, as far as can be known?
    pub(crate) fn equal(a: Dim, b: Dim) -> bool {
        match (a, b) {
            (Dim::Known(a), Dim::Known(b)) => a == b,
            _ => true,
        }
    }
}
