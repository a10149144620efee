//! Lowers loops that are cells to ONNX's recurrent operators.

use super::super::sequence::delay::initial_frame;
use super::super::{Lowering, Val, elem_type};
use super::operator::Operator;
use super::plan::Plan;
use super::{Frame, Refused, weights};
use crate::cells::{Activation, Block, Cell, Gate, Kind, Lstm, Segment, recognise};
use crate::onnx::builder::Measured;
use crate::onnx::graph::{Dim, ElemType, ValueId};
use crate::report::Reason;
use cntk_parser::model::{FunctionId, Source};

/// Lowers a loop that is a recurrent cell; `false` if it is not one, or not one that ONNX Runtime can run.
pub(super) fn lower(cx: &mut Lowering<'_, '_, '_>, frame: &Frame) -> Result<bool, Refused> {
    let Some(cell) = recognise(cx.graph.model, frame.id) else { return Ok(false) };
    // The runtime has no double kernels for recurrent operators.
    let elem = elem_type(cx.graph.model.type_of(cell.output).data_type);
    let Some(elem @ (ElemType::Float | ElemType::Float16)) = elem else { return Ok(false) };
    // A GRU also blends the fed-back state with the candidate, so a scale or projection of it cannot be folded into a
    // weight.
    if matches!(cell.kind, Kind::Gru(_)) && (cell.projection.is_some() || cell.scale.is_some()) {
        return Ok(false);
    }
    if cell.projection.is_some() && !starts_at_zero(cx, frame, cell.initial) {
        return Ok(false);
    }
    let Some(plan) = Plan::new(cx, frame, &cell) else { return Ok(false) };
    if let Some(origin) = origin(cx, &cell) {
        cx.b.begin(cx.naming.origin(origin));
    }
    let Some(made) = build(cx, frame, &cell, &plan, elem)? else { return Ok(true) };
    let results = made.emit(cx, frame.axis)?;
    cx.b.name_node(results[0]);
    let all = cx.b.squeeze(results[0], &[1]);
    let output = cx.batch_major(all, frame.axis);
    if let Source::Output(f, i) = cell.output {
        let of = cx.graph.model.output_types(f).len();
        cx.b.name_value(output.id, cx.naming.value(f, i as usize, of));
    }
    cx.values.bind(cell.output, output);
    let lead = cx.layout.per_sequence(frame.axis);
    if plan.final_output {
        let id = cx.b.squeeze(results[1], &[0]);
        cx.sequences.finals.insert(cell.output, (plan.last, Val { id, lead }));
    }
    if let (Kind::Lstm(lstm), true) = (&cell.kind, plan.final_state) {
        let id = cx.b.squeeze(results[2], &[0]);
        cx.sequences.finals.insert(lstm.state, (plan.last, Val { id, lead }));
        // Binds the state only for its axes: no one reads its frames.
        cx.values.bind(lstm.state, output);
    }
    for f in &plan.after {
        cx.lower_one(*f);
    }
    Ok(true)
}

/// Is the initial state zero in the delay that starts with `initial`?
fn starts_at_zero(cx: &Lowering<'_, '_, '_>, frame: &Frame, initial: Source) -> bool {
    let model = cx.graph.model;
    let state = frame.states.iter().find(|s| model.inputs(s.delay).get(1) == Some(&initial));
    state.is_some_and(|s| is_zero(cx, &s.initial))
}

fn is_zero(cx: &Lowering<'_, '_, '_>, v: &Val) -> bool {
    cx.b.literal(v.id).is_some_and(|values| values.iter().all(|v| *v == 0.0))
}

