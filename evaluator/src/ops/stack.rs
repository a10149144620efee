//! OptimizedRNNStack: cuDNN's layers with all weights in one flat parameter (spec 4.10).

use super::elementwise::{relu, sigmoid};
use super::{Call, Out};
use crate::fault::{Fault, fault};
use crate::value::{Frames, Value};
use cntk_parser::ops::attributes::{OptimizedRnnStack, RecurrentOp};

/// The parameters of one layer and direction: `W` (gates * H, input) and `R` (gates * H, H), row-major, and a bias for each.
struct Cell<'p> {
    op: RecurrentOp,
    w: &'p [f64],
    r: &'p [f64],
    b: [&'p [f64]; 2],
}

/// Takes elements from the front.
fn take<'p>(from: &mut &'p [f64], n: usize) -> Result<&'p [f64], Fault> {
    match from.split_at_checked(n) {
        Some((head, rest)) => {
            *from = rest;
            Ok(head)
        }
        None => fault("its parameter has fewer weights than the layers need"),
    }
}

/// The cells of all layers and directions. In the parameter, all weights come before all biases.
fn cells<'p>(a: &OptimizedRnnStack, input: usize, mut from: &'p [f64]) -> Result<Vec<Vec<Cell<'p>>>, Fault> {
    let (hidden, layers) = (a.hidden_size as usize, a.num_layers as usize);
    let directions = if a.bidirectional { 2 } else { 1 };
    let rows = hidden.saturating_mul(match a.recurrent_op {
        RecurrentOp::Lstm => 4,
        RecurrentOp::Gru => 3,
        RecurrentOp::RnnRelu | RecurrentOp::RnnTanh => 1,
    });
    let mut all = Vec::new();
    for layer in 0..layers {
        let width = if layer == 0 { input } else { hidden * directions };
        let mut of_layer = Vec::new();
        for _ in 0..directions {
            let (w, r) = (take(&mut from, rows.saturating_mul(width))?, take(&mut from, rows.saturating_mul(hidden))?);
            of_layer.push(Cell { op: a.recurrent_op, w, r, b: [&[], &[]] });
        }
        all.push(of_layer);
    }
    for cell in all.iter_mut().flatten() {
        cell.b = [take(&mut from, rows)?, take(&mut from, rows)?];
    }
    Ok(all)
}

/// A matrix times a vector, plus a bias.
fn affine(matrix: &[f64], x: &[f64], bias: &[f64]) -> Vec<f64> {
    let rows = matrix.chunks(x.len().max(1)).zip(bias);
    rows.map(|(row, b)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + b).collect()
}

impl Cell<'_> {
    /// One step from input, hidden and cell state to the next hidden and cell state. Rows are i, f, g, o (LSTM) or r,
    /// z, n (GRU, whose reset gate is applied to the product).
    fn step(&self, x: &[f64], h: &[f64], c: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (a, b) = (affine(self.w, x, self.b[0]), affine(self.r, h, self.b[1]));
        let n = h.len();
        let gate = |k: usize, j: usize| a[k * n + j] + b[k * n + j];
        match self.op {
            RecurrentOp::Lstm => {
                let cell = |j: usize| sigmoid(gate(1, j)) * c[j] + sigmoid(gate(0, j)) * gate(2, j).tanh();
                let c: Vec<f64> = (0..n).map(cell).collect();
                ((0..n).map(|j| sigmoid(gate(3, j)) * c[j].tanh()).collect(), c)
            }
            RecurrentOp::Gru => {
                let next = |j: usize| {
                    let candidate = (a[2 * n + j] + sigmoid(gate(0, j)) * b[2 * n + j]).tanh();
                    let update = sigmoid(gate(1, j));
                    (1.0 - update) * candidate + update * h[j]
                };
                ((0..n).map(next).collect(), Vec::new())
            }
            RecurrentOp::RnnRelu => ((0..n).map(|j| relu(gate(0, j))).collect(), Vec::new()),
            RecurrentOp::RnnTanh => ((0..n).map(|j| gate(0, j).tanh()).collect(), Vec::new()),
        }
    }
}

/// OptimizedRNNStack: evaluates layer after layer. The hidden states of the backward direction follow those of the
/// forward one.
pub(super) fn stack(call: &mut Call<'_>, a: &OptimizedRnnStack) -> Out {
    let (x, parameter) = (call.input(0), call.input(1));
    let Frames::Steps(_) = x.frames else { return fault("its operand is no sequence") };
    let hidden = a.hidden_size as usize;
    let weights = parameter.contiguous();
    let layers = cells(a, x.width(), &weights)?;
    call.meter.spend(&[x.frames.count(), weights.len()])?;
    call.meter.room(&[x.frames.count(), hidden, 2])?;
    let mut rows: Vec<Vec<f64>> = x.contiguous().chunks(x.width().max(1)).map(<[f64]>::to_vec).collect();
    for layer in layers {
        let mut next = vec![Vec::new(); rows.len()];
        for (direction, cell) in layer.iter().enumerate() {
            for steps in x.frames.ranges() {
                let (mut h, mut c) = (vec![0.0; hidden], vec![0.0; hidden]);
                let order: Vec<usize> = if direction == 0 { steps.collect() } else { steps.rev().collect() };
                for t in order {
                    (h, c) = cell.step(&rows[t], &h, &c);
                    next[t].extend(&h);
                }
            }
        }
        rows = next;
    }
    let width = rows.first().map_or(0, Vec::len);
    Ok(vec![Value::of(x.frames.clone(), &[width], rows.concat())?])
}
