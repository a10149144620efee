//! A small writer of the format, for models that no corpus should hold: very long ones.

fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n > 0x7f {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// A length-delimited field.
pub fn field(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    varint(out, number << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn value(kind: u8, member: &[u8]) -> Vec<u8> {
    let mut out = vec![0x08, 1, 0x10, kind];
    out.extend_from_slice(member);
    out
}

pub fn text(s: &str) -> Vec<u8> {
    let mut member = Vec::new();
    field(&mut member, 8, s.as_bytes());
    value(6, &member)
}

pub fn size(n: u64) -> Vec<u8> {
    let mut member = vec![0x28];
    varint(&mut member, n);
    value(3, &member)
}

pub fn flag(b: bool) -> Vec<u8> {
    value(1, &[0x18, u8::from(b)])
}

pub fn shape(dims: &[u8]) -> Vec<u8> {
    let (mut message, mut member) = (Vec::new(), Vec::new());
    field(&mut message, 1, dims);
    field(&mut member, 9, &message);
    value(7, &member)
}

pub fn vector(items: &[Vec<u8>]) -> Vec<u8> {
    let (mut message, mut member) = (Vec::new(), Vec::new());
    items.iter().for_each(|item| field(&mut message, 1, item));
    field(&mut member, 11, &message);
    value(9, &member)
}

pub fn dictionary(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut member = Vec::new();
    field(&mut member, 12, &message(entries));
    value(10, &member)
}

fn message(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0x08, 2];
    for (key, value) in entries {
        let mut entry = Vec::new();
        field(&mut entry, 1, key.as_bytes());
        field(&mut entry, 2, value);
        field(&mut out, 2, &entry);
    }
    out
}

/// A model of these records.
pub fn model(root: &str, inputs: &[Vec<u8>], functions: &[Vec<u8>]) -> Vec<u8> {
    message(&[
        ("version", size(3)),
        ("type", text("CompositeFunction")),
        ("root", text(root)),
        ("uid", text("CompositeFunction1")),
        ("inputs", vector(inputs)),
        ("primitive_functions", vector(functions)),
    ])
}

/// An input of three numbers.
pub fn input(uid: &str) -> Vec<u8> {
    dictionary(&[
        ("version", size(1)),
        ("type", text("Variable")),
        ("uid", text(uid)),
        ("kind", size(0)),
        ("data_type", size(1)),
        ("dynamic_axis", vector(&[])),
        ("is_sparse", flag(false)),
        ("needs_gradient", flag(false)),
        ("shape", shape(&[3])),
    ])
}

/// A primitive of one input.
pub fn function(uid: &str, op: u64, input: &str) -> Vec<u8> {
    dictionary(&[
        ("version", size(24)),
        ("type", text("PrimitiveFunction")),
        ("uid", text(uid)),
        ("op", size(op)),
        ("inputs", vector(&[text(input)])),
        ("attributes", dictionary(&[])),
    ])
}

/// So many Tanh one after another.
pub fn chain(length: usize) -> Vec<u8> {
    let mut previous = "Input0".to_owned();
    let functions: Vec<Vec<u8>> = (1..=length)
        .map(|i| {
            let record = function(&format!("Tanh{i}"), 2, &previous);
            previous = format!("Tanh{i}_Output_0");
            record
        })
        .collect();
    model(&format!("Tanh{length}"), &[input("Input0")], &functions)
}

/// One parameter of so many floats, and Tanh of it.
#[allow(dead_code, reason = "not every user of this file needs it")]
pub fn parameter_of(floats: usize) -> Vec<u8> {
    let elements: Vec<u8> = (0..floats).flat_map(|i| (i as f32 + 0.5).to_le_bytes()).collect();
    let mut dims = Vec::new();
    varint(&mut dims, floats as u64);
    let (mut shape_message, mut values, mut array, mut member) = (Vec::new(), Vec::new(), vec![0x08, 1], Vec::new());
    field(&mut shape_message, 1, &dims);
    field(&mut values, 1, &elements);
    field(&mut array, 3, &shape_message);
    field(&mut array, 4, &values);
    field(&mut member, 13, &array);
    let parameter = dictionary(&[
        ("version", size(1)),
        ("type", text("Variable")),
        ("uid", text("Parameter0")),
        ("kind", size(2)),
        ("data_type", size(1)),
        ("dynamic_axis", vector(&[])),
        ("is_sparse", flag(false)),
        ("needs_gradient", flag(false)),
        ("shape", shape(&dims)),
        ("value", value(11, &member)),
    ]);
    model("Tanh1", &[parameter], &[function("Tanh1", 2, "Parameter0")])
}
