//! What to call a class: after what it does.

use super::Network;
use crate::pytorch::python::expr::{Binary, Expr, Module, StateId, ValueId};
use crate::pytorch::python::names::identifier;
use crate::pytorch::state::{Kind, State};
use cntk_parser::model::FunctionId;
use std::collections::HashMap;

/// What the model calls its blocks.
pub(super) struct Labels {
    /// How many pieces of state each block has.
    sizes: HashMap<FunctionId, usize>,
    names: HashMap<FunctionId, String>,
}

impl Labels {
    pub(super) fn new(network: &Network<'_>) -> Self {
        let mut sizes: HashMap<FunctionId, usize> = HashMap::new();
        for s in network.body.states(network.outputs) {
            let within = &network.states[s.0 as usize].within;
            within.iter().for_each(|block| *sizes.entry(*block).or_default() += 1);
        }
        let several = sizes.iter().filter(|(_, n)| **n > 1);
        let label = |block: FunctionId| Some((block, identifier(&(network.label)(block)?)?));
        Self { names: several.filter_map(|(block, _)| label(*block)).collect(), sizes }
    }

    /// The name of the blocks of which each holds the layers of a unit, all of them and no others.
    pub(super) fn of(&self, states: &[State], mut units: impl Iterator<Item = Vec<StateId>>) -> Option<String> {
        let name = |unit: Vec<StateId>| {
            let within = |s: &StateId| &states[s.0 as usize].within;
            let held: Vec<&StateId> = unit.iter().filter(|s| !within(s).is_empty()).collect();
            let around = |block: &&FunctionId| held.iter().all(|s| within(s).contains(block));
            let whole = |block: &&FunctionId| self.sizes.get(*block) == Some(&held.len());
            let found = within(held.first()?).iter().rev().filter(around).filter(whole).find_map(|b| self.names.get(b));
            found.cloned()
        };
        let first = name(units.next()?)?;
        units.all(|unit| name(unit).as_ref() == Some(&first)).then_some(first)
    }
}

/// What these values do, in order.
pub(super) fn words(network: &Network<'_>, values: &[ValueId]) -> Vec<&'static str> {
    let is_state = |e: &Expr| match e {
        Expr::Value(v) => matches!(network.body.expr(*v), Expr::State(_)),
        other => matches!(other, Expr::State(_)),
    };
    let mut words = Vec::new();
    for v in values {
        network.body.values[v.0 as usize].expr.each(&mut |e| {
            let word = match e {
                Expr::Layer(s, ..) => match &network.states[s.0 as usize].kind {
                    Kind::Module(constructor) => layer(constructor),
                    _ => "",
                },
                Expr::Torch(Module::Functional, name) => match &**name {
                    "relu" => "Relu",
                    "elu" => "Elu",
                    "softmax" => "Softmax",
                    "max_pool2d" | "avg_pool2d" | "max_pool1d" | "avg_pool1d" => "Pool",
                    _ => "",
                },
                Expr::Torch(Module::Torch, name) if name == "cat" => "Cat",
                Expr::Attribute(_, name) => match &**name {
                    "sigmoid" => "Sigmoid",
                    "tanh" => "Tanh",
                    _ => "",
                },
                Expr::Binary(Binary::Plus, _, b) if !is_state(b) => "Add",
                Expr::Binary(Binary::MatMul, ..) => "MatMul",
                Expr::Binary(Binary::Times, ..) => "Times",
                _ => "",
            };
            if !word.is_empty() {
                words.push(word);
            }
        });
    }
    words
}

fn layer(constructor: &Expr) -> &'static str {
    let mut word = "Layer";
    constructor.each(&mut |e| {
        word = match e {
            Expr::Torch(Module::Nn, name) => match &**name {
                "Linear" => "Linear",
                "LSTM" => "Lstm",
                "GRU" => "Gru",
                "RNN" => "Rnn",
                "Dropout" => "Drop",
                "PReLU" => "Prelu",
                name if name.starts_with("BatchNorm") => "Bn",
                name if name.starts_with("ConvTranspose") => "Deconv",
                name if name.starts_with("Conv") && is_depthwise(constructor) => "Depthwise",
                name if name.starts_with("Conv") => "Conv",
                _ => word,
            },
            Expr::Helper("LayerNorm") => "Norm",
            Expr::Helper("Stabilizer") => "Stabilizer",
            Expr::Class(name) if name.ends_with("Lstm") => "Lstm",
            Expr::Class(name) if name.ends_with("Gru") => "Gru",
            Expr::Class(name) if name.ends_with("Rnn") => "Rnn",
            _ => word,
        };
    });
    word
}

