//! Where in the file a record of the model is.

use super::Offset;
use crate::dictionary::{Dictionary, Value};
use crate::escape::Escaped;

/// Where in the file a record of the model and its parts are.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// A v2 record, whose dictionary has the offset of each key.
    Record(Dictionary<'a>),
    /// A v1 node, or one of the v2 records that it becomes.
    Node {
        /// Its index in the list of nodes.
        index: u32,
        /// Its uid.
        uid: &'a str,
        /// Offset of its body.
        body: Offset,
        /// Offset of its relations.
        relations: Offset,
    },
}

/// A part of a record, under its name in format v2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The record itself.
    Whole,
    /// The value of a key.
    Key(&'static str),
    /// An item of the list that is the value of a key.
    Item(&'static str, usize),
    /// An attribute of a function.
    Attribute(&'static str),
}

impl Origin<'_> {
    /// The offset of a part; `None` if the file does not have it.
    pub(crate) fn offset(&self, part: Part) -> Option<Offset> {
        let record = match self {
            Self::Record(record) => record,
            Self::Node { body, relations, .. } => {
                return match part {
                    Part::Whole | Part::Key("uid" | "name") => None,
                    Part::Key("inputs") | Part::Item(..) => Some(*relations),
                    Part::Key(_) | Part::Attribute(_) => Some(*body),
                };
            }
        };
        match part {
            Part::Whole => Some(record.at()),
            Part::Key(key) => record.get(key).map(|item| item.at),
            Part::Item(key, index) => {
                let list = record.get(key)?;
                let Value::Vector(items) = list.value else { return Some(list.at) };
                Some(items.iter().nth(index).map_or(list.at, |item| item.at))
            }
            Part::Attribute(key) => match record.get("attributes")?.value {
                Value::Dictionary(attributes) => attributes.get(key).map(|item| item.at),
                _ => None,
            },
        }
    }

    /// The path of a part in reports. `record` is the path of its record, such as `inputs[3]`.
    pub(crate) fn path(&self, record: String, part: Part) -> String {
        let record = match self {
            Self::Record(_) => record,
            Self::Node { index, uid, .. } => format!("nodes[{index}] \"{}\"", Escaped(uid)),
        };
        match part {
            Part::Attribute(key) if matches!(self, Self::Node { .. }) => format!("{record}.{key}"),
            Part::Whole => record,
            Part::Key(key) if record.is_empty() => key.to_owned(),
            Part::Key(key) => format!("{record}.{key}"),
            Part::Item(key, index) => format!("{record}.{key}[{index}]"),
            Part::Attribute(key) => format!("{record}.attributes.{key}"),
        }
    }
}
