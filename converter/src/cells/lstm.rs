//! Recognises long short-term memory, with or without peepholes and projection.

use super::gate::{Gates, Parts};
use super::ring::{Delay, Ring};
use super::{Activation, Cell, Gate, Kind, Lstm, Peephole};
use cntk_parser::model::Source;

pub(super) fn find(ring: &Ring<'_, '_>) -> Option<Cell> {
    let [a, b] = ring.delays.as_slice() else { return None };
    with(ring, a, b).or_else(|| with(ring, b, a))
}

/// The cell whose (possibly projected) output `fed` delays and whose state `state` delays.
fn with(ring: &Ring<'_, '_>, fed: &Delay, state: &Delay) -> Option<Cell> {
    let (projection, output) = match ring.projection(fed.now) {
        Some((projection, from)) => (Some(projection), from),
        None => (None, fed.now),
    };
    let hidden = ring.length(state.now)?;
    if ring.length(output) != Some(hidden) {
        return None;
    }
    // h = o act(c)
    let [a, b] = ring.product(output)?;
    let (state_activation, out) = [(a, b), (b, a)].into_iter().find_map(|(gate, squashed)| {
        let (activation, of) = ring.activation(squashed)?;
        (of == state.now).then_some((activation, ring.sigmoid(gate)?))
    })?;
    // c = f c' + i g
    let [a, b] = ring.sum(state.now)?;
    let (forget, new) = [(a, b), (b, a)].into_iter().find_map(|(kept, new)| {
        let [x, y] = ring.product(kept)?;
        let gate = if x == state.last { y } else { (y == state.last).then_some(x)? };
        Some((ring.sigmoid(gate)?, ring.product(new)?))
    })?;
    let sums = Sums { forget, out, last: fed.last, state: *state, hidden };
    let [a, b] = new;
    let (gates, candidate_activation) =
        [(a, b), (b, a)].into_iter().find_map(|(input, candidate)| sums.gates(ring, input, candidate))?;
    Some(Cell {
        kind: Kind::Lstm(Box::new(Lstm {
            input: gates.input,
            forget: gates.forget,
            candidate: gates.candidate,
            output: gates.output,
            candidate_activation,
            state_activation,
            peepholes: gates.peepholes,
            state: state.now,
            initial_state: state.initial,
        })),
        backward: ring.backward,
        hidden,
        inputs: gates.inputs,
        output,
        projection,
        scale: gates.scale,
        initial: fed.initial,
    })
}

/// The arguments of the gates' activations.
struct Sums {
    forget: Source,
    out: Source,
    last: Source,
    state: Delay,
    hidden: u64,
}

/// The gates of an LSTM.
struct All {
    input: Gate,
    forget: Gate,
    candidate: Gate,
    output: Gate,
    peepholes: Option<[Peephole; 3]>,
    inputs: Vec<Source>,
    scale: Option<Source>,
}

impl Sums {
    /// All gates, if `input` is the input gate and `candidate` the candidate.
    fn gates(&self, ring: &Ring<'_, '_>, input: Source, candidate: Source) -> Option<(All, Activation)> {
        let input = ring.sigmoid(input)?;
        let (activation, candidate) = ring.activation(candidate)?;
        let mut gates = Gates::new(ring, self.hidden, self.last);
        let (input, pi) = self.gate(&mut gates, input, self.state.last)?;
        let (forget, pf) = self.gate(&mut gates, self.forget, self.state.last)?;
        let (output, po) = self.gate(&mut gates, self.out, self.state.now)?;
        let parts = gates.parts(candidate)?;
        let candidate = gates.gate(parts)?;
        let peepholes = match (pi, pf, po) {
            (None, None, None) => None,
            (Some(i), Some(f), Some(o)) => Some([i, f, o]),
            _ => return None,
        };
        let (inputs, scale) = gates.finish();
        Some((All { input, forget, candidate, output, peepholes, inputs, scale }, activation))
    }

    /// A gate that may have a peephole on `state`.
    fn gate(&self, gates: &mut Gates<'_, '_, '_>, sum: Source, state: Source) -> Option<(Gate, Option<Peephole>)> {
        let mut parts: Parts = gates.parts(sum)?;
        let peephole = if parts.elementwise.is_empty() { None } else { Some(gates.peephole(&mut parts, state)?) };
        Some((gates.gate(parts)?, peephole))
    }
}
