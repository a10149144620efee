//! Names of values: those that the lowering gave, and short generated ones for the others.

use crate::onnx::graph::{OnnxModel, Value, ValueId};
use std::{collections::HashSet, fmt::Write};

/// Names every value of a model. Unnamed values become `v0`, `v1`, … in the order of the arena, without those names
/// that are given to other values.
pub(super) struct Names<'m> {
    values: &'m [Value],
    /// For each unnamed value, its number.
    numbers: Vec<u32>,
}

impl<'m> Names<'m> {
    pub(super) fn new(model: &'m OnnxModel) -> Self {
        let taken: HashSet<u32> = model.values.iter().filter_map(|v| v.name.as_deref().and_then(number)).collect();
        let mut free = (0..).filter(|n| !taken.contains(n));
        let numbers =
            model.values.iter().map(|v| if v.name.is_none() { free.next().unwrap_or(u32::MAX) } else { 0 }).collect();
        Self { values: &model.values, numbers }
    }

    /// Sets `name` to the name of a value, reusing its memory.
    pub(super) fn put(&self, id: ValueId, name: &mut String) {
        let index = id.0 as usize;
        name.clear();
        match &self.values[index].name {
            Some(given) => name.push_str(given),
            None => {
                let _ = write!(name, "v{}", self.numbers[index]);
            }
        }
    }

    pub(super) fn owned(&self, id: ValueId) -> String {
        let mut name = String::new();
        self.put(id, &mut name);
        name
    }
}

/// The number in a name of the form `v0`.
fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix('v')?;
    let canonical = digits == "0" || digits.starts_with(|c: char| c.is_ascii_digit() && c != '0');
    if canonical && digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::graph::ElemType;

    #[test]
    fn made_up_names_avoid_given_ones() {
        let value = |name: Option<&str>| Value {
            name: name.map(str::to_owned),
            elem: ElemType::Float,
            dims: Default::default(),
        };
        let values = [None, Some("v0"), Some("v02"), None, Some("v2"), None].map(value).to_vec();
        let model = OnnxModel { values, ..OnnxModel::default() };
        let names = Names::new(&model);
        let all: Vec<_> = (0..6).map(|i| names.owned(ValueId(i))).collect();
        assert_eq!(all, ["v1", "v0", "v02", "v3", "v2", "v4"]);
    }
}
