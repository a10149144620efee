//! Recognises the plain recurrent step.

use super::gate::Gates;
use super::ring::Ring;
use super::{Cell, Kind};

pub(super) fn find(ring: &Ring<'_, '_>) -> Option<Cell> {
    let [delay] = ring.delays.as_slice() else { return None };
    let (projection, output) = match ring.projection(delay.now) {
        Some((projection, from)) => (Some(projection), from),
        None => (None, delay.now),
    };
    let hidden = ring.length(output)?;
    let (activation, sum) = ring.activation(output)?;
    let mut gates = Gates::new(ring, hidden, delay.last);
    let parts = gates.parts(sum)?;
    let gate = gates.gate(parts)?;
    let (inputs, scale) = gates.finish();
    Some(Cell {
        kind: Kind::Rnn { gate, activation },
        backward: ring.backward,
        hidden,
        inputs,
        output,
        projection,
        scale,
        initial: delay.initial,
    })
}
