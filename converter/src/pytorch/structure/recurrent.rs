//! Recurrent layers that PyTorch holds in one: both directions, and stacks of layers.
//!
//! `nn.LSTM` and its kin run backwards within the lengths of packed sequences and feed one layer's steps to the next, which
//! is what two layers and flips around one of them compute, step by valid step. Dropout between layers is one of their arguments.

use super::Network;
use crate::pytorch::python::expr::{
    Argument, Expr, Module, StateId, Subscript, ValueId, args, helper, keyword, nn, of,
};
use crate::pytorch::python::uses::Uses;
use crate::pytorch::state::{Held, Kind, State};
use std::collections::HashMap;

/// A layer, or a stack of them: what it reads, the lengths if it runs both ways, and the states of its layers.
#[derive(Clone, Debug)]
struct Stack {
    x: ValueId,
    lengths: Option<ValueId>,
    /// The forward layer and, if it runs both ways, the backward one; from the first layer on.
    layers: Vec<Vec<StateId>>,
    /// The rate of the dropout between layers.
    dropout: Option<Expr>,
}

/// Joins the recurrent layers of a network where nothing else reads what is between them.
pub(super) fn join(network: &mut Network<'_>) {
    if !network.states.iter().any(|s| sizes(s).is_some()) {
        return;
    }
    let once = Once { network, uses: network.body.uses(network.outputs) };
    let mut stacks: HashMap<ValueId, Stack> = HashMap::new();
    let mut inner: Vec<ValueId> = Vec::new();
    for id in once.uses.needed() {
        let Some(mut stack) = once.both_ways(id).or_else(|| once.one_way(id)) else { continue };
        let readers = if stack.lengths.is_some() { 2 } else { 1 };
        let (result, dropout) = once.dropped(stack.x).unwrap_or((stack.x, None));
        if let Some(below) = stacks.get(&result)
            && below.lengths == stack.lengths
            && once.uses.of(stack.x) == readers
            && once.goes_on(&below.layers, &stack.layers)
            && (below.layers.len() == 1 || below.dropout == dropout)
        {
            inner.push(result);
            let layers = below.layers.iter().chain(&stack.layers).cloned().collect();
            stack = Stack { x: below.x, lengths: stack.lengths, layers, dropout };
        }
        stacks.insert(id, stack);
    }
    inner.iter().for_each(|v| {
        stacks.remove(v);
    });
    let mut all: Vec<(ValueId, Stack)> = stacks.into_iter().collect();
    all.retain(|(_, stack)| stack.lengths.is_some() || stack.layers.len() > 1);
    all.sort_unstable_by_key(|(v, _)| *v);
    for (id, stack) in all {
        let Some(state) = joined(network.states, &stack) else { continue };
        network.states.push(state);
        let state = StateId(network.states.len() as u32 - 1);
        let call = match stack.lengths {
            Some(lengths) => {
                let packed = Expr::layer(state, args![helper("pack", args![stack.x, lengths])]).at(0);
                helper("unpack", args![packed, of(stack.x).size(1)])
            }
            None => Expr::layer(state, args![stack.x]).at(0),
        };
        network.body.values[id.0 as usize].expr = call.into();
    }
}

struct Once<'o, 'n> {
    network: &'o Network<'n>,
    uses: Uses,
}

impl Once<'_, '_> {
    fn expr(&self, v: ValueId) -> &Expr {
        &self.network.body.values[v.0 as usize].expr
    }

    fn used_once(&self, v: ValueId) -> bool {
        self.uses.of(v) == 1
    }

    /// `torch.cat([layer(x), flip(layer(flip(x)))], 2)` of equal layers.
    fn both_ways(&self, id: ValueId) -> Option<Stack> {
        let Expr::Call(function, arguments) = self.expr(id) else { return None };
        let (Expr::Torch(Module::Torch, name), [list, axis]) = (&**function, arguments.as_slice()) else { return None };
        let (Expr::List(both), Expr::Int(2)) = (&list.value, &axis.value) else { return None };
        let (true, [Expr::Value(forward), Expr::Value(backward)]) = (name == "cat", both.as_slice()) else {
            return None;
        };
        let (first, x) = self.layer(*forward)?;
        let (turned, lengths) = self.flipped(*backward)?;
        let (second, turned_x) = self.layer(turned)?;
        let (same, own) = self.flipped(turned_x)?;
        let once = [*forward, *backward, turned].into_iter().all(|v| self.used_once(v)) && self.used_once(turned_x);
        (once && same == x && own == lengths && self.alike(first, second)).then(|| Stack {
            x,
            lengths: Some(lengths),
            layers: vec![vec![first, second]],
            dropout: None,
        })
    }

    /// A layer by itself.
    fn one_way(&self, id: ValueId) -> Option<Stack> {
        let (state, x) = self.layer(id)?;
        let held = &self.network.states[state.0 as usize];
        let plain = sizes(held).is_some() && held.tensors.iter().all(named);
        plain.then(|| Stack { x, lengths: None, layers: vec![vec![state]], dropout: None })
    }

