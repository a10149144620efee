//! Recurrent layers that `torch.nn` lacks, as small modules. Only the kinds that a model needs are written.

use crate::cells::Activation;
use crate::pytorch::helpers::{Import, Needs};
use crate::pytorch::python::wrap::Lines;
use std::collections::BTreeSet;

/// The cell of which the layer is a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Base {
    Lstm,
    Gru,
    Rnn,
}

/// A feature that the plain layer lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Feature {
    /// Also returns the cell state of every step.
    State,
    /// Scales the fed-back value.
    StabilizedOutput,
    /// Scales the cell state before the peepholes of `i` and `f`.
    StabilizedState,
    /// Scales the cell state before the peephole of `o`.
    StabilizedNewState,
    /// Scales the output before its projection.
    StabilizedProjection,
    Peepholes,
    Projection,
}

/// A kind of layer. Layers of the same kind share one class.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Class {
    pub(crate) base: Base,
    /// The activations of the candidate and, in an LSTM, of the cell state.
    pub(crate) activations: [Activation; 2],
    pub(crate) features: BTreeSet<Feature>,
}

use Feature::{
    Peepholes, Projection, StabilizedNewState, StabilizedOutput, StabilizedProjection, StabilizedState, State,
};

impl Class {
    fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    fn is_stabilized(&self) -> bool {
        [StabilizedOutput, StabilizedState, StabilizedNewState, StabilizedProjection].iter().any(|f| self.has(*f))
    }

    /// The name of the class, unless it is taken.
    pub(crate) fn name(&self) -> String {
        let mut name = match self.activations {
            [Activation::Tanh, Activation::Tanh] => String::new(),
            [Activation::Relu, Activation::Relu] => "Relu".to_owned(),
            [Activation::Sigmoid, Activation::Sigmoid] => "Sigmoid".to_owned(),
            _ => "Mixed".to_owned(),
        };
        for (has, word) in [
            (self.has(State), "FullState"),
            (self.is_stabilized(), "Stabilized"),
            (self.has(Peepholes), "Peephole"),
            (self.has(Projection), "Projected"),
        ] {
            name.push_str(if has { word } else { "" });
        }
        if name.is_empty() {
            name.push_str("Cntk");
        }
        name.push_str(match self.base {
            Base::Lstm => "Lstm",
            Base::Gru => "Gru",
            Base::Rnn => "Rnn",
        });
        name
    }

    fn description(&self) -> String {
        let mut with = Vec::new();
        match self.activations {
            [Activation::Tanh, Activation::Tanh] => {}
            [Activation::Relu, _] => with.push("relu activations"),
            _ => with.push("sigmoid activations"),
        }
        for (has, words) in [
            (self.is_stabilized(), "self-stabilization"),
            (self.has(Peepholes), "peepholes"),
            (self.has(Projection), "a projection"),
        ] {
            if has {
                with.push(words);
            }
        }
        let with = match with.as_slice() {
            [] => String::new(),
            [one] => format!(" with {one}"),
            [most @ .., last] => format!(" with {} and {last}", most.join(", ")),
        };
        match self.base {
            Base::Lstm if self.has(State) => format!("An LSTM{with} that also gives its cell states."),
            Base::Lstm => format!("An LSTM{with}."),
            Base::Gru if with.is_empty() => {
                "CNTK's GRU: unlike nn.GRU it resets the state before the matrix product.".to_owned()
            }
            Base::Gru => {
                format!("A GRU{with}.\n\nUnlike nn.GRU it resets the state before the matrix product.\n")
            }
            Base::Rnn => format!("A recurrent layer{with}."),
        }
    }

    /// Records what the class calls.
    pub(crate) fn see(&self, needs: &mut Needs) {
        needs.import(Import::Torch);
        needs.import(Import::Optional);
        if self.is_stabilized() {
            needs.call("Stabilizer");
        }
    }

    /// The text of the class.
    pub(crate) fn text(&self, name: &str) -> String {
        let mut out = Lines::default();
        out.push(0, &format!("class {name}(nn.Module):"));
        out.block(1, &format!("\"\"\"{}\"\"\"", self.description()));
        out.push(0, "");
        let more = if self.has(Projection) { ", outputs: int" } else { "" };
        out.push(1, &format!("def __init__(self, inputs: int, hidden: int{more}) -> None:"));
        out.push(2, "super().__init__()");
        self.init(&mut out);
        out.push(0, "");
        let states = self.states().iter().map(|(name, _)| format!("{name}: Optional[Tensor] = None"));
        let arguments: Vec<_> = ["self".to_owned(), "x: Tensor".to_owned()].into_iter().chain(states).collect();
        let result = if self.has(State) { "tuple[Tensor, Tensor]" } else { "Tensor" };
        out.signature(1, "forward", &arguments, result);
        self.forward(&mut out);
        out.finish()
    }

