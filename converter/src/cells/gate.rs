//! Sorts the summands of gates into input, recurrent and bias parts.

use super::affine::{Term, terms};
use super::ring::Ring;
use super::{Block, Gate, Peephole};
use cntk_parser::model::Source;

/// Collects the gates of one cell, which must all read the same inputs and the same fed-back value.
pub(super) struct Gates<'r, 'm, 'a> {
    ring: &'r Ring<'m, 'a>,
    hidden: u64,
    /// The fed-back value.
    last: Source,
    inputs: Vec<Source>,
    scale: Option<Option<Source>>,
}

/// The summands of one gate, sorted.
pub(super) struct Parts {
    input: Vec<(Source, Block)>,
    /// The block of the recurrent product, and its other operand.
    recurrent: Option<(Block, Source)>,
    bias: Vec<super::Segment>,
    /// The remaining summands, element-wise products.
    pub(super) elementwise: Vec<(Source, Source)>,
}

impl<'r, 'm, 'a> Gates<'r, 'm, 'a> {
    pub(super) fn new(ring: &'r Ring<'m, 'a>, hidden: u64, last: Source) -> Self {
        Self { ring, hidden, last, inputs: Vec::new(), scale: None }
    }

    /// Sorts the summands of a gate.
    pub(super) fn parts(&self, source: Source) -> Option<Parts> {
        let mut parts = Parts { input: vec![], recurrent: None, bias: vec![], elementwise: vec![] };
        if self.ring.length(source) != Some(self.hidden) {
            return None;
        }
        for term in terms(self.ring, source, 0, self.hidden)? {
            match term {
                Term::Bias(segment) => parts.bias.push(segment),
                Term::Elementwise(a, b) => parts.elementwise.push((a, b)),
                Term::Product(block, x) if self.ring.is_inside(x) => {
                    if parts.recurrent.replace((block, x)).is_some() {
                        return None;
                    }
                }
                Term::Product(block, x) => {
                    let seen = parts.input.iter().any(|(other, _)| *other == x);
                    if seen || self.ring.model.type_of(x).axes.sequence.is_none() {
                        return None;
                    }
                    parts.input.push((x, block));
                }
            }
        }
        Some(parts)
    }

    /// The gate with these parts, if its recurrent product multiplies the fed-back value.
    pub(super) fn gate(&mut self, parts: Parts) -> Option<Gate> {
        let (block, x) = parts.recurrent?;
        let scale = self.ring.multiple(x, self.last)?;
        if *self.scale.get_or_insert(scale) != scale {
            return None;
        }
        self.gate_of(parts, block)
    }

    /// The gate with these parts and this recurrent block.
    pub(super) fn gate_of(&mut self, parts: Parts, recurrent: Block) -> Option<Gate> {
        if !parts.elementwise.is_empty() || parts.input.is_empty() {
            return None;
        }
        if self.inputs.is_empty() {
            self.inputs = parts.input.iter().map(|(x, _)| *x).collect();
        }
        if parts.input.len() != self.inputs.len() {
            return None;
        }
        let block = |x: &Source| parts.input.iter().find(|(other, _)| other == x).map(|(_, block)| *block);
        let input = self.inputs.iter().map(block).collect::<Option<Vec<_>>>()?;
        Some(Gate { input, recurrent, bias: parts.bias })
    }

    /// Removes a peephole on `state` from the parts and returns it.
    pub(super) fn peephole(&self, parts: &mut Parts, state: Source) -> Option<Peephole> {
        let (a, b) = parts.elementwise.pop()?;
        [(a, b), (b, a)].into_iter().find_map(|(vector, of)| {
            let weight = self.ring.segment(vector, 0, self.hidden)?;
            if self.ring.length(vector) != Some(self.hidden) {
                return None;
            }
            Some(Peephole { weight, scale: self.ring.multiple(of, state)? })
        })
    }

    /// Removes the recurrent product from the parts and returns it.
    pub(super) fn take_recurrent(parts: &mut Parts) -> Option<(Block, Source)> {
        parts.recurrent.take()
    }

    /// The inputs, in the order of the blocks, and the factor of the fed-back value.
    pub(super) fn finish(self) -> (Vec<Source>, Option<Source>) {
        (self.inputs, self.scale.flatten())
    }
}

impl Parts {
    /// The block, its other operand and the bias, if the sum has no other parts.
    pub(super) fn recurrent_only(self) -> Option<(Block, Source, Vec<super::Segment>)> {
        let (block, x) = self.recurrent?;
        (self.input.is_empty() && self.elementwise.is_empty()).then_some((block, x, self.bias))
    }
}
