//! The parser's views as the schema's messages, to be compared with what prost reads, or encoded again.

use crate::schema as proto;
use cntk_parser::dictionary::{Dictionary, Value};
use cntk_parser::model::{Array, DataType, ElementStorage};
use prost::Message;
use proto::{DictionaryValue, Member, Values};

/// The version that everything is written with.
const VERSION: u64 = 2;

/// A dictionary as a message, versions aside.
pub fn dictionary(ours: Dictionary<'_>) -> proto::Dictionary {
    let entry =
        |e: cntk_parser::dictionary::Entry<'_>| proto::Entry { key: e.key.to_owned(), value: Some(value(&e.value)) };
    proto::Dictionary { version: VERSION, data: ours.iter().map(entry).collect() }
}

fn value(ours: &Value<'_>) -> DictionaryValue {
    let member = match ours {
        Value::None => None,
        Value::Bool(b) => Some(Member::Bool(*b)),
        Value::Int(n) => Some(Member::Int(*n)),
        Value::SizeT(n) => Some(Member::SizeT(*n)),
        Value::Float(x) => Some(Member::Float(*x)),
        Value::Double(x) => Some(Member::Double(*x)),
        Value::Str(s) => Some(Member::String((*s).to_owned())),
        Value::Shape(s) => Some(Member::Shape(proto::NdShape { shape_dim: s.0.to_vec() })),
        Value::Axis(a) => Some(Member::Axis(proto::Axis {
            static_axis_idx: a.index,
            name: a.name.to_owned(),
            is_ordered_dynamic_axis: a.ordered,
        })),
        Value::Vector(v) => {
            Some(Member::Vector(proto::Vector { value: v.iter().map(|item| value(&item.value)).collect() }))
        }
        Value::Dictionary(d) => Some(Member::Dictionary(dictionary(*d))),
        Value::Array(a) => Some(Member::Array(array(a))),
    };
    DictionaryValue { version: VERSION, value_type: ours.kind() as i32, value: member }
}

fn array(ours: &Array<'_>) -> proto::NdArrayView {
    let bytes = match &ours.elements {
        ElementStorage::Absent => None,
        ElementStorage::Contiguous(run) => Some(run.to_vec()),
        ElementStorage::Pieces(runs) | ElementStorage::ZigZag(runs) => Some(runs.concat()),
    };
    let data_type = ours.data_type;
    let values = bytes.map(|bytes| match data_type {
        DataType::Double => {
            let value = bytes.as_chunks().0.iter().map(|c| f64::from_le_bytes(*c)).collect();
            Values::Double(proto::DoubleValues { value })
        }
        DataType::Int8 => Values::Bytes(proto::BytesValue { value: bytes }),
        DataType::Int16 => Values::Int(proto::IntValues { value: zigzag(&bytes) }),
        _ => {
            let value = bytes.as_chunks().0.iter().map(|c| f32::from_le_bytes(*c)).collect();
            Values::Float(proto::FloatValues { value })
        }
    });
    let data_type = self::data_type(data_type);
    let shape = proto::NdShape { shape_dim: ours.shape.0.to_vec() };
    proto::NdArrayView { data_type, storage_format: 0, shape: Some(shape), values }
}

/// The number of an element type.
pub fn data_type(data_type: DataType) -> i32 {
    match data_type {
        DataType::Unknown => 0,
        DataType::Float => 1,
        DataType::Double => 2,
        DataType::Float16 => 4,
        DataType::Int8 => 5,
        DataType::Int16 => 6,
    }
}

/// Zig-zag varints, as prost reads them.
fn zigzag(packed: &[u8]) -> Vec<i32> {
    let mut message = vec![0x0a];
    prost::encoding::encode_varint(packed.len() as u64, &mut message);
    message.extend_from_slice(packed);
    proto::IntValues::decode(message.as_slice()).expect("the parser checked the varints").value
}

/// Takes out of a message what [`dictionary()`] cannot know: versions, and whether what is empty was written.
pub fn normalize(theirs: &mut proto::Dictionary) {
    theirs.version = VERSION;
    for entry in &mut theirs.data {
        normalize_value(entry.value.get_or_insert_default());
    }
}

fn normalize_value(theirs: &mut DictionaryValue) {
    theirs.version = VERSION;
    match &mut theirs.value {
        Some(Member::Vector(v)) => v.value.iter_mut().for_each(normalize_value),
        Some(Member::Dictionary(d)) => normalize(d),
        Some(Member::Array(a)) => {
            a.shape.get_or_insert_default();
            let empty = match &a.values {
                Some(Values::Float(v)) => v.value.is_empty(),
                Some(Values::Double(v)) => v.value.is_empty(),
                Some(Values::Bytes(v)) => v.value.is_empty(),
                Some(Values::Int(v)) => v.value.is_empty(),
                None => false,
            };
            if empty {
                a.values = None;
            }
        }
        _ => {}
    }
}
