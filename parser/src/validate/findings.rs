//! Collects findings and says where in the file each one is.

use super::arena::Id;
use super::rules::Rule;
use crate::dictionary::Value;
use crate::error::Error;
use crate::escape::Escaped;
use crate::model::{FunctionId, FunctionKind, Model, VariableId};
use crate::report::{Finding, Severity};
use std::fmt;

/// A uid or name of the file, quoted, escaped and cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", Escaped(self.0))
    }
}

/// Where in the model something is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    /// A key of the model's own record.
    ModelKey(&'static str),
    /// A variable record.
    Variable(VariableId),
    /// A key of a variable record.
    VariableKey(VariableId, &'static str),
    /// A function record.
    Function(FunctionId),
    /// A key of a function record.
    FunctionKey(FunctionId, &'static str),
    /// An entry of a function's `inputs`.
    Input(FunctionId, usize),
    /// An attribute of a function.
    Attribute(FunctionId, &'static str),
    /// A key of a block's argument map.
    MapKey(FunctionId, usize),
    /// A value of a block's argument map.
    MapValue(FunctionId, usize),
}

/// The findings so far, in the order in which they were made.
pub(crate) struct Findings<'m, 'a> {
    model: &'m Model<'a>,
    list: Vec<Finding>,
    most: usize,
    dropped: u64,
    errors: u64,
}

impl<'m, 'a> Findings<'m, 'a> {
    /// None yet; `most` are kept.
    pub(crate) fn new(model: &'m Model<'a>, most: usize) -> Self {
        Self { model, list: Vec::new(), most, dropped: 0, errors: 0 }
    }

    /// Adds a finding with the rule's own severity.
    #[cold]
    pub(crate) fn add(&mut self, rule: &'static Rule, place: Place, message: String) {
        self.add_as(rule, rule.severity, place, message);
    }

    /// Adds a finding with another severity.
    #[cold]
    pub(crate) fn add_as(&mut self, rule: &'static Rule, severity: Severity, place: Place, message: String) {
        if self.list.len() >= self.most {
            // Not worth the text.
            self.dropped = self.dropped.saturating_add(1);
            self.errors = self.errors.saturating_add(u64::from(severity == Severity::Error));
            return;
        }
        let (offset, path) = self.locate(place);
        let message = match self.subject(place) {
            Some(subject) if !message.contains(&subject) => format!("{message} ({subject})"),
            _ => message,
        };
        self.push(Finding { rule: rule.id, severity, offset, path, message });
    }

    /// Adds an error that the decoding of `uid`'s record gave.
    #[cold]
    pub(crate) fn add_error(&mut self, rule: &'static Rule, error: &Error, uid: &str) {
        self.push(Finding {
            rule: rule.id,
            severity: rule.severity,
            offset: error.offset(),
            path: error.path().to_owned(),
            message: format!("{} ({})", error.message(), Quoted(uid)),
        });
    }

    fn push(&mut self, finding: Finding) {
        if finding.severity == Severity::Error {
            self.errors = self.errors.saturating_add(1);
        }
        if self.list.len() >= self.most {
            self.dropped = self.dropped.saturating_add(1);
        } else {
            self.list.push(finding);
        }
    }

    /// How many errors there are.
    pub(crate) fn errors(&self) -> u64 {
        self.errors
    }

    /// The findings, and how many more there were.
    pub(crate) fn finish(self) -> (Vec<Finding>, u64) {
        (self.list, self.dropped)
    }

    /// What a finding is about: the function or variable as people know it.
    fn subject(&self, place: Place) -> Option<String> {
        match place {
            Place::ModelKey(_) => None,
            Place::Variable(v) | Place::VariableKey(v, _) => {
                Some(Quoted(self.model.variables.get(v.place())?.uid).to_string())
            }
            Place::Function(f)
            | Place::FunctionKey(f, _)
            | Place::Input(f, _)
            | Place::Attribute(f, _)
            | Place::MapKey(f, _)
            | Place::MapValue(f, _) => {
                let function = self.model.functions.get(f.place())?;
                let kind = match &function.kind {
                    FunctionKind::Primitive(op) => op.name(),
                    FunctionKind::Block(_) => "block",
                    FunctionKind::User(_) => "user-defined function",
                };
                Some(format!("{kind} {}", Quoted(function.uid)))
            }
        }
    }

    /// Byte and path.
    fn locate(&self, place: Place) -> (u64, String) {
        const MAP_KEYS: &str = "block_function_composite_arguments_map_keys";
        const MAP_VALUES: &str = "block_function_composite_arguments_map_values";
        let variable = |id: VariableId| self.model.variables.get(id.place()).map_or(0, |v| v.at);
        let function = |id: FunctionId| self.model.functions.get(id.place()).map_or(0, |f| f.at);
        match place {
            Place::ModelKey(key) => (self.model.record.get(key).map_or(0, |item| item.at), key.to_owned()),
            Place::Variable(v) => (variable(v), format!("inputs[{}]", v.0)),
            Place::VariableKey(v, key) => {
                let at = self.model.variables.get(v.place()).and_then(|v| v.record.get(key)).map(|item| item.at);
                (at.unwrap_or(variable(v)), format!("inputs[{}].{key}", v.0))
            }
            Place::Function(f) => (function(f), format!("primitive_functions[{}]", f.0)),
            Place::FunctionKey(f, key) => (self.key(f, key), format!("primitive_functions[{}].{key}", f.0)),
            Place::Input(f, i) => (self.item(f, "inputs", i), format!("primitive_functions[{}].inputs[{i}]", f.0)),
            Place::Attribute(f, key) => {
                let function_at = function(f);
                let at = self.model.functions.get(f.place()).and_then(|f| f.attributes.get(key)).map(|item| item.at);
                (at.unwrap_or(function_at), format!("primitive_functions[{}].attributes.{key}", f.0))
            }
            Place::MapKey(f, i) => (self.item(f, MAP_KEYS, i), format!("primitive_functions[{}].{MAP_KEYS}[{i}]", f.0)),
            Place::MapValue(f, i) => {
                (self.item(f, MAP_VALUES, i), format!("primitive_functions[{}].{MAP_VALUES}[{i}]", f.0))
            }
        }
    }

    /// The byte of a key of a function record.
    fn key(&self, id: FunctionId, key: &str) -> u64 {
        let function = self.model.functions.get(id.place());
        function.map_or(0, |f| f.record.get(key).map_or(f.at, |item| item.at))
    }

    /// The byte of an item of a list in a function record.
    fn item(&self, id: FunctionId, key: &str, i: usize) -> u64 {
        let value = self.model.functions.get(id.place()).and_then(|f| f.record.get(key)).map(|item| item.value);
        match value {
            Some(Value::Vector(list)) => list.iter().nth(i).map_or_else(|| self.key(id, key), |item| item.at),
            _ => self.key(id, key),
        }
    }
}
