//! Recurrences that are known cells: `nn.LSTM`, `nn.RNN`, and CNTK's GRU as a small module of its own.
//!
//! The layer takes the weights in its own layout, so nothing else may read them, nor any value of the loop but its output.

use super::value::stored;
use super::{Lower, Owner, Val};
use crate::cells::{Activation, Block, Cell, Gate, Kind, Segment, recognise};
use crate::layout::Lead;
use crate::onnx::graph::ElemType;
use crate::pytorch::python::expr::{StateId, ValueId, number};
use crate::pytorch::state::{State, dtype};
use crate::pytorch::weights::{Piece, Weight};
use cntk_parser::model::{Dim, FunctionId, LoopId, Source, VariableId};
use cntk_parser::ops::Operator;
use smallvec::smallvec;

/// How far back from the loop its input products may stand.
const DEPTH: u32 = 8;

/// Lowers a loop as a layer; false where it is none or cannot be one here.
pub(super) fn lower(cx: &mut Lower<'_, '_, '_>, id: LoopId) -> bool {
    try_lower(cx, id).is_some()
}

fn try_lower(cx: &mut Lower<'_, '_, '_>, id: LoopId) -> Option<()> {
    let model = cx.graph.model;
    let cell = recognise(model, id)?;
    let members = &model.loops()[id.0 as usize].members;
    if cell.projection.is_some() || cell.scale.is_some() || cell.inputs.len() != 1 {
        return None;
    }
    let Source::Output(made, 0) = cell.output else { return None };
    if super::loops::outside(cx, members).iter().any(|s| *s != cell.output) {
        return None;
    }
    let x = cx.value(cell.inputs[0]).ok()??;
    let axis = x.lead.sequence?;
    let [Dim::Known(inputs)] = x.dims.as_slice() else { return None };
    let plan = Plan::new(&cell, *inputs)?;
    if !plan.parts.iter().all(|(v, _)| exclusive(cx, *v, members) && plan.elem(cx, *v) == Some(stored(x.elem))) {
        return None;
    }
    let hidden = cell.hidden;
    let mut initials = vec![initial(cx, cell.initial, hidden, x.elem)?];
    if let Kind::Lstm(lstm) = &cell.kind {
        initials.push(initial(cx, lstm.initial_state, hidden, x.elem)?);
    }
    let state = plan.state(cx, members, (*inputs, hidden), stored(x.elem));
    let steps = if cell.backward { cx.flip_steps(&x).ok()? } else { x.clone() };
    let timed = cx.timed(axis).ok()?;
    let id = call(cx, &cell, state, &steps, &initials, timed);
    let y = Val { dims: [Dim::Known(hidden)].as_slice().into(), ..x.with(id) };
    let y = if cell.backward { cx.flip_steps(&y).ok()? } else { y };
    cx.bind_outputs(made, smallvec![y]);
    Some(())
}

/// An initial state: a number, or a value to be spread over batch and units.
enum Initial {
    Number(f64),
    Value(Val),
}

fn initial(cx: &mut Lower<'_, '_, '_>, source: Source, hidden: u64, elem: super::Elem) -> Option<Initial> {
    let v = cx.value(source).ok()??;
    if let Some(value) = v.literal {
        return Some(Initial::Number(value));
    }
    if v.lead.sequence.is_some() || v.elem.is_double() != elem.is_double() || cx.batched.is_none() {
        return None;
    }
    let lead = Lead { batch: true, sequence: None };
    cx.expand(&v, lead, &[Dim::Known(hidden)]).ok().map(Initial::Value)
}