/// Does a convolution have a kernel of its own for each channel?
fn is_depthwise(constructor: &Expr) -> bool {
    let Some((_, arguments, _)) = constructor.construction() else { return false };
    let groups = arguments.iter().find(|a| a.name == Some("groups"));
    groups.is_some_and(|groups| arguments.first().is_some_and(|channels| channels.value == groups.value))
}

/// Is it a residual block of normalized layers? A person writes a class for it, even if the network has only one.
pub(super) fn is_residual(words: &[&'static str]) -> bool {
    let count = |all: &[&str]| words.iter().filter(|w| all.contains(*w)).count();
    count(&["Conv", "Depthwise", "Linear"]) > 1 && count(&["Bn"]) > 1 && count(&["Add"]) == 1 && count(&["Cat"]) == 0
}

/// A name for what does all this.
pub(super) fn class(words: &[&'static str]) -> String {
    let count = |word: &str| words.iter().filter(|w| **w == word).count();
    let has = |word: &str| count(word) > 0;
    let recurrent = ["Lstm", "Gru", "Rnn"].into_iter().find(|w| has(w));
    let name = match recurrent {
        Some(word) if count(word) == 2 && has("Cat") => format!("Bi{word}"),
        Some(word) if has("Add") => format!("Residual{word}"),
        Some(word) => format!("{word}Layer"),
        None if has("Softmax") && has("MatMul") => {
            (if has("Relu") || has("Norm") { "EncoderLayer" } else { "SelfAttention" }).to_owned()
        }
        None if has("Conv") && has("Cat") => {
            (if count("Conv") > 2 { "InceptionBlock" } else { "DenseLayer" }).to_owned()
        }
        None if has("Depthwise") && has("Add") => "InvertedResidual".to_owned(),
        None if has("Conv") && has("Add") => match (words.first(), count("Conv")) {
            (Some(&("Bn" | "Relu")), _) => "PreActBlock".to_owned(),
            (_, 3 | 4) if count("Relu") > 2 => "Bottleneck".to_owned(),
            (_, 3) => "ProjectionBlock".to_owned(),
            _ => "BasicBlock".to_owned(),
        },
        None if has("Sigmoid") && has("Times") && has("Linear") => "Highway".to_owned(),
        None if has("Linear") && has("Add") => "ResidualBlock".to_owned(),
        None if has("Cat") => "DenseBlock".to_owned(),
        None if words.len() <= 4 && !has("Add") && !has("Times") => words.concat(),
        None => String::new(),
    };
    if name.is_empty() { "Block".to_owned() } else { name }
}

/// A name in capitals as one for a function: `ConvBnRelu` is `conv_bn_relu`.
pub(super) fn snake(label: &str) -> String {
    let mut out = String::new();
    for c in label.chars() {
        if c.is_ascii_uppercase() && out.ends_with(|c: char| c.is_ascii_lowercase()) {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// A name for a function that makes modules for all this: `conv_bn_relu`, or `conv` with no more than its activation.
pub(super) fn function(words: &[&'static str]) -> String {
    match words {
        [] => "block".to_owned(),
        [first] | [first, _] => first.to_lowercase(),
        [_, _, _] | [_, _, _, _] => words.iter().map(|w| w.to_lowercase()).collect::<Vec<_>>().join("_"),
        [first, ..] => format!("{}_block", first.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residual_blocks() {
        let inverted = ["Conv", "Bn", "Relu", "Depthwise", "Bn", "Relu", "Conv", "Bn", "Add"];
        assert!(is_residual(&inverted) && !is_residual(&inverted[..8]));
        assert!(!is_residual(&["Linear", "Relu", "Linear", "Add"]));
        assert_eq!(class(&inverted), "InvertedResidual");
    }

    #[test]
    fn names_of_functions() {
        assert_eq!(snake("ConvBnRelu"), "conv_bn_relu");
        assert_eq!(snake("conv_bn"), "conv_bn");
        assert_eq!(function(&["Conv", "Bn", "Relu"]), "conv_bn_relu");
    }
}
