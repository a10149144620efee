//! Recognises loops that are LSTM, GRU or plain recurrent cells, from the primitive graph.
//!
//! Block names and attributes do not matter: a loop is a cell if its functions compute exactly the cell's equations
//! with weights that are parameters or constants of the model. Any other loop is lowered as it is.
//! Knows neither ONNX nor PyTorch. A [`Cell`] tells a back end where in the stored tensors each gate's weights are.
//!
//! ```text
//! Rnn    h = act(W x + R k + b)
//! Gru    z, r = sigmoid(W x + R k + b)    n = act(W x + R (r k) + b)  or  act(W x + b + r (R k + b'))
//!        h = (1 - z) n + z k
//! Lstm   i, f = sigmoid(W x + R k + p c' + b)    g = act(W x + R k + b)    c = f c' + i g
//!        o = sigmoid(W x + R k + p c + b)        h = o act(c)
//! ```
//!
//! `k` is the value that the loop feeds back: the previous `h` or a projection of it, times a number. `c'` is the
//! previous `c`.

mod affine;
mod gate;
mod gru;
mod lstm;
mod ring;
mod rnn;
mod stabilizer;

use cntk_parser::model::{LoopId, Source, ValidatedModel, VariableId};

pub use stabilizer::{Stabilizer, stabilizer};

/// A loop that is a known cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The kind of cell, with its gates.
    pub kind: Kind,
    /// Does it run from the last frame to the first?
    pub backward: bool,
    /// The number of elements of `h`.
    pub hidden: u64,
    /// The values that the gates read in each frame. [`Gate::input`] has a block for each, in this order.
    pub inputs: Vec<Source>,
    /// `h`: the cell's output before a projection.
    pub output: Source,
    /// The projection of `h` before it is fed back.
    pub projection: Option<Projection>,
    /// The number by which the fed-back value is multiplied before [`Gate::recurrent`], and before a GRU blends it with
    /// the candidate (self-stabilization). It is a value with one element and without dynamic axes.
    pub scale: Option<Source>,
    /// The initial state of the fed-back value.
    pub initial: Source,
}

/// The kinds of cells.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// The plain step.
    Rnn {
        /// Its gate.
        gate: Gate,
        /// Its activation.
        activation: Activation,
    },
    /// Gated recurrent unit.
    Gru(Box<Gru>),
    /// Long short-term memory.
    Lstm(Box<Lstm>),
}

/// The gates of a GRU.
#[derive(Clone, Debug, PartialEq)]
pub struct Gru {
    /// `z`.
    pub update: Gate,
    /// `r`.
    pub reset: Gate,
    /// `n`.
    pub candidate: Gate,
    /// The activation of `n`.
    pub activation: Activation,
    /// If `r` multiplies the recurrent product of `n`: the bias `b'` that is added to the product before.
    pub reset_after: Option<Vec<Segment>>,
}

/// The gates of an LSTM.
#[derive(Clone, Debug, PartialEq)]
pub struct Lstm {
    /// `i`.
    pub input: Gate,
    /// `f`.
    pub forget: Gate,
    /// `g`.
    pub candidate: Gate,
    /// `o`.
    pub output: Gate,
    /// The activation of `g`.
    pub candidate_activation: Activation,
    /// The activation of `c` in `h`.
    pub state_activation: Activation,
    /// The peepholes of `i`, `f` and `o`: all or none.
    pub peepholes: Option<[Peephole; 3]>,
    /// `c`.
    pub state: Source,
    /// Its initial state.
    pub initial_state: Source,
}

/// The affine part of a gate: `W x + R k + b`.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// `W`, a block for each of [`Cell::inputs`].
    pub input: Vec<Block>,
    /// `R`.
    pub recurrent: Block,
    /// `b`, the sum of these.
    pub bias: Vec<Segment>,
}

/// Rows and columns of a stored matrix: `y_j = sum_i x_i m[row + i, column + j]` in row-major terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// The parameter or constant.
    pub weight: VariableId,
    /// The first row.
    pub row: u64,
    /// The number of rows, which is the length of `x`.
    pub rows: u64,
    /// The first of [`Cell::hidden`] columns.
    pub column: u64,
    /// The number of columns of the whole matrix.
    pub width: u64,
}

/// [`Cell::hidden`] elements of a stored vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// The parameter or constant.
    pub vector: VariableId,
    /// The first element.
    pub from: u64,
}

/// A peephole: a vector by which the state is multiplied, element by element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peephole {
    /// The vector.
    pub weight: Segment,
    /// A number by which the state is multiplied before, like [`Cell::scale`].
    pub scale: Option<Source>,
}

/// A projection of a cell's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Projection {
    /// The matrix. It has a row for each element of `h` and a column for each of the projected value.
    pub weight: Block,
    /// The number of elements of the projected value.
    pub size: u64,
    /// A number by which `h` is multiplied before, like [`Cell::scale`].
    pub scale: Option<Source>,
    /// The projected value.
    pub output: Source,
}

/// The activations that cells may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Activation {
    Tanh,
    Sigmoid,
    Relu,
}

/// The cell that a loop is, if it is one.
pub fn recognise(model: &ValidatedModel<'_>, id: LoopId) -> Option<Cell> {
    let ring = ring::Ring::new(model, id)?;
    lstm::find(&ring).or_else(|| gru::find(&ring)).or_else(|| rnn::find(&ring))
}
