//! Conversion of values to Rust types.

use super::{Dictionary, Item, Value, Vector};
use crate::error::{Error, ErrorKind};
use crate::model::{Array, Axis, Shape};

/// A Rust type for one kind of value. As in CNTK, there is no conversion between kinds.
pub(crate) trait FromValue<'a>: Sized {
    /// The kind's name.
    const NAME: &'static str;
    /// The name of a list of this kind.
    const LIST: &'static str;

    fn from_value(value: Value<'a>) -> Option<Self>;
}

macro_rules! from_value {
    ($($type:ty, $variant:ident, $name:literal;)*) => {$(
        impl<'a> FromValue<'a> for $type {
            const NAME: &'static str = $name;
            const LIST: &'static str = concat!("Vector of ", $name);

            fn from_value(value: Value<'a>) -> Option<Self> {
                match value {
                    Value::$variant(value) => Some(value),
                    _ => None,
                }
            }
        }
    )*};
}

from_value! {
    bool, Bool, "Bool";
    i32, Int, "Int";
    u64, SizeT, "SizeT";
    f32, Float, "Float";
    f64, Double, "Double";
    &'a str, Str, "String";
    Shape, Shape, "NDShape";
    Axis<'a>, Axis, "Axis";
    Vector<'a>, Vector, "Vector";
    Dictionary<'a>, Dictionary, "Dictionary";
    Box<Array<'a>>, Array, "NDArrayView";
}

/// The value as a `T`, or an error at its offset.
pub(crate) fn expect<'a, T: FromValue<'a>>(item: Item<'a>) -> Result<T, Error> {
    let found = item.value.type_name();
    T::from_value(item.value).ok_or_else(|| Error::new(ErrorKind::WrongType { expected: T::NAME, found }, item.at))
}

/// A list whose values all have one type. Memory is reserved only for values that exist.
pub(crate) fn list<'a, T: FromValue<'a>>(vector: Vector<'a>) -> Result<Vec<T>, Error> {
    let mut values = Vec::with_capacity(vector.len());
    for (index, reader) in vector.raw().enumerate() {
        let reader = reader?;
        let value = Value::decode(reader)
            .and_then(|value| expect(Item { at: reader.at(), value }))
            .map_err(|e| e.in_index(index))?;
        values.push(value);
    }
    Ok(values)
}