    /// The states that are carried from step to step, each with its size.
    fn states(&self) -> &'static [(&'static str, &'static str)] {
        match self.base {
            Base::Lstm if self.has(Projection) => &[("h", "recurrent"), ("c", "project")],
            Base::Lstm => &[("h", "recurrent"), ("c", "recurrent")],
            Base::Gru => &[("h", "candidate")],
            Base::Rnn => &[("h", "recurrent")],
        }
    }

    fn init(&self, out: &mut Lines) {
        let fed = if self.has(Projection) { "outputs" } else { "hidden" };
        let gates = match self.base {
            Base::Lstm => "4 * hidden",
            Base::Gru => "3 * hidden",
            Base::Rnn => "hidden",
        };
        out.push(2, &format!("self.input = nn.Linear(inputs, {gates})"));
        if self.base == Base::Gru {
            out.push(2, &format!("self.gates = nn.Linear({fed}, 2 * hidden, bias=False)"));
            out.push(2, &format!("self.candidate = nn.Linear({fed}, hidden, bias=False)"));
        } else {
            out.push(2, &format!("self.recurrent = nn.Linear({fed}, {gates}, bias=False)"));
        }
        if self.has(Peepholes) {
            for gate in ["i", "f", "o"] {
                out.push(2, &format!("self.peephole_{gate} = nn.Parameter(torch.zeros(hidden))"));
            }
        }
        if self.has(Projection) {
            out.push(2, "self.project = nn.Linear(hidden, outputs, bias=False)");
        }
        for (feature, name) in STABILIZERS {
            if self.has(feature) {
                out.push(2, &format!("self.{name} = Stabilizer()"));
            }
        }
    }

    fn forward(&self, out: &mut Lines) {
        out.push(2, "x = self.input(x)");
        for (name, reader) in self.states() {
            out.push(2, &format!("if {name} is None:"));
            out.push(3, &format!("{name} = x.new_zeros(x.shape[0], self.{reader}.in_features)"));
        }
        out.push(2, "steps = []");
        if self.has(State) {
            out.push(2, "states = []");
        }
        out.push(2, "for t in range(x.shape[1]):");
        match self.base {
            Base::Lstm => self.lstm_step(out),
            Base::Gru => self.gru_step(out),
            Base::Rnn => self.rnn_step(out),
        }
        if self.has(Projection) {
            out.push(3, &format!("h = self.project({})", self.stabilized(StabilizedProjection, "h")));
        }
        out.push(3, "steps.append(h)");
        if self.has(State) {
            out.push(3, "states.append(c)");
            out.push(2, "return torch.stack(steps, 1), torch.stack(states, 1)");
        } else {
            out.push(2, "return torch.stack(steps, 1)");
        }
    }

    fn lstm_step(&self, out: &mut Lines) {
        let [candidate, squash] = self.activations.map(call);
        out.push(3, &format!("gates = x[:, t] + self.recurrent({})", self.stabilized(StabilizedOutput, "h")));
        out.push(3, "i, f, g, o = gates.chunk(4, 1)");
        if !self.has(Peepholes) {
            out.push(3, &format!("c = torch.sigmoid(f) * c + torch.sigmoid(i) * {candidate}(g)"));
            out.push(3, &format!("h = torch.sigmoid(o) * {squash}(c)"));
            return;
        }
        let peep = |gate: &str, state: &str| format!("{gate} = torch.sigmoid({gate} + self.peephole_{gate} * {state})");
        let old = if self.has(StabilizedState) { "k" } else { "c" };
        if self.has(StabilizedState) {
            out.push(3, &format!("k = {}", self.stabilized(StabilizedState, "c")));
        }
        out.push(3, &peep("i", old));
        out.push(3, &peep("f", old));
        out.push(3, &format!("c = f * c + i * {candidate}(g)"));
        out.push(3, &peep("o", &self.stabilized(StabilizedNewState, "c")));
        out.push(3, &format!("h = o * {squash}(c)"));
    }

    fn gru_step(&self, out: &mut Lines) {
        let [activation, _] = self.activations.map(call);
        let fed = if self.has(StabilizedOutput) { "k" } else { "h" };
        if self.has(StabilizedOutput) {
            out.push(3, &format!("k = {}", self.stabilized(StabilizedOutput, "h")));
        }
        out.push(3, "z, r, n = x[:, t].chunk(3, 1)");
        out.push(3, &format!("update, reset = self.gates({fed}).chunk(2, 1)"));
        out.push(3, "z, r = torch.sigmoid(z + update), torch.sigmoid(r + reset)");
        out.push(3, &format!("n = {activation}(n + self.candidate(r * {fed}))"));
        out.push(3, &format!("h = n + z * ({fed} - n)"));
    }

    fn rnn_step(&self, out: &mut Lines) {
        let [activation, _] = self.activations.map(call);
        let sum = format!("x[:, t] + self.recurrent({})", self.stabilized(StabilizedOutput, "h"));
        out.push(3, &format!("h = {activation}({sum})"));
    }

    fn stabilized(&self, feature: Feature, x: &str) -> String {
        match STABILIZERS.iter().find(|(f, _)| *f == feature && self.has(feature)) {
            Some((_, name)) => format!("self.{name}({x})"),
            None => x.to_owned(),
        }
    }
}

/// The name of each stabilizer.
pub(super) const STABILIZERS: [(Feature, &str); 4] = [
    (StabilizedOutput, "stabilize_h"),
    (StabilizedState, "stabilize_c"),
    (StabilizedNewState, "stabilize_new_c"),
    (StabilizedProjection, "stabilize_y"),
];

fn call(activation: Activation) -> &'static str {
    match activation {
        Activation::Tanh => "torch.tanh",
        Activation::Sigmoid => "torch.sigmoid",
        Activation::Relu => "torch.relu",
    }
}
