//! Reads an attribute dictionary and collects everything that is wrong with it.

use crate::dictionary::{Dictionary, FromValue, Item, Value, Vector, list};
use crate::error::{Error, ErrorKind};
use crate::model::DataType;
use crate::model::Shape;
use crate::ops::{Default, Op, Requirement};

/// The typed attributes of an operator.
pub(in crate::ops) trait Decode<'a>: Sized {
    /// Decodes the attributes; `None` if something was wrong, which `attributes` then holds as errors.
    fn decode(attributes: &mut Attributes<'a>) -> Option<Self>;
}

/// A type that a default of the op table can have.
pub(super) trait FromDefault: Sized {
    fn from_default(default: Default) -> Option<Self>;
}

macro_rules! from_default {
    ($($type:ty: $pattern:pat => $value:expr;)*) => {$(
        impl FromDefault for $type {
            fn from_default(default: Default) -> Option<Self> {
                if let $pattern = default { Some($value) } else { None }
            }
        }
    )*};
}

from_default! {
    bool: Default::Bool(v) => v;
    i32: Default::Int(v) => v;
    u64: Default::SizeT(v) => v;
    f64: Default::Double(v) => v;
    Shape: Default::Ones => Shape::from([1]);
}

/// The attributes of one function.
pub(in crate::ops) struct Attributes<'a> {
    op: Op,
    dictionary: Dictionary<'a>,
    errors: Vec<Error>,
}

impl<'a> Attributes<'a> {
    pub(in crate::ops) fn new(op: Op, dictionary: Dictionary<'a>) -> Self {
        Self { op, dictionary, errors: Vec::new() }
    }

    pub(in crate::ops) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// Everything that was wrong, with paths from the root of the model.
    pub(in crate::ops) fn into_errors(self, function: usize) -> Vec<Error> {
        (self.errors.into_iter())
            .map(|e| e.in_key("attributes").in_index(function).in_key("primitive_functions"))
            .collect()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.dictionary.keys().any(|k| k == key)
    }

    /// A required attribute.
    pub(super) fn required<T: FromValue<'a>>(&mut self, key: &'static str) -> Option<T> {
        match self.optional(key)? {
            Some(value) => Some(value),
            None => self.missing(key),
        }
    }

    /// An attribute that may be absent; it then has its default of the op table.
    pub(super) fn defaulted<T: FromValue<'a> + FromDefault>(&mut self, key: &'static str) -> Option<T> {
        if let Some(value) = self.optional(key)? {
            return Some(value);
        }
        match self.op.spec().attribute(key)?.requirement {
            Requirement::Default(default) => T::from_default(default),
            _ => self.missing(key),
        }
    }

    /// An attribute that may be absent (`Some(None)`); `None` if it has the wrong type.
    pub(super) fn optional<T: FromValue<'a>>(&mut self, key: &'static str) -> Option<Option<T>> {
        let Some(Item { at, value }) = self.dictionary.get(key) else { return Some(None) };
        let found = value.type_name();
        match T::from_value(value) {
            Some(value) => Some(Some(value)),
            None => self.wrong_type(key, T::NAME, found, at, None),
        }
    }

    /// A required list.
    pub(super) fn list<T: FromValue<'a>>(&mut self, key: &'static str) -> Option<Vec<T>> {
        match self.optional_list(key)? {
            Some(values) => Some(values),
            None => self.missing(key),
        }
    }

    /// A list that may be absent (`Some(None)`).
    pub(super) fn optional_list<T: FromValue<'a>>(&mut self, key: &'static str) -> Option<Option<Vec<T>>> {
        let Some(Item { at, value }) = self.dictionary.get(key) else { return Some(None) };
        let found = value.type_name();
        let Value::Vector(vector) = value else { return self.wrong_type(key, T::LIST, found, at, None) };
        match list(vector) {
            Ok(values) => Some(Some(values)),
            Err(_) => self.wrong_item::<T>(key, vector),
        }
    }

    #[cold]
    fn wrong_item<T: FromValue<'a>>(&mut self, key: &'static str, vector: Vector<'a>) -> Option<Option<Vec<T>>> {
        for (index, item) in vector.iter().enumerate() {
            let found = item.value.type_name();
            if T::from_value(item.value).is_none() {
                return self.wrong_type(key, T::LIST, found, item.at, Some(index));
            }
        }
        None
    }

    #[cold]
    pub(super) fn missing<T>(&mut self, key: &'static str) -> Option<T> {
        let kind = ErrorKind::MissingAttribute { op: self.op.name(), key };
        self.errors.push(Error::new(kind, self.dictionary.at()).in_key(key));
        None
    }

    #[cold]
    fn wrong_type<T>(
        &mut self,
        key: &'static str,
        expected: &'static str,
        found: &'static str,
        at: u64,
        index: Option<usize>,
    ) -> Option<T> {
        let kind = ErrorKind::AttributeType { op: self.op.name(), key, expected, found };
        let error = Error::new(kind, at);
        let error = match index {
            Some(index) => error.in_index(index),
            None => error,
        };
        self.errors.push(error.in_key(key));
        None
    }

    /// Reports that an attribute has an impossible value.
    #[cold]
    pub(super) fn impossible<T>(&mut self, key: &'static str, expected: &'static str, found: String) -> Option<T> {
        let kind = ErrorKind::AttributeValue { op: self.op.name(), key, expected, found };
        let at = self.dictionary.get(key).map_or(self.dictionary.at(), |item| item.at);
        self.errors.push(Error::new(kind, at).in_key(key));
        None
    }

    /// A data type stored as an Int.
    pub(super) fn data_type(&mut self, key: &'static str) -> Option<Option<DataType>> {
        let Some(code) = self.optional::<i32>(key)? else { return Some(None) };
        match code {
            1 => Some(Some(DataType::Float)),
            2 => Some(Some(DataType::Double)),
            4 => Some(Some(DataType::Float16)),
            5 => Some(Some(DataType::Int8)),
            6 => Some(Some(DataType::Int16)),
            _ => self.impossible(key, "1, 2, 4, 5 or 6", code.to_string()),
        }
    }
}
