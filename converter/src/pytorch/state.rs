//! What the module holds: parameters, buffers and submodules, with the weights that fill them.

use super::python::expr::StateId;
use super::python::names::{Names, identifier};
use super::weights::Weight;
use crate::weights::{Data, ElemType};
use cntk_parser::model::VariableId;
use std::collections::HashMap;

/// A tensor of the `state_dict`.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// What follows the state's name: empty, or `weight` of a submodule.
    pub(crate) suffix: String,
    pub(crate) elem: ElemType,
    pub(crate) dims: Vec<u64>,
    pub(crate) data: Data,
    /// The CNTK variable that it comes from, and how it lies there.
    pub(crate) variable: Option<VariableId>,
    pub(crate) layout: String,
    pub(crate) trainable: bool,
}

/// What a piece of state is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Parameter,
    Buffer,
    /// A submodule and what makes it.
    Module(String),
}

/// A piece of state.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) kind: Kind,
    /// What the model calls it.
    pub(crate) wanted: Option<String>,
    /// What to call it otherwise, with a number.
    pub(crate) fallback: &'static str,
    pub(crate) tensors: Vec<Held>,
    /// Lines of `__init__` after its own, `@` being `self.name`.
    pub(crate) after: Vec<String>,
    /// A remark before it.
    pub(crate) remark: Option<String>,
}

impl State {
    /// A parameter or buffer in CNTK's own layout.
    pub(crate) fn plain(id: VariableId, weight: &Weight, wanted: Option<String>) -> Self {
        let held = Held {
            suffix: String::new(),
            elem: weight.elem,
            dims: weight.dims.clone(),
            data: weight.whole(),
            variable: Some(id),
            layout: "as in CNTK".to_owned(),
            trainable: weight.trainable,
        };
        let kind = if weight.constant { Kind::Buffer } else { Kind::Parameter };
        let fallback = if weight.constant { "constant" } else { "weight" };
        Self { kind, wanted, fallback, tensors: vec![held], after: Vec::new(), remark: None }
    }

    /// A submodule.
    pub(crate) fn module(constructor: String, wanted: Option<String>, fallback: &'static str) -> Self {
        let kind = Kind::Module(constructor);
        Self { kind, wanted, fallback, tensors: Vec::new(), after: Vec::new(), remark: None }
    }

    /// Adds a tensor of a submodule.
    pub(crate) fn tensor(
        mut self,
        suffix: &str,
        from: (VariableId, &Weight),
        dims: &[u64],
        data: Data,
        layout: &str,
    ) -> Self {
        self.tensors.push(Held {
            suffix: suffix.to_owned(),
            elem: from.1.elem,
            dims: dims.to_vec(),
            data,
            variable: Some(from.0),
            layout: layout.to_owned(),
            trainable: from.1.trainable,
        });
        self
    }

    /// Adds what CNTK does not have but PyTorch wants.
    pub(crate) fn filled(mut self, suffix: &str, elem: ElemType, dims: &[u64], value: f64) -> Self {
        let count = dims.iter().product::<u64>() as usize;
        let mut bytes = Vec::new();
        (0..count).for_each(|_| elem.encode(value, &mut bytes));
        self.tensors.push(Held {
            suffix: suffix.to_owned(),
            elem,
            dims: dims.to_vec(),
            data: Data::Owned(bytes),
            variable: None,
            layout: format!("filled with {value}"),
            trainable: false,
        });
        self
    }

    /// The state_dict key of a tensor.
    pub(crate) fn key(name: &str, held: &Held) -> String {
        if held.suffix.is_empty() { name.to_owned() } else { format!("{name}.{}", held.suffix) }
    }

    /// Lines of `__init__`.
    pub(crate) fn init(&self, name: &str) -> Vec<String> {
        let mut lines: Vec<String> = self.remark.iter().map(|r| format!("# {r}")).collect();
        let zeros = |held: &Held| {
            let dims: Vec<String> = held.dims.iter().map(u64::to_string).collect();
            let shape = if dims.is_empty() { "()".to_owned() } else { dims.join(", ") };
            let dtype = dtype(held.elem).map_or(String::new(), |d| format!(", dtype={d}"));
            format!("torch.zeros({shape}{dtype})")
        };
        match (&self.kind, self.tensors.first()) {
            (Kind::Parameter, Some(held)) => {
                let fixed = if held.trainable { "" } else { ", requires_grad=False" };
                lines.push(format!("self.{name} = nn.Parameter({}{fixed})", zeros(held)));
            }
            (Kind::Buffer, Some(held)) => {
                lines.push(format!("self.register_buffer(\"{name}\", {})", zeros(held)));
            }
            (Kind::Module(constructor), _) => {
                lines.push(format!("self.{name} = {constructor}"));
                lines.extend(self.frozen(name));
            }
            _ => {}
        }
        lines.extend(self.after.iter().map(|l| l.replace('@', &format!("self.{name}"))));
        lines
    }

    /// What of a submodule CNTK does not train.
    fn frozen(&self, name: &str) -> Vec<String> {
        let counted = |h: &&Held| !h.suffix.contains("running_") && !h.suffix.contains("num_batches");
        let parameters: Vec<&Held> = self.tensors.iter().filter(counted).collect();
        let frozen: Vec<&&Held> = parameters.iter().filter(|h| !h.trainable).collect();
        if frozen.is_empty() {
            return Vec::new();
        }
        if frozen.len() == parameters.len() {
            return vec![format!("self.{name}.requires_grad_(False)")];
        }
        frozen.iter().map(|h| format!("self.{name}.{}.requires_grad_(False)", h.suffix)).collect()
    }
}

/// The dtype argument that a tensor needs, none for float32.
pub(crate) fn dtype(elem: ElemType) -> Option<&'static str> {
    match elem {
        ElemType::Double => Some("torch.float64"),
        ElemType::Float16 => Some("torch.float16"),
        ElemType::Int64 => Some("torch.int64"),
        _ => None,
    }
}

/// Names for the states that are used, in that order.
pub(crate) fn name_all(states: &[State], used: &[StateId], names: &mut Names) -> HashMap<StateId, String> {
    let mut named = HashMap::new();
    // What the model names goes first, whatever the order of use.
    for id in used {
        if let Some(wanted) = states[id.0 as usize].wanted.as_deref().and_then(identifier) {
            named.insert(*id, names.unique(&wanted));
        }
    }
    for id in used {
        if !named.contains_key(id) {
            named.insert(*id, names.numbered(states[id.0 as usize].fallback));
        }
    }
    named
}