fn call(
    cx: &mut Lower<'_, '_, '_>,
    cell: &Cell,
    state: StateId,
    x: &Val,
    initials: &[Initial],
    timed: ValueId,
) -> ValueId {
    let layered = !matches!(cell.kind, Kind::Gru(_));
    let zero = initials.iter().all(|i| matches!(i, Initial::Number(0.0)));
    if zero {
        return cx.call(if layered { "%0($0)[0]" } else { "%0($0)" }, &[x.id], &[state]);
    }
    let (hidden, rest) = (cell.hidden, format!("{}, device=$0.device", x.elem.dtype()));
    let ids: Vec<ValueId> = initials
        .iter()
        .map(|i| match i {
            Initial::Number(v) => {
                let one = if layered { "1, " } else { "" };
                let text = number(*v, !x.elem.is_double());
                cx.py(&format!("torch.full(({one}$0.shape[0], {hidden}), {text}{rest})"), &[timed])
            }
            Initial::Value(v) if layered => cx.py("$0[None].contiguous()", &[v.id]),
            Initial::Value(v) => v.id,
        })
        .collect();
    match (layered, ids.as_slice()) {
        (true, [h, c]) => cx.call("%0($0, ($1, $2))[0]", &[x.id, *h, *c], &[state]),
        (true, all) => cx.call("%0($0, $1)[0]", &[x.id, all[0]], &[state]),
        (false, all) => cx.call("%0($0, $1)", &[x.id, all[0]], &[state]),
    }
}

/// Is a variable read by one function only, whose value goes nowhere but into the loop?
fn exclusive(cx: &Lower<'_, '_, '_>, v: VariableId, members: &[FunctionId]) -> bool {
    let Some([one]) = cx.consumers.get(&Source::Variable(v)).map(Vec::as_slice) else { return false };
    feeds_only(cx, *one, members, DEPTH)
}

fn feeds_only(cx: &Lower<'_, '_, '_>, f: FunctionId, members: &[FunctionId], depth: u32) -> bool {
    if members.contains(&f) {
        return true;
    }
    let source = Source::Output(f, 0);
    let linear = matches!(
        cx.graph.model.operator(f),
        Operator::Times(_)
            | Operator::Plus
            | Operator::Slice(_)
            | Operator::NoOp
            | Operator::Pass
            | Operator::Reshape(_)
    );
    linear
        && depth > 0
        && !cx.wanted.contains(&source)
        && cx.consumers.get(&source).is_some_and(|all| all.iter().all(|c| feeds_only(cx, *c, members, depth - 1)))
}

/// A layer to be made: constructor, and where each of its tensors lies.
struct Plan {
    class: &'static str,
    arguments: String,
    fallback: &'static str,
    /// Weights with what they are for.
    parts: Vec<(VariableId, Part)>,
}

