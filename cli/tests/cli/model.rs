//! A CNTK model of any size, written from scratch: `y = x W`.

/// A dense layer whose weights count up from 0 in steps of 2^-10. `rows` × `columns` floats.
pub fn dense(rows: u64, columns: u64) -> Vec<u8> {
    let weights: Vec<u8> = (0..rows * columns).flat_map(|i| (i as f32 / 1024.0).to_le_bytes()).collect();
    let input = variable("Input0", 0, &[rows], true, vec![("name", text("x"))]);
    let tensor = [num(1, 1), num(2, 0), blob(3, &dims(&[columns, rows])), blob(4, &blob(1, &weights))].concat();
    let parameter = variable("Parameter1", 2, &[columns, rows], false, vec![("value", value(11, &blob(13, &tensor)))]);
    let times = record(&[
        ("version", size(24)),
        ("type", text("PrimitiveFunction")),
        ("uid", text("Times2")),
        ("op", size(31)),
        (
            "attributes",
            dictionary_value(&[("outputRank", size(1)), ("inferInputRankToMap", value(2, &num(4, u64::MAX)))]),
        ),
        ("inputs", list(&[text("Parameter1"), text("Input0")])),
    ]);
    dictionary(&[
        ("version", size(3)),
        ("type", text("CompositeFunction")),
        ("root", text("Times2")),
        ("uid", text("CompositeFunction3")),
        ("inputs", list(&[input, parameter])),
        ("primitive_functions", list(&[times])),
    ])
}

type Entry<'a> = (&'a str, Vec<u8>);

fn variable(uid: &str, kind: u64, shape: &[u64], batch: bool, more: Vec<Entry<'_>>) -> Vec<u8> {
    let axis = [num(1, i32::MAX as u64), blob(2, b"defaultBatchAxis")].concat();
    let axes = if batch { vec![value(8, &blob(10, &axis))] } else { vec![] };
    let mut entries = vec![
        ("version", size(1)),
        ("type", text("Variable")),
        ("uid", text(uid)),
        ("kind", size(kind)),
        ("data_type", size(1)),
        ("dynamic_axis", list(&axes)),
        ("is_sparse", value(1, &num(3, 0))),
        ("needs_gradient", value(1, &num(3, u64::from(kind == 2)))),
        ("shape", value(7, &blob(9, &dims(shape)))),
    ];
    entries.extend(more);
    record(&entries)
}

fn record(entries: &[Entry<'_>]) -> Vec<u8> {
    dictionary_value(entries)
}

fn dictionary_value(entries: &[Entry<'_>]) -> Vec<u8> {
    value(10, &blob(12, &dictionary(entries)))
}

fn dictionary(entries: &[Entry<'_>]) -> Vec<u8> {
    let entry = |(key, value): &Entry<'_>| blob(2, &[blob(1, key.as_bytes()), blob(2, value)].concat());
    [num(1, 2), entries.iter().flat_map(entry).collect()].concat()
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    value(9, &blob(11, &items.iter().flat_map(|item| blob(1, item)).collect::<Vec<_>>()))
}

fn text(text: &str) -> Vec<u8> {
    value(6, &blob(8, text.as_bytes()))
}

fn size(n: u64) -> Vec<u8> {
    value(3, &num(5, n))
}

fn dims(dims: &[u64]) -> Vec<u8> {
    blob(1, &dims.iter().flat_map(|d| varint(*d)).collect::<Vec<_>>())
}

fn value(kind: u64, member: &[u8]) -> Vec<u8> {
    [&num(1, 2), &num(2, kind), member].concat()
}

fn num(field: u64, n: u64) -> Vec<u8> {
    [varint(field << 3), varint(n)].concat()
}

fn blob(field: u64, bytes: &[u8]) -> Vec<u8> {
    [&varint(field << 3 | 2), &varint(bytes.len() as u64), bytes].concat()
}

fn varint(mut n: u64) -> Vec<u8> {
    let mut bytes = vec![];
    while n > 127 {
        bytes.push((n & 127) as u8 | 128);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}
