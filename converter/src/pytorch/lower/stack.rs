//! Lowers OptimizedRNNStack (spec 4.10) to PyTorch's own recurrent layers, which have cuDNN's layout and arithmetic.

use super::value::stored;
use super::{Lower, Lowered, Node, Owner, Val};
use crate::pytorch::python::expr::{Expr, args, helper, keyword, nn, of};
use crate::pytorch::state::{State, dtype};
use crate::pytorch::weights::{Piece, Weight};
use crate::report::Reason;
use cntk_parser::model::Source;
use cntk_parser::ops::attributes::{OptimizedRnnStack, RecurrentOp};
use smallvec::smallvec;

pub(super) fn lower(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &OptimizedRnnStack) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let Some(axis) = x.lead.sequence else { return Err(Reason::new("", "the operand is not a sequence")) };
    let Source::Variable(w) = node.sources[1] else {
        return Err(Reason::new("W", "is computed and not a parameter"));
    };
    let weight = Weight::new(cx.graph.model.variable(w)).ok_or_else(|| Reason::new("W", "has no value"))?;
    let Some(input) = x.dims.first().and_then(|d| d.known()).filter(|_| x.rank() == 1 && weight.elem == stored(x.elem))
    else {
        return Err(Reason::new("", "the operand is not a sequence of vectors"));
    };
    let key = format!("stack {w:?} {a:?}");
    let state = match cx.modules.get(&key) {
        Some(state) => *state,
        None if cx.owners.contains_key(&w) => return Err(Reason::new("W", "is used otherwise too")),
        None => {
            let wanted = cx.layer_name(node.id);
            let state = module(a, input, (w, &weight), wanted)?;
            let id = cx.hold(state);
            cx.modules.insert(key, id);
            cx.owners.insert(w, Owner::rearranged(id));
            id
        }
    };
    let id = if a.bidirectional {
        let lengths = cx.lengths(axis)?;
        let packed = Expr::layer(state, args![helper("pack", args![x.id, lengths])]).at(0);
        cx.compute(helper("unpack", args![packed, of(x.id).size(1)]))
    } else {
        cx.compute(Expr::layer(state, args![x.id]).at(0))
    };
    Ok(smallvec![Val { dims: node.types[0].shape.clone(), ..x.with(id) }])
}

fn module(
    a: &OptimizedRnnStack,
    input: u64,
    w: (cntk_parser::model::VariableId, &Weight),
    wanted: Option<String>,
) -> Result<State, Reason> {
    let (class, gates, extra, fallback) = match a.recurrent_op {
        RecurrentOp::Lstm => ("LSTM", 4, None, "lstm"),
        RecurrentOp::Gru => ("GRU", 3, None, "gru"),
        RecurrentOp::RnnRelu => ("RNN", 1, Some(keyword("nonlinearity", "relu")), "rnn"),
        RecurrentOp::RnnTanh => ("RNN", 1, None, "rnn"),
    };
    let (h, layers, ways) = (a.hidden_size, a.num_layers, if a.bidirectional { 2 } else { 1 });
    let rows = gates * h;
    let mut arguments = args![input, h];
    arguments.extend((layers > 1).then(|| keyword("num_layers", layers)));
    arguments.extend(extra);
    arguments.push(keyword("batch_first", true));
    arguments.extend((ways == 2).then(|| keyword("bidirectional", true)));
    arguments.extend(dtype(w.1.elem));
    let mut state = State::module(nn(class, arguments), wanted, fallback);
    let mut offset = 0u64;
    let mut next = |state: State, name: &str, dims: &[u64]| {
        let count: u64 = dims.iter().product();
        let data = w.1.pieces(&[Piece { offset, dims: &[count], strides: &[1] }]);
        offset += count;
        state.tensor(name, w, dims, data, "part of a cuDNN parameter")
    };
    let suffix = |layer: u64, way: u64| format!("l{layer}{}", if way == 1 { "_reverse" } else { "" });
    for layer in 0..layers {
        for way in 0..ways {
            let from = if layer == 0 { input } else { h * ways };
            state = next(state, &format!("weight_ih_{}", suffix(layer, way)), &[rows, from]);
            state = next(state, &format!("weight_hh_{}", suffix(layer, way)), &[rows, h]);
        }
    }
    for layer in 0..layers {
        for way in 0..ways {
            state = next(state, &format!("bias_ih_{}", suffix(layer, way)), &[rows]);
            state = next(state, &format!("bias_hh_{}", suffix(layer, way)), &[rows]);
        }
    }
    if offset == w.1.count() { Ok(state) } else { Err(Reason::new("W", "has not as many elements as the layers need")) }
}
