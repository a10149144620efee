//! One function, as its rules see it.

use super::axes::SequenceAxes;
use super::shapes::MAX_DIM;
use super::value::{Operand, show};
use crate::model::{Dim, Dims, Function, FunctionId, Model};
use crate::validate::findings::{Findings, Place};
use crate::validate::rules::{self, Rule};

/// More elements than this in one sample is no model but an attack on memory.
const MOST_ELEMENTS: u64 = 1 << 36;

/// How far a recurrence is settled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stage {
    /// Types go round; findings are not kept.
    Searching,
    /// So they do, and what is not known may be a scalar.
    Guessing,
    /// Findings are kept. The stage outside of recurrences.
    Final,
}

/// What all functions share.
pub(crate) struct Context<'c, 'm, 'a> {
    pub(crate) model: &'c Model<'a>,
    pub(crate) findings: &'c mut Findings<'m, 'a>,
    pub(crate) stage: Stage,
    pub(crate) next_free: u32,
    pub(crate) axes: SequenceAxes<'a>,
}

impl Context<'_, '_, '_> {
    /// A size that is computed at run time.
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
}

impl<'n> Node<'n, '_, '_, '_> {
    /// The shape of an operand. `None`: unknown, or missing (which was reported).
    pub(crate) fn shape(&self, i: usize) -> Option<&'n Dims> {
        self.operands.get(i)?.shape()
    }

    /// A size that is computed at run time.
    pub(crate) fn fresh(&mut self) -> Dim {
        self.context.fresh()
    }

    /// Reports at an attribute.
    #[cold]
    pub(crate) fn attribute<T>(&mut self, rule: &'static Rule, key: &'static str, message: String) -> Option<T> {
        self.report(rule, Place::Attribute(self.id, key), message)
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

    /// Reports that operands do not go together.
    #[cold]
    pub(crate) fn mismatch<T>(&mut self, what: &str, a: &[Dim], b: &[Dim]) -> Option<T> {
        self.fail(&rules::SHAPE, format!("{what}: {} and {}", show(a), show(b)))
    }

    /// Reports a shape that no tensor can have: a dimension that is too large, or too many elements.
    pub(crate) fn bounded(&mut self, shape: &[Dim]) {
        let known = shape.iter().filter_map(|dim| dim.known());
        let elements =
            known.clone().try_fold(1u64, |product, n| product.checked_mul(n).filter(|p| *p <= i64::MAX as u64));
        if elements.is_none() || known.clone().any(|n| n > MAX_DIM) {
            self.fail::<()>(&rules::DIMENSION_RANGE, format!("the result would have the shape {}", show(shape)));
        } else if elements.is_some_and(|elements| elements > MOST_ELEMENTS) {
            self.fail::<()>(&rules::ALLOCATION, format!("the result would have the shape {}", show(shape)));
        }
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

    /// Are two dimensions equal, as far as can be known?
    pub(crate) fn equal(a: Dim, b: Dim) -> bool {
        match (a, b) {
            (Dim::Known(a), Dim::Known(b)) => a == b,
            _ => true,
        }
    }
}