/// Builds the operator; `None` if the lowering of something that it reads was refused.
fn build(
    cx: &mut Lowering<'_, '_, '_>,
    frame: &Frame,
    cell: &Cell,
    plan: &Plan,
    elem: ElemType,
) -> Result<Option<Operator>, Reason> {
    let Some(x) = inputs(cx, cell, elem)? else { return Ok(None) };
    let none: &[Segment] = &[];
    let (op, gates, recurrent_bias, activations) = match &cell.kind {
        Kind::Rnn { gate, activation } => ("RNN", vec![gate], none, vec![*activation]),
        Kind::Gru(g) => {
            let inner = g.reset_after.as_deref().unwrap_or(none);
            ("GRU", vec![&g.update, &g.reset, &g.candidate], inner, vec![Activation::Sigmoid, g.activation])
        }
        Kind::Lstm(l) => {
            let list = vec![Activation::Sigmoid, l.candidate_activation, l.state_activation];
            ("LSTM", vec![&l.input, &l.output, &l.forget, &l.candidate], none, list)
        }
    };
    let w = input_weights(cx, cell, &gates, elem)?;
    let Some(r) = recurrent_weights(cx, cell, &gates, elem)? else { return Ok(None) };
    let mut segments: Vec<&[Segment]> = gates.iter().map(|g| g.bias.as_slice()).collect();
    segments.extend(vec![none; gates.len()]);
    if let Some(last) = segments.last_mut() {
        *last = recurrent_bias;
    }
    let b = weights::biases(cx, elem, cell.hidden, &segments)?;
    let (mut initial_c, mut peepholes) = (None, None);
    if let Kind::Lstm(lstm) = &cell.kind {
        initial_c = initial(cx, frame, lstm.initial_state, cell, elem)?;
        peepholes = match peephole_weights(cx, lstm, cell, elem)? {
            Peepholes::Some(p) => Some(p),
            Peepholes::None => None,
            Peepholes::Refused => return Ok(None),
        };
    }
    let initial_h = initial(cx, frame, cell.initial, cell, elem)?;
    let default = match op {
        "RNN" => activations == [Activation::Tanh],
        "GRU" => activations == [Activation::Sigmoid, Activation::Tanh],
        _ => activations == [Activation::Sigmoid, Activation::Tanh, Activation::Tanh],
    };
    Ok(Some(Operator {
        op,
        x,
        w,
        r,
        b,
        initial_h,
        initial_c,
        peepholes,
        hidden: cell.hidden,
        direction: if cell.backward { "reverse" } else { "forward" },
        activations: (!default).then(|| activations.iter().map(|a| activation(*a)).collect()),
        linear_before_reset: matches!(&cell.kind, Kind::Gru(g) if g.reset_after.is_some()),
        reads_ends: cell.backward || plan.final_output || plan.final_state,
        results: if plan.final_state { 3 } else { 1 + usize::from(plan.final_output) },
    }))
}

fn activation(a: Activation) -> &'static str {
    match a {
        Activation::Tanh => "Tanh",
        Activation::Sigmoid => "Sigmoid",
        Activation::Relu => "Relu",
    }
}

/// The inputs of the gates, concatenated: [sequence, batch, input].
fn inputs(cx: &mut Lowering<'_, '_, '_>, cell: &Cell, elem: ElemType) -> Result<Option<ValueId>, Reason> {
    let mut parts = Vec::new();
    for source in &cell.inputs {
        let Some(v) = cx.value(*source)? else { return Ok(None) };
        let v = cx.full(v, *source)?;
        let id = cx.time_major(&v)?;
        parts.push(cx.b.cast(id, elem));
    }
    Ok(Some(cx.b.concat(&parts, 2)))
}

fn input_weights(
    cx: &mut Lowering<'_, '_, '_>,
    cell: &Cell,
    gates: &[&Gate],
    elem: ElemType,
) -> Result<ValueId, Reason> {
    let mut parts = Vec::new();
    for i in 0..cell.inputs.len() {
        let blocks: Vec<Block> = gates.iter().map(|g| g.input[i]).collect();
        parts.push(weights::matrices(cx, elem, cell.hidden, &blocks)?);
    }
    Ok(cx.b.concat(&parts, 2))
}

