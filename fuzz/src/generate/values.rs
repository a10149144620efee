//! Dictionary values in CNTK's terms. Shapes are given row-major and stored the other way round.

use crate::mutate::tagged;
use crate::schema::{Axis, Dictionary, DictionaryValue, Entry, Member, NdShape, Vector};

/// The index of every dynamic axis.
const DYNAMIC: i32 = i32::MAX;
/// `FreeDimension`.
const FREE: u64 = u64::MAX - 2;

pub fn entry(key: &str, value: DictionaryValue) -> Entry {
    Entry { key: key.to_owned(), value: Some(value) }
}

pub fn flag(b: bool) -> DictionaryValue {
    tagged(Member::Bool(b))
}

pub fn int(n: i32) -> DictionaryValue {
    tagged(Member::Int(n))
}

pub fn number(n: u64) -> DictionaryValue {
    tagged(Member::SizeT(n))
}

pub fn double(x: f64) -> DictionaryValue {
    tagged(Member::Double(x))
}

pub fn float(x: f32) -> DictionaryValue {
    tagged(Member::Float(x))
}

pub fn text(s: &str) -> DictionaryValue {
    tagged(Member::String(s.to_owned()))
}

pub fn list(value: Vec<DictionaryValue>) -> DictionaryValue {
    tagged(Member::Vector(Vector { value }))
}

pub fn dictionary(data: Vec<Entry>) -> DictionaryValue {
    tagged(Member::Dictionary(Dictionary { version: 2, data }))
}

/// A shape in file order.
pub fn file_shape(dims: &[u64]) -> DictionaryValue {
    tagged(Member::Shape(NdShape { shape_dim: dims.to_vec() }))
}

/// A row-major shape, `None` being a free dimension.
pub fn row_shape(dims: &[Option<u64>]) -> DictionaryValue {
    file_shape(&dims.iter().rev().map(|n| n.unwrap_or(FREE)).collect::<Vec<_>>())
}

/// A static axis by its file index.
pub fn file_axis(index: i32) -> DictionaryValue {
    axis(index, &format!("staticAxisIdx={index}"), true)
}

/// A static axis by its row-major place among `rank`.
pub fn row_axis(row: usize, rank: usize) -> DictionaryValue {
    file_axis((rank - 1 - row) as i32)
}

pub fn all_static_axes() -> DictionaryValue {
    axis(DYNAMIC - 1, "AllStaticAxes", false)
}

pub fn all_axes() -> DictionaryValue {
    axis(DYNAMIC - 4, "AllAxes", false)
}

pub fn batch_axis() -> DictionaryValue {
    axis(DYNAMIC, "defaultBatchAxis", false)
}

pub fn sequence_axis(name: &str) -> DictionaryValue {
    axis(DYNAMIC, name, true)
}

fn axis(index: i32, name: &str, ordered: bool) -> DictionaryValue {
    tagged(Member::Axis(Axis { static_axis_idx: index, name: name.to_owned(), is_ordered_dynamic_axis: ordered }))
}
