//! A writer of CNTK's v2 format, with records whose keys can be set, changed and left out.

/// A `DictionaryValue`, encoded.
pub type Value = Vec<u8>;

pub fn varint(mut n: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while n > 0x7f {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
    out
}

/// A length-delimited field.
pub fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = varint(number << 3 | 2);
    out.extend(varint(bytes.len() as u64));
    out.extend_from_slice(bytes);
    out
}

/// A varint field.
pub fn number(field: u64, n: u64) -> Vec<u8> {
    [varint(field << 3), varint(n)].concat()
}

pub fn value(kind: u8, member: &[u8]) -> Value {
    [&[0x08, 1, 0x10, kind], member].concat()
}

pub fn flag(b: bool) -> Value {
    value(1, &number(3, b.into()))
}

pub fn int(n: i32) -> Value {
    value(2, &number(4, i64::from(n) as u64))
}

pub fn size(n: u64) -> Value {
    value(3, &number(5, n))
}

pub fn single(x: f32) -> Value {
    value(4, &[&[6 << 3 | 5][..], &x.to_le_bytes()].concat())
}

pub fn double(x: f64) -> Value {
    value(5, &[&[7 << 3 | 1][..], &x.to_le_bytes()].concat())
}

pub fn text(s: &str) -> Value {
    value(6, &field(8, s.as_bytes()))
}

/// A shape in file order.
pub fn shape(dims: &[u64]) -> Value {
    value(7, &field(9, &shape_message(dims)))
}

fn shape_message(dims: &[u64]) -> Vec<u8> {
    if dims.is_empty() { vec![] } else { field(1, &dims.iter().flat_map(|n| varint(*n)).collect::<Vec<u8>>()) }
}

/// A static axis.
pub fn axis(index: i32) -> Value {
    dynamic_axis(index, &format!("staticAxisIdx={index}"), true)
}

pub fn dynamic_axis(index: i32, name: &str, ordered: bool) -> Value {
    let message = [number(1, i64::from(index) as u64), field(2, name.as_bytes()), number(3, ordered.into())].concat();
    value(8, &field(10, &message))
}

pub fn batch() -> Value {
    dynamic_axis(i32::MAX, "defaultBatchAxis", false)
}

pub fn sequence(name: &str) -> Value {
    dynamic_axis(i32::MAX, name, true)
}

pub fn list(items: &[Value]) -> Value {
    value(9, &field(11, &items.iter().map(|item| field(1, item)).collect::<Vec<_>>().concat()))
}

pub fn texts(items: &[&str]) -> Value {
    list(&items.iter().map(|s| text(s)).collect::<Vec<_>>())
}

pub fn dictionary(entries: &[(&str, Value)]) -> Value {
    value(10, &field(12, &message(entries)))
}

pub fn message(entries: &[(&str, Value)]) -> Vec<u8> {
    let entry = |(key, value): &(&str, Value)| field(2, &[field(1, key.as_bytes()), field(2, value)].concat());
    let mut out = vec![0x08, 2];
    entries.iter().for_each(|e| out.extend_from_slice(&entry(e)));
    out
}

/// A tensor of floats.
pub fn array(dims: &[u64], values: &[f32]) -> Value {
    let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
    raw_array(1, dims, &field(4, &field(1, &bytes)))
}

/// A tensor of any type with this `values` member.
pub fn raw_array(data_type: u64, dims: &[u64], values: &[u8]) -> Value {
    value(11, &field(13, &[number(1, data_type), field(3, &shape_message(dims)), values.to_vec()].concat()))
}

/// A record of the file.
#[derive(Clone)]
pub struct Record(pub Vec<(&'static str, Value)>);

impl Record {
    /// Sets or adds a key.
    pub fn set(mut self, key: &'static str, value: Value) -> Self {
        match self.0.iter_mut().find(|(k, _)| *k == key) {
            Some(entry) => entry.1 = value,
            None => self.0.push((key, value)),
        }
        self
    }

    /// Removes a key.
    pub fn without(mut self, key: &str) -> Self {
        self.0.retain(|(k, _)| *k != key);
        self
    }

    pub fn encode(&self) -> Value {
        dictionary(&self.0)
    }
}

fn variable(uid: &str, kind: u64, dims: &[u64]) -> Record {
    Record(vec![
        ("version", size(1)),
        ("type", text("Variable")),
        ("uid", text(uid)),
        ("kind", size(kind)),
        ("data_type", size(1)),
        ("dynamic_axis", list(&[])),
        ("is_sparse", flag(false)),
        ("needs_gradient", flag(false)),
        ("shape", shape(dims)),
    ])
}

/// An input with the batch axis. Shapes are in file order.
pub fn input(uid: &str, dims: &[u64]) -> Record {
    variable(uid, 0, dims).set("dynamic_axis", list(&[batch()]))
}

/// An input with a sequence axis.
pub fn sequence_input(uid: &str, axis: &str, dims: &[u64]) -> Record {
    input(uid, dims).set("dynamic_axis", list(&[sequence(axis), batch()]))
}

pub fn placeholder(uid: &str, dims: &[u64]) -> Record {
    input(uid, dims).set("kind", size(4))
}

/// A parameter full of 0.5.
pub fn parameter(uid: &str, dims: &[u64]) -> Record {
    let count = dims.iter().product::<u64>() as usize;
    stored(uid, dims, &vec![0.5; count])
}

pub fn stored(uid: &str, dims: &[u64], values: &[f32]) -> Record {
    variable(uid, 2, dims).set("value", array(dims, values))
}

pub fn constant(uid: &str, dims: &[u64], values: &[f32]) -> Record {
    stored(uid, dims, values).set("kind", size(3))
}

/// A primitive function by op number.
pub fn function(uid: &str, op: u64, inputs: &[&str], attributes: &[(&str, Value)]) -> Record {
    Record(vec![
        ("version", size(24)),
        ("type", text("PrimitiveFunction")),
        ("uid", text(uid)),
        ("op", size(op)),
        ("inputs", texts(inputs)),
        ("attributes", dictionary(attributes)),
    ])
}

/// A block around `root`.
pub fn block(uid: &str, root: &str, map: &[(&str, &str)]) -> Record {
    let (keys, values): (Vec<&str>, Vec<&str>) = map.iter().copied().unzip();
    let composite = [
        ("version", size(3)),
        ("type", text("CompositeFunction")),
        ("root", text(root)),
        ("uid", text("CompositeFunction9")),
    ];
    function(uid, 57, &values, &[])
        .set("block_function_op_name", text("Test"))
        .set("block_function_composite", dictionary(&composite))
        .set("block_function_composite_arguments_map_keys", texts(&keys))
        .set("block_function_composite_arguments_map_values", texts(&values))
}

/// A model's record.
pub fn model(root: &str, variables: &[Record], functions: &[Record]) -> Record {
    Record(vec![
        ("version", size(3)),
        ("type", text("CompositeFunction")),
        ("root", text(root)),
        ("uid", text("CompositeFunction1")),
        ("inputs", list(&variables.iter().map(Record::encode).collect::<Vec<_>>())),
        ("primitive_functions", list(&functions.iter().map(Record::encode).collect::<Vec<_>>())),
    ])
}

impl Record {
    /// A model's file.
    pub fn file(&self) -> Vec<u8> {
        message(&self.0)
    }
}
