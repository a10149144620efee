//! Recognises gated recurrent units, with the reset gate applied before the recurrent product (CNTK's layer) or after
//! it (cuDNN).

use super::gate::{Gates, Parts};
use super::ring::Ring;
use super::{Cell, Gate, Gru, Kind, Segment};
use cntk_parser::model::Source;

pub(super) fn find(ring: &Ring<'_, '_>) -> Option<Cell> {
    let [delay] = ring.delays.as_slice() else { return None };
    let (projection, output) = match ring.projection(delay.now) {
        Some((projection, from)) => (Some(projection), from),
        None => (None, delay.now),
    };
    let hidden = ring.length(output)?;
    // The new state is blended with the value that the gates read: either both are scaled or neither.
    let (scale, last) = match ring.scaled(delay.last) {
        Some((scale, scaled)) => (Some(scale), scaled),
        None => (None, delay.last),
    };
    let [a, b] = ring.sum(output)?;
    let (update, candidate) = blend(ring, a, b, last).or_else(|| blend(ring, b, a, last))?;
    let mut gates = Gates::new(ring, hidden, last);
    let parts = gates.parts(ring.sigmoid(update)?)?;
    let update = gates.gate(parts)?;
    let (activation, sum) = ring.activation(candidate)?;
    let parts = gates.parts(sum)?;
    let found = reset_before(ring, &mut gates, parts, last);
    let (candidate, reset, reset_after) = match found {
        Some((candidate, reset)) => (candidate, reset, None),
        None => {
            let parts = gates.parts(sum)?;
            let (candidate, reset, bias) = reset_after_product(ring, &mut gates, parts, last)?;
            (candidate, reset, Some(bias))
        }
    };
    let parts = gates.parts(ring.sigmoid(reset)?)?;
    let reset = gates.gate(parts)?;
    // The gates must read only the one scaled value.
    let (inputs, None) = gates.finish() else { return None };
    Some(Cell {
        kind: Kind::Gru(Box::new(Gru { update, reset, candidate, activation, reset_after })),
        backward: ring.backward,
        hidden,
        inputs,
        output,
        projection,
        scale,
        initial: delay.initial,
    })
}

/// `z` and `n`, if `new + kept` is `(1 - z) n + z k`, written in this form or as `n + z (k - n)`.
fn blend(ring: &Ring<'_, '_>, new: Source, kept: Source, last: Source) -> Option<(Source, Source)> {
    let [a, b] = ring.product(kept)?;
    for (z, rest) in [(a, b), (b, a)] {
        if ring.difference(rest) == Some([last, new]) {
            return Some((z, new));
        }
    }
    let z = factor(ring, kept, last)?;
    let [a, b] = ring.product(new)?;
    [(a, b), (b, a)].into_iter().find_map(|(rest, n)| (ring.complement(rest)? == z).then_some((z, n)))
}

/// The other factor of `last` in a product.
fn factor(ring: &Ring<'_, '_>, product: Source, last: Source) -> Option<Source> {
    let [a, b] = ring.product(product)?;
    match (a == last, b == last) {
        (true, false) => Some(b),
        (false, true) => Some(a),
        _ => None,
    }
}

/// The gate and `r` of `W x + R (r k) + b`.
fn reset_before(
    ring: &Ring<'_, '_>,
    gates: &mut Gates<'_, '_, '_>,
    mut parts: Parts,
    last: Source,
) -> Option<(Gate, Source)> {
    let (block, x) = Gates::take_recurrent(&mut parts)?;
    let reset = factor(ring, x, last)?;
    Some((gates.gate_of(parts, block)?, reset))
}

/// The gate, `r` and `b'` of `W x + b + r (R k + b')`.
fn reset_after_product(
    ring: &Ring<'_, '_>,
    gates: &mut Gates<'_, '_, '_>,
    mut parts: Parts,
    last: Source,
) -> Option<(Gate, Source, Vec<Segment>)> {
    let (a, b) = parts.elementwise.pop()?;
    if Gates::take_recurrent(&mut parts).is_some() {
        return None;
    }
    let (block, bias, reset) = [(a, b), (b, a)].into_iter().find_map(|(reset, inner)| {
        ring.sigmoid(reset)?;
        let (block, x, bias) = gates.parts(inner)?.recurrent_only()?;
        (x == last).then_some((block, bias, reset))
    })?;
    Some((gates.gate_of(parts, block)?, reset, bias))
}
