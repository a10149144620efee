//! Identifiers. Names in a model are hostile text, so identifiers consist of allowed characters only, are not keywords,
//! and hide nothing that the emitted file uses.

use std::collections::{HashMap, HashSet};

/// The longest identifier that is made from a name in the model.
const LONGEST: usize = 32;

/// Python's keywords, names that the emitted file imports or calls, and confusing names.
const RESERVED: &[&str] = &[
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "match",
    "case",
    "type",
    "print",
    "exec",
    "self",
    "cls",
    "torch",
    "nn",
    "F",
    "Tensor",
    "Path",
    "Optional",
    "List",
    "Tuple",
    "Union",
    "load",
    "load_file",
    "super",
    "len",
    "range",
    "int",
    "float",
    "bool",
    "str",
    "zip",
    "min",
    "max",
    "sum",
    "abs",
    "tuple",
    "list",
    "dict",
    "set",
    "reversed",
    "slice",
    "reduce",
    "object",
    "iter",
    "next",
    "map",
    "filter",
    "all",
    "any",
    "round",
    "sorted",
    "enumerate",
    "math",
    "l",
    "I",
    "O",
    "step",
    "BN_SAMPLES",
    "BN_MOMENTUM",
    "WEIGHTS",
];

/// Attributes that `nn.Module` has, which a submodule or parameter must not hide.
const MODULE: &[&str] = &[
    "add_module",
    "apply",
    "bfloat16",
    "buffers",
    "call_super_init",
    "children",
    "compile",
    "cpu",
    "cuda",
    "double",
    "dump_patches",
    "eval",
    "extra_repr",
    "float",
    "forward",
    "get_buffer",
    "get_extra_state",
    "get_parameter",
    "get_submodule",
    "half",
    "ipu",
    "load_state_dict",
    "modules",
    "mtia",
    "named_buffers",
    "named_children",
    "named_modules",
    "named_parameters",
    "parameters",
    "register_backward_hook",
    "register_buffer",
    "register_forward_hook",
    "register_module",
    "register_parameter",
    "requires_grad_",
    "set_extra_state",
    "set_submodule",
    "share_memory",
    "state_dict",
    "to",
    "to_empty",
    "train",
    "training",
    "type",
    "xpu",
    "zero_grad",
    "T_destination",
];

/// Names that are taken.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    taken: HashSet<String>,
    /// For each name, the first number that may be free. Names are never released.
    next: HashMap<String, u32>,
}

impl Names {
    /// For local variables, functions and classes.
    pub(crate) fn of_variables() -> Self {
        Self { taken: RESERVED.iter().map(|s| (*s).to_owned()).collect(), next: HashMap::new() }
    }

    /// For what a module holds.
    pub(crate) fn of_attributes() -> Self {
        let mut names = Self::of_variables();
        names.taken.extend(MODULE.iter().map(|s| (*s).to_owned()));
        names
    }

    /// Takes the name `wanted`; false if it is taken already.
    pub(crate) fn take(&mut self, wanted: &str) -> bool {
        self.taken.insert(wanted.to_owned())
    }

    /// `wanted`, with a number if that is taken.
    pub(crate) fn unique(&mut self, wanted: &str) -> String {
        if self.take(wanted) {
            return wanted.to_owned();
        }
        self.first(&format!("{wanted}_"), 2)
    }

    /// A name for a class or function, with a number if it is taken: `Block2`.
    pub(crate) fn defined(&mut self, wanted: &str) -> String {
        if self.take(wanted) { wanted.to_owned() } else { self.first(wanted, 2) }
    }

    /// `kind` with the first number that is free: `conv1`, `conv2`.
    pub(crate) fn numbered(&mut self, kind: &str) -> String {
        self.first(kind, 1)
    }

    /// `stem` with the first number that is free, from `least` on.
    fn first(&mut self, stem: &str, least: u32) -> String {
        let mut number = self.next.get(stem).copied().unwrap_or(least);
        let mut name = format!("{stem}{number}");
        while !self.take(&name) {
            number += 1;
            name = format!("{stem}{number}");
        }
        self.next.insert(stem.to_owned(), number + 1);
        name
    }
}

/// An identifier that resembles `text`; `None` if no character of it is allowed.
pub(crate) fn identifier(text: &str) -> Option<String> {
    let mut out = String::new();
    for c in text.chars() {
        let c = if c.is_ascii_alphanumeric() { c } else { '_' };
        if !(c == '_' && (out.is_empty() || out.ends_with('_'))) {
            out.push(c);
        }
        if out.len() >= LONGEST {
            break;
        }
    }
    let out = out.trim_end_matches('_');
    match out.chars().next() {
        None => None,
        Some(c) if c.is_ascii_digit() => Some(format!("n{out}")),
        Some(_) => Some(out.to_owned()),
    }
}

/// `Identifier` in the style of a class name.
pub(crate) fn class_name(text: &str) -> String {
    let mut out = String::new();
    for word in identifier(text).unwrap_or_default().split('_').filter(|w| !w.is_empty()) {
        let mut chars = word.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(chars.as_str());
    }
    let taken = out.is_empty() || RESERVED.contains(&out.as_str()) || out.starts_with(|c: char| c.is_ascii_digit());
    if taken { format!("Model{out}") } else { out }
}

/// Text of the model inside a comment: one line of printable ASCII.
pub(crate) fn comment(text: &str) -> String {
    text.chars().take(60).map(|c| if (c.is_ascii_graphic() || c == ' ') && c != '\\' { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_become_identifiers() {
        assert_eq!(identifier("b1.1.conv").as_deref(), Some("b1_1_conv"));
        assert_eq!(identifier("3x\n"), Some("n3x".to_owned()));
        assert_eq!(identifier("\u{202e}; import os"), Some("import_os".to_owned()));
        assert_eq!(identifier("…"), None);
        assert_eq!(Names::of_variables().unique("lambda"), "lambda_2");
        assert_eq!(Names::of_attributes().unique("training"), "training_2");
        assert_eq!(class_name("my-model.v2"), "MyModelV2");
        assert_eq!(class_name("\u{0}"), "Model");
        assert_eq!(class_name("2layers"), "N2layers");
    }
}