    /// What a dropout that is read by nothing else is applied to, and its rate.
    fn dropped(&self, v: ValueId) -> Option<(ValueId, Option<Expr>)> {
        let Expr::Layer(state, _, arguments) = self.expr(v) else { return None };
        let [Argument { name: None, value: Expr::Value(x) }] = arguments.as_slice() else { return None };
        let Kind::Module(Expr::Call(function, rate)) = &self.network.states[state.0 as usize].kind else { return None };
        let is_dropout = matches!(&**function, Expr::Torch(Module::Nn, name) if name == "Dropout");
        let [Argument { name: None, value: rate }] = rate.as_slice() else { return None };
        (is_dropout && self.used_once(*x)).then(|| (*x, Some(rate.clone())))
    }

    /// A layer of `torch.nn` that starts from zeros, and its operand.
    fn layer(&self, v: ValueId) -> Option<(StateId, ValueId)> {
        let Expr::Index(call, index) = self.expr(v) else { return None };
        let ([Subscript::At(Expr::Int(0))], Expr::Layer(state, _, arguments)) = (index.as_slice(), &**call) else {
            return None;
        };
        let [Argument { name: None, value: Expr::Value(x) }] = arguments.as_slice() else { return None };
        (self.uses.of_state(*state) == 1).then_some((*state, *x))
    }

    /// What is flipped, and within which lengths.
    fn flipped(&self, v: ValueId) -> Option<(ValueId, ValueId)> {
        let Expr::Call(function, arguments) = self.expr(v) else { return None };
        match (&**function, arguments.as_slice()) {
            (
                Expr::Helper("flip_steps"),
                [Argument { value: Expr::Value(x), .. }, Argument { value: Expr::Value(lengths), .. }],
            ) => Some((*x, *lengths)),
            _ => None,
        }
    }

    /// Have two layers the same constructor and tensors of the same shapes and uses?
    fn alike(&self, a: StateId, b: StateId) -> bool {
        let [a, b] = [a, b].map(|s| &self.network.states[s.0 as usize]);
        let tensors = |s: &State| -> Vec<_> {
            s.tensors.iter().map(|t| (t.suffix.clone(), t.dims.clone(), t.elem, t.trainable)).collect()
        };
        a.kind == b.kind && tensors(a) == tensors(b) && sizes(a).is_some() && a.tensors.iter().all(named)
    }

    /// Can `above` be the next layers of the stack `below`?
    fn goes_on(&self, below: &[Vec<StateId>], above: &[Vec<StateId>]) -> bool {
        let state = |s: StateId| &self.network.states[s.0 as usize];
        let (Some(last), Some(next)) = (below.last(), above.first()) else { return false };
        let ([lower, ..], [upper, ..]) = (last.as_slice(), next.as_slice()) else { return false };
        let (lower, upper) = (state(*lower), state(*upper));
        let ways = last.len() as i128;
        let (Some((_, hidden, rest)), Some((inputs, also, more))) = (sizes(lower), sizes(upper)) else { return false };
        let suffixes =
            |s: &State| -> Vec<_> { s.tensors.iter().map(|t| (t.suffix.clone(), t.elem, t.trainable)).collect() };
        hidden == also && inputs == ways * hidden && rest == more && suffixes(lower) == suffixes(upper)
    }
}

/// Is it a tensor of a first layer, not of a projection?
fn named(held: &Held) -> bool {
    matches!(held.suffix.as_str(), "weight_ih_l0" | "weight_hh_l0" | "bias_ih_l0" | "bias_hh_l0")
}

/// Inputs and units of a layer of `torch.nn`, and its other arguments.
fn sizes(state: &State) -> Option<(i128, i128, &[Argument])> {
    let Kind::Module(Expr::Call(function, arguments)) = &state.kind else { return None };
    let Expr::Torch(Module::Nn, name) = &**function else { return None };
    let [Argument { value: Expr::Int(inputs), .. }, Argument { value: Expr::Int(hidden), .. }, rest @ ..] =
        arguments.as_slice()
    else {
        return None;
    };
    matches!(&**name, "LSTM" | "GRU" | "RNN").then_some((*inputs, *hidden, rest))
}

/// The state that holds a whole stack.
fn joined(states: &[State], stack: &Stack) -> Option<State> {
    let first = &states[stack.layers.first()?.first()?.0 as usize];
    let Kind::Module(Expr::Call(function, arguments)) = &first.kind else { return None };
    let Expr::Torch(_, name) = &**function else { return None };
    let mut all = arguments[..2].to_vec();
    if stack.layers.len() > 1 {
        all.push(keyword("num_layers", stack.layers.len()));
    }
    let at = arguments.iter().position(|a| a.name == Some("dtype")).unwrap_or(arguments.len());
    all.extend_from_slice(&arguments[2..at]);
    all.extend(stack.dropout.clone().map(|rate| keyword("dropout", rate)));
    all.extend(stack.lengths.is_some().then(|| keyword("bidirectional", true)));
    all.extend_from_slice(&arguments[at..]);
    let mut made = State::module(nn(name.clone(), all), first.wanted.clone(), first.fallback);
    for (layer, both) in stack.layers.iter().enumerate() {
        for (id, way) in both.iter().zip(["", "_reverse"]) {
            for held in &states[id.0 as usize].tensors {
                let stem = held.suffix.strip_suffix("_l0")?;
                made.tensors.push(Held { suffix: format!("{stem}_l{layer}{way}"), ..held.clone() });
            }
        }
    }
    Some(made)
}