/// A tensor of the layer: its name, and the gates' columns of a matrix or segments of a vector, in the layer's order.
enum Part {
    Matrix(&'static str, Vec<Block>),
    Vector(&'static str, Vec<Segment>),
}

/// All of one variable.
fn one<T>(all: &[T], of: impl Fn(&T) -> VariableId) -> Option<VariableId> {
    let first = of(all.first()?);
    all.iter().all(|t| of(t) == first).then_some(first)
}

impl Plan {
    fn new(cell: &Cell, inputs: u64) -> Option<Self> {
        let gates: Vec<&Gate> = match &cell.kind {
            // PyTorch's order of gates.
            Kind::Lstm(l) => {
                let tanh = l.candidate_activation == Activation::Tanh && l.state_activation == Activation::Tanh;
                if !tanh || l.peepholes.is_some() {
                    return None;
                }
                vec![&l.input, &l.forget, &l.candidate, &l.output]
            }
            Kind::Rnn { gate, activation } if *activation != Activation::Sigmoid => vec![gate],
            Kind::Gru(g) if g.reset_after.is_none() && g.activation == Activation::Tanh => {
                vec![&g.update, &g.reset, &g.candidate]
            }
            _ => return None,
        };
        let input: Vec<Block> = gates.iter().map(|g| g.input[0]).collect();
        let recurrent: Vec<Block> = gates.iter().map(|g| g.recurrent).collect();
        let biases = gates[0].bias.len();
        if gates.iter().any(|g| g.bias.len() != biases) || biases > 2 || input.iter().any(|b| b.rows != inputs) {
            return None;
        }
        let mut parts = Vec::new();
        let is_gru = matches!(cell.kind, Kind::Gru(_));
        let names = if is_gru { ["input.weight", "input.bias"] } else { ["weight_ih_l0", "bias_ih_l0"] };
        parts.push((one(&input, |b| b.weight)?, Part::Matrix(names[0], input)));
        if is_gru {
            parts.push((one(&recurrent[..2], |b| b.weight)?, Part::Matrix("gates.weight", recurrent[..2].to_vec())));
            parts.push((recurrent[2].weight, Part::Matrix("candidate.weight", recurrent[2..].to_vec())));
            if biases != 1 {
                return None;
            }
        } else {
            parts.push((one(&recurrent, |b| b.weight)?, Part::Matrix("weight_hh_l0", recurrent)));
        }
        for (i, name) in [names[1], "bias_hh_l0"].into_iter().enumerate().take(biases) {
            let segments: Vec<Segment> = gates.iter().map(|g| g.bias[i]).collect();
            parts.push((one(&segments, |s| s.vector)?, Part::Vector(name, segments)));
        }
        let (class, fallback, mut arguments) = match &cell.kind {
            Kind::Lstm(_) => ("nn.LSTM", "lstm", String::new()),
            Kind::Rnn { activation: Activation::Relu, .. } => ("nn.RNN", "rnn", ", nonlinearity=\"relu\"".to_owned()),
            Kind::Rnn { .. } => ("nn.RNN", "rnn", String::new()),
            Kind::Gru(_) => ("CntkGru", "gru", String::new()),
        };
        if is_gru {
        } else {
            if biases == 0 {
                arguments.push_str(", bias=False");
            }
            arguments.push_str(", batch_first=True");
        }
        Some(Self { class, arguments, fallback, parts })
    }

    fn elem(&self, cx: &Lower<'_, '_, '_>, v: VariableId) -> Option<ElemType> {
        Weight::new(cx.graph.model.variable(v))
            .map(|w| w.elem)
            .filter(|e| self.class != "CntkGru" || *e == ElemType::Float)
    }

    /// The layer's state, with its weights taken.
    fn state(
        self,
        cx: &mut Lower<'_, '_, '_>,
        members: &[FunctionId],
        (inputs, hidden): (u64, u64),
        elem: ElemType,
    ) -> StateId {
        let wanted = members.iter().find_map(|f| cx.layer_name(*f));
        let dtype = dtype(elem).map_or(String::new(), |d| format!(", dtype={d}"));
        let constructor = format!("{}({inputs}, {hidden}{}{dtype})", self.class, self.arguments);
        let mut state = State::module(constructor, wanted, self.fallback);
        let model = cx.graph.model;
        let mut second = self.class == "CntkGru";
        let mut rows = 0;
        for (v, part) in &self.parts {
            let Some(weight) = Weight::new(model.variable(*v)) else { continue };
            let layout = "gates in PyTorch's order";
            state = match part {
                Part::Matrix(name, blocks) => {
                    let pieces: Vec<([u64; 2], [i64; 2], u64)> = blocks
                        .iter()
                        .map(|b| ([hidden, b.rows], [1, b.width.cast_signed()], b.row * b.width + b.column))
                        .collect();
                    let views: Vec<Piece<'_>> =
                        pieces.iter().map(|(dims, strides, offset)| Piece { offset: *offset, dims, strides }).collect();
                    rows = rows.max(hidden * blocks.len() as u64);
                    let dims = [hidden * blocks.len() as u64, blocks[0].rows];
                    state.tensor(name, (*v, &weight), &dims, weight.pieces(&views), layout)
                }
                Part::Vector(name, segments) => {
                    let dims = [hidden];
                    let views: Vec<Piece<'_>> =
                        segments.iter().map(|s| Piece { offset: s.from, dims: &dims, strides: &[1] }).collect();
                    second |= *name == "bias_hh_l0";
                    let dims = [hidden * segments.len() as u64];
                    state.tensor(name, (*v, &weight), &dims, weight.pieces(&views), layout)
                }
            };
        }
        let biased = self.parts.iter().any(|(_, p)| matches!(p, Part::Vector(..)));
        if biased && !second {
            state = state.filled("bias_hh_l0", elem, &[rows], 0.0);
        }
        let id = cx.hold(state);
        for (v, _) in &self.parts {
            cx.owners.insert(*v, Owner { state: id, text: String::new() });
        }
        id
    }
}
