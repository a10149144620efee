//! Lowers OptimizedRNNStack, cuDNN's layers with all weights in one flat parameter (spec 4.10).

use super::super::{Lowered, Lowering, Node};
use super::operator::Operator;
use super::weights;
use crate::onnx::graph::{Dim, ValueId};
use crate::report::Reason;
use cntk_parser::model::{SequenceAxisId, Source, VariableId};
use cntk_parser::ops::attributes::{OptimizedRnnStack, RecurrentOp};
use smallvec::smallvec;

/// The layout of a cell's weights in the parameter, and its ONNX operator.
struct Layout {
    op: &'static str,
    /// For each gate in ONNX's order, its index in the parameter.
    gates: &'static [u64],
    activation: Option<&'static str>,
}

impl Layout {
    fn of(op: RecurrentOp) -> Self {
        match op {
            // The parameter has i, f, g, o; ONNX has i, o, f, g.
            RecurrentOp::Lstm => Self { op: "LSTM", gates: &[0, 3, 1, 2], activation: None },
            // The parameter has r, z, n; ONNX has z, r, n.
            RecurrentOp::Gru => Self { op: "GRU", gates: &[1, 0, 2], activation: None },
            RecurrentOp::RnnRelu => Self { op: "RNN", gates: &[0], activation: Some("Relu") },
            RecurrentOp::RnnTanh => Self { op: "RNN", gates: &[0], activation: None },
        }
    }
}

/// The positions of the next weights and biases in the parameter.
struct Place {
    hidden: u64,
    directions: u64,
    weights: u64,
    biases: u64,
}

pub(in crate::onnx::lower) fn lower(
    cx: &mut Lowering<'_, '_, '_>,
    node: &Node<'_, '_>,
    a: &OptimizedRnnStack,
) -> Lowered {
    let x = node.inputs[0];
    let Some(axis) = x.lead.sequence.filter(|_| x.lead.batch.is_some()) else {
        return Err(Reason::new("", "the operand is not a sequence"));
    };
    let Source::Variable(parameter) = node.sources[1] else {
        return Err(Reason::new("parameter", "is computed, not stored"));
    };
    let Some(Dim::Known(input)) = cx.tail(&x).first().copied().filter(|_| cx.static_rank(&x) == 1) else {
        return Err(Reason::new("", "the operand is not a vector of known size"));
    };
    let layout = Layout::of(a.recurrent_op);
    let directions = if a.bidirectional { 2 } else { 1 };
    let too_large = || Reason::new("hiddenSize", "the parameter has fewer weights than the layers need");
    let (weights, all) = sizes(a, input, layout.gates.len() as u64, directions).ok_or_else(too_large)?;
    if count(cx, parameter) != Some(all) {
        return Err(too_large());
    }
    let mut place = Place { hidden: a.hidden_size, directions, weights: 0, biases: weights };
    let mut row = cx.time_major(&x)?;
    let mut size = input;
    for _ in 0..a.num_layers {
        row = layer(cx, &layout, &mut place, parameter, row, size, axis)?;
        size = a.hidden_size * directions;
    }
    let result = cx.batch_major(row, axis);
    Ok(smallvec![result])
}

/// The number of elements of all matrices, and the number of all elements.
fn sizes(a: &OptimizedRnnStack, input: u64, gates: u64, directions: u64) -> Option<(u64, u64)> {
    let h = a.hidden_size;
    let deep = h.checked_mul(directions)?;
    let rows = gates.checked_mul(h)?.checked_mul(directions)?;
    let first = rows.checked_mul(input.checked_add(h)?)?;
    let others = rows.checked_mul(deep.checked_add(h)?)?.checked_mul(a.num_layers.checked_sub(1)?)?;
    let weights = first.checked_add(others)?;
    let biases = rows.checked_mul(2)?.checked_mul(a.num_layers)?;
    Some((weights, weights.checked_add(biases)?))
}

/// The number of elements of a parameter.
fn count(cx: &Lowering<'_, '_, '_>, id: VariableId) -> Option<u64> {
    let array = cx.graph.model.variable(id).value.as_ref()?;
    array.shape.elements()
}

/// Adds one layer, from [sequence, batch, in] to [sequence, batch, directions * hidden].
fn layer(
    cx: &mut Lowering<'_, '_, '_>,
    layout: &Layout,
    place: &mut Place,
    parameter: VariableId,
    x: ValueId,
    input: u64,
    axis: SequenceAxisId,
) -> Result<ValueId, Reason> {
    let (h, gates) = (place.hidden, layout.gates.len() as u64);
    let elem = cx.b.elem(x);
    let (mut w, mut r, mut b) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..place.directions {
        for (list, width) in [(&mut w, input), (&mut r, h)] {
            list.extend(layout.gates.iter().map(|g| (place.weights + g * h * width, h * width)));
            place.weights += gates * h * width;
        }
        for _ in 0..2 {
            b.extend(layout.gates.iter().map(|g| (place.biases + g * h, h)));
            place.biases += gates * h;
        }
    }
    let directions = place.directions;
    let dims = |n: u64| [directions, gates * h, n];
    let w = weights::pieces(cx, elem, &dims(input), parameter, &w)?;
    let r = weights::pieces(cx, elem, &dims(h), parameter, &r)?;
    let b = weights::pieces(cx, elem, &[directions, 2 * gates * h], parameter, &b)?;
    let both = directions == 2;
    let made = Operator {
        op: layout.op,
        x,
        w,
        r,
        b: Some(b),
        initial_h: None,
        initial_c: None,
        peepholes: None,
        hidden: h,
        direction: if both { "bidirectional" } else { "forward" },
        activations: layout.activation.map(|a| vec![a; if both { 2 } else { 1 }]),
        linear_before_reset: layout.op == "GRU",
        reads_ends: both,
        results: 1,
    };
    let y = made.emit(cx, axis)?[0];
    if !both {
        return Ok(cx.b.squeeze(y, &[1]));
    }
    let turned = cx.b.transpose(y, &[0, 2, 1, 3]);
    let (time, batch) = (cx.time(axis), cx.batch(axis));
    Ok(cx.b.reshape(turned, &[time, batch, Dim::Known(2 * h)])?)
}
