//! Collects findings and gives each its offset and path.

use super::arena::Id;
use super::rules::Rule;
use crate::error::Error;
use crate::escape::Escaped;
use crate::model::{FunctionId, FunctionKind, Model, Part, VariableId};
use crate::report::{Finding, Severity};
use std::fmt;

/// Shows a uid or name of the file quoted, escaped and shortened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", Escaped(self.0))
    }
}

/// A place in the model that a finding is about.
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
    /// An empty collection that keeps up to `most` findings.
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
            // Do not format a finding that is only counted.
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

    /// Adds an error that was found while decoding the record with this uid.
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

    /// The function or variable that a finding is about, by uid and name.
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
                    FunctionKind::Foreign(foreign) => foreign.name,
                    FunctionKind::User(_) => "user-defined function",
                };
                Some(format!("{kind} {}", Quoted(function.uid)))
            }
        }
    }

    /// The byte offset and path of a place.
    fn locate(&self, place: Place) -> (u64, String) {
        const MAP_KEYS: &str = "block_function_composite_arguments_map_keys";
        const MAP_VALUES: &str = "block_function_composite_arguments_map_values";
        let (record, part) = match place {
            Place::ModelKey(key) => (Record::Model, Part::Key(key)),
            Place::Variable(v) => (Record::Variable(v), Part::Whole),
            Place::VariableKey(v, key) => (Record::Variable(v), Part::Key(key)),
            Place::Function(f) => (Record::Function(f), Part::Whole),
            Place::FunctionKey(f, key) => (Record::Function(f), Part::Key(key)),
            Place::Input(f, i) => (Record::Function(f), Part::Item("inputs", i)),
            Place::Attribute(f, key) => (Record::Function(f), Part::Attribute(key)),
            Place::MapKey(f, i) => (Record::Function(f), Part::Item(MAP_KEYS, i)),
            Place::MapValue(f, i) => (Record::Function(f), Part::Item(MAP_VALUES, i)),
        };
        let model = self.model;
        let found = match record {
            Record::Model => Some((&model.origin, 0, String::new())),
            Record::Variable(id) => {
                model.variables.get(id.place()).map(|v| (&v.origin, v.at, format!("inputs[{}]", id.0)))
            }
            Record::Function(id) => {
                model.functions.get(id.place()).map(|f| (&f.origin, f.at, format!("primitive_functions[{}]", id.0)))
            }
        };
        let Some((origin, at, record)) = found else { return (0, String::new()) };
        (origin.offset(part).unwrap_or(at), origin.path(record, part))
    }
}

/// A record of the model.
enum Record {
    Model,
    Variable(VariableId),
    Function(FunctionId),
}
