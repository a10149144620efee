//! One pass that decodes the whole structure once, so that later reads cannot fail.

use super::{Dictionary, RawEntry, Value, Vector};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::model::{Array, ElementStorage};
use crate::wire::Reader;
use hashbrown::HashSet;
use smallvec::SmallVec;
use std::ops::Range;

/// Where in the model a value is. It decides whether a tensor may lack its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The root dictionary.
    Root,
    /// The list `inputs`.
    Inputs,
    /// A record in the list `inputs`.
    Variable,
    /// The `value` of such a record.
    VariableValue,
    /// Anywhere else.
    Elsewhere,
}

/// Checks the structure of a file and notes where its tensors lie.
#[derive(Debug)]
pub(crate) struct Checker<'l> {
    limits: &'l Limits,
    /// Is this the over-2-GB layout, whose tail may hold the values of tensors?
    tail: bool,
    /// Inline tensor data, in the file's order.
    pub(crate) tensors: Vec<Range<u64>>,
}

/// Up to this many keys are compared one by one; more are put into a set.
const FEW_KEYS: usize = 16;

impl<'l> Checker<'l> {
    pub(crate) fn new(limits: &'l Limits, tail: bool) -> Self {
        Self { limits, tail, tensors: Vec::new() }
    }

    /// Checks the root dictionary with all that it holds.
    pub(crate) fn root(&mut self, root: Dictionary<'_>) -> Result<(), Error> {
        self.dictionary(root, 0, Place::Root)
    }

    fn enter(&self, depth: u32, messages: u32, at: u64) -> Result<u32, Error> {
        let limit = self.limits.nesting.min(Limits::MAX_NESTING);
        match depth.checked_add(messages) {
            Some(depth) if depth <= limit => Ok(depth),
            _ => Err(Error::new(ErrorKind::Nesting { limit: limit.into() }, at)),
        }
    }

    fn dictionary(&mut self, dictionary: Dictionary<'_>, depth: u32, place: Place) -> Result<(), Error> {
        let mut keys = Keys::default();
        for entry in dictionary.raw() {
            let RawEntry { key, key_at, value } = entry?;
            if !keys.insert(key) {
                let kind = ErrorKind::DuplicateKey { key: key.to_owned() };
                return Err(Error::new(kind, key_at).in_key(key));
            }
            let place = match (place, key) {
                (Place::Root, "inputs") => Place::Inputs,
                (Place::Variable, "value") => Place::VariableValue,
                _ => Place::Elsewhere,
            };
            // A map entry is a message of its own, one level above the value.
            self.enter(depth, 2, value.at())
                .and_then(|depth| self.value(value, depth, place))
                .map_err(|e| e.in_key(key))?;
        }
        Ok(())
    }

    fn vector(&mut self, vector: Vector<'_>, depth: u32, place: Place) -> Result<(), Error> {
        for (index, item) in vector.raw().enumerate() {
            let item = item?;
            self.enter(depth, 1, item.at())
                .and_then(|depth| self.value(item, depth, place))
                .map_err(|e| e.in_index(index))?;
        }
        Ok(())
    }

    fn value(&mut self, reader: Reader<'_>, depth: u32, place: Place) -> Result<(), Error> {
        match Value::decode(reader)? {
            Value::Vector(vector) => {
                let depth = self.enter(depth, 1, vector.at())?;
                self.vector(vector, depth, place)
            }
            Value::Dictionary(dictionary) => {
                let depth = self.enter(depth, 1, dictionary.at())?;
                let place = if place == Place::Inputs { Place::Variable } else { Place::Elsewhere };
                self.dictionary(dictionary, depth, place)
            }
            Value::Array(array) => {
                self.enter(depth, 2, array.at)?;
                self.array(&array, place)
            }
            Value::Shape(shape) => {
                self.enter(depth, 1, reader.at())?;
                let limit = self.limits.shape_rank as usize;
                if shape.rank() > limit {
                    let kind = ErrorKind::Rank { rank: shape.rank() as u64, limit: limit as u64 };
                    return Err(Error::new(kind, reader.at()));
                }
                Ok(())
            }
            Value::Axis(_) => self.enter(depth, 1, reader.at()).map(|_| ()),
            _ => Ok(()),
        }
    }

    fn array(&mut self, array: &Array<'_>, place: Place) -> Result<(), Error> {
        let limit = self.limits.tensor_rank as usize;
        if array.shape.rank() > limit {
            let kind = ErrorKind::Rank { rank: array.shape.rank() as u64, limit: limit as u64 };
            return Err(Error::new(kind, array.at).in_key("shape"));
        }
        if array.elements == ElementStorage::Absent {
            if !self.tail {
                let expected = array.shape.elements().unwrap_or(u64::MAX);
                return Err(Error::new(ErrorKind::ValueCount { found: 0, expected }, array.at));
            }
            if place != Place::VariableValue {
                return Err(Error::new(ErrorKind::TailElsewhere, array.at));
            }
        }
        if let Some(range) = &array.range {
            self.tensors.push(range.clone());
        }
        Ok(())
    }
}

/// The keys of one dictionary that were read so far.
#[derive(Default)]
struct Keys<'a> {
    few: SmallVec<[&'a str; FEW_KEYS]>,
    many: HashSet<&'a str>,
}

impl<'a> Keys<'a> {
    /// Adds a key; false if it was there already.
    fn insert(&mut self, key: &'a str) -> bool {
        if self.few.contains(&key) {
            return false;
        }
        if self.few.len() < FEW_KEYS {
            self.few.push(key);
            return true;
        }
        self.many.insert(key)
    }
}