/// The recurrent weights. A factor or projection of the fed-back output is applied to the weights instead, once.
fn recurrent_weights(
    cx: &mut Lowering<'_, '_, '_>,
    cell: &Cell,
    gates: &[&Gate],
    elem: ElemType,
) -> Result<Option<ValueId>, Reason> {
    let blocks: Vec<Block> = gates.iter().map(|g| g.recurrent).collect();
    let mut r = weights::matrices(cx, elem, cell.hidden, &blocks)?;
    let projection = cell.projection.as_ref();
    if let Some(projection) = projection {
        let Some(p) = cx.value(Source::Variable(projection.weight.weight))? else { return Ok(None) };
        let p = cx.b.cast(p.id, elem);
        let turned = cx.b.transpose(p, &[1, 0]);
        r = cx.b.matmul(r, turned);
    }
    for scale in [cell.scale, projection.and_then(|p| p.scale)].into_iter().flatten() {
        let Some(scaled) = scaled(cx, r, scale)? else { return Ok(None) };
        r = scaled;
    }
    Ok(Some(r))
}

/// A weight multiplied by a number of the model.
fn scaled(cx: &mut Lowering<'_, '_, '_>, weight: ValueId, scale: Source) -> Result<Option<ValueId>, Reason> {
    let Some(v) = cx.value(scale)? else { return Ok(None) };
    let elem = cx.b.elem(weight);
    let factor = cx.b.cast(v.id, elem);
    Ok(Some(cx.b.mul(weight, factor)))
}

/// The peephole weights, or the reason why there are none.
enum Peepholes {
    Some(ValueId),
    None,
    Refused,
}

fn peephole_weights(
    cx: &mut Lowering<'_, '_, '_>,
    lstm: &Lstm,
    cell: &Cell,
    elem: ElemType,
) -> Result<Peepholes, Reason> {
    let Some([input, forget, output]) = lstm.peepholes else { return Ok(Peepholes::None) };
    let order = [input, output, forget];
    if order.iter().all(|p| p.scale.is_none()) {
        let segments: Vec<Segment> = order.iter().map(|p| p.weight).collect();
        return Ok(Peepholes::Some(weights::vectors(cx, elem, cell.hidden, &segments)?));
    }
    let mut parts = Vec::new();
    for p in order {
        let mut id = weights::vectors(cx, elem, cell.hidden, &[p.weight])?;
        if let Some(scale) = p.scale {
            let Some(made) = scaled(cx, id, scale)? else { return Ok(Peepholes::Refused) };
            id = made;
        }
        parts.push(id);
    }
    Ok(Peepholes::Some(cx.b.concat(&parts, 1)))
}

/// An initial state as [1, batch, hidden]; `None` if it is zero.
fn initial(
    cx: &mut Lowering<'_, '_, '_>,
    frame: &Frame,
    source: Source,
    cell: &Cell,
    elem: ElemType,
) -> Measured<Option<ValueId>> {
    let model = cx.graph.model;
    let state = frame.states.iter().find(|s| model.inputs(s.delay).get(1) == Some(&source));
    let Some(state) = state.filter(|s| !is_zero(cx, &s.initial)) else { return Ok(None) };
    let dims = [Dim::Known(cell.hidden)];
    let lead = cx.layout.per_sequence(frame.axis);
    let rows = initial_frame(cx, elem, lead, &dims, state.initial, cell.backward)?;
    Ok(Some(cx.b.unsqueeze(rows, &[0])))
}

/// The function after which the nodes are named: the block around the cell, or the function that computes its output.
fn origin(cx: &mut Lowering<'_, '_, '_>, cell: &Cell) -> Option<FunctionId> {
    let Source::Output(f, _) = cell.output else { return None };
    let block = cx.graph.model.parent(f).filter(|block| cx.recurrences.blocks.insert(*block));
    Some(block.unwrap_or(f))
}
