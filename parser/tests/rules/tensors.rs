//! Tensors in every way that protobuf can write them: what is read is what was written, and lies where it says.

use super::build::*;
use super::graph;
use super::shapes::Random;
use cntk_parser::dictionary::Value as Read;
use cntk_parser::model::{Array, DataType, ElementStorage, Model, Origin};
use cntk_parser::{Limits, ModelFile, parse};

/// Data type, its code, the member of its values, bytes of an element (0: varints).
const TYPES: [(DataType, u64, u64, usize); 5] = [
    (DataType::Float, 1, 4, 4),
    (DataType::Double, 2, 5, 8),
    (DataType::Float16, 4, 4, 4),
    (DataType::Int8, 5, 6, 1),
    (DataType::Int16, 6, 7, 0),
];

/// What the root record has under a key of the test's own.
fn note<'a>(model: &Model<'a>) -> Option<Read<'a>> {
    let Origin::Record(record) = model.origin else { return None };
    record.get("note").map(|item| item.value)
}

/// Parses a model with this value under a key of its own, and hands it to `look`.
fn with<T>(value: Value, look: impl FnOnce(&[u8], Result<Array<'_>, &'static str>) -> T) -> T {
    let file = graph::tanh().set("note", value).file();
    match parse(&ModelFile::new(&file), &Limits::default()) {
        Err(error) => look(&file, Err(error.code())),
        Ok(model) => {
            let Some(Read::Array(array)) = note(&model) else { panic!("no array") };
            let ranges: Vec<_> = model.tensor_ranges().to_vec();
            assert_eq!(ranges, array.range.clone().into_iter().collect::<Vec<_>>());
            look(&file, Ok(*array))
        }
    }
}

/// A values message of `count` elements in some split, and its non-empty runs.
fn values(random: &mut Random, element: usize, count: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut message = Vec::new();
    let mut runs = Vec::new();
    let mut left = count;
    while left > 0 {
        // Bytes are one field.
        let some = if element == 1 { left } else { 1 + random.below(left as u64) as usize };
        let one = |random: &mut Random| match element {
            0 => varint(random.below(1 << 20)),
            n => (0..n).map(|_| random.below(256) as u8).collect(),
        };
        match random.below(6) {
            0 if element != 1 => message.extend(field(1, &[])),
            1 => message.extend(field(2, b"unknown")),
            2 if element != 1 => {
                let run = one(random);
                let wire_type = match element {
                    0 => 0,
                    4 => 5,
                    _ => 1,
                };
                // The tag need not be minimal.
                let tag = if random.flag() { vec![8 | wire_type] } else { vec![0x88 | wire_type, 0] };
                message.extend([tag, run.clone()].concat());
                runs.push(run);
                left -= 1;
            }
            _ => {
                let run: Vec<u8> = (0..some).flat_map(|_| one(random)).collect();
                message.extend(field(1, &run));
                runs.push(run);
                left -= some;
            }
        }
    }
    (message, runs)
}

#[test]
fn values_are_read_as_they_were_written() {
    let random = &mut Random(20);
    for _ in 0..1500 {
        let (data_type, code, member, element) = random.pick(&TYPES);
        let dims: Vec<u64> = random.shape(0, 3);
        let count = dims.iter().product::<u64>() as usize;
        let (message, runs) = values(random, element, count);
        with(raw_array(code, &dims, &field(member, &message)), |file, array| {
            let array = array.unwrap();
            assert_eq!((array.data_type, array.shape.0.as_slice()), (data_type, dims.as_slice()));
            let same = |found: &[&[u8]]| assert_eq!(found, runs, "{data_type:?} {dims:?}");
            match &array.elements {
                ElementStorage::ZigZag(found) if element == 0 => same(found),
                ElementStorage::Contiguous(run) if element > 0 && runs.len() == 1 => same(&[run]),
                ElementStorage::Pieces(found) if element > 0 && runs.len() > 1 => same(found),
                other => panic!("{other:?} for {} runs of {data_type:?}", runs.len()),
            }
            let range = array.range.map(|range| file[range.start as usize..range.end as usize].to_vec());
            assert_eq!(range, (element > 0 && runs.len() == 1).then(|| runs[0].clone()));
        });
        // One element more or less than the shape says.
        let count = count as u64;
        let wrong = if random.flag() { vec![count + 1] } else { vec![2, count] };
        with(raw_array(code, &wrong, &field(member, &message)), |_, array| {
            assert_eq!(array.unwrap_err(), "tensor.count");
        });
    }
}

#[test]
fn values_are_in_the_member_of_their_type() {
    for (data_type, code, member, element) in TYPES {
        for other in 4..=7 {
            let found = with(raw_array(code, &[1], &field(other, &field(1, &vec![0; element.max(1)]))), |_, array| {
                array.map(|_| ())
            });
            let expected = if other == member { Ok(()) } else { Err("tensor.values-member") };
            assert_eq!(found, expected, "{data_type:?} in {other}");
        }
    }
    // The member is called by its name.
    for (member, name) in [(4, "float_values"), (5, "double_values"), (6, "bytes_value"), (7, "sint32_values")] {
        let code = if member == 5 { 1 } else { 2 };
        let file = graph::tanh().set("note", raw_array(code, &[1], &field(member, &field(1, &[0; 8])))).file();
        let error = parse(&ModelFile::new(&file), &Limits::default()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    let errors = |bytes: &[u8]| with(value(11, &field(13, bytes)), |_, array| array.map(|_| ()));
    let floats = |n: usize| field(4, &field(1, &vec![0; 4 * n]));
    let one = |parts: &[&[u8]]| errors(&parts.concat());
    let (float, dims) = (number(1, 1), field(3, &field(1, &[2])));
    assert_eq!(one(&[&float, &dims, &floats(2)]), Ok(()));
    assert_eq!(one(&[&float, &number(2, 0), &dims, &floats(2), &field(9, b"x")]), Ok(()));
    assert_eq!(one(&[&dims, &floats(2)]), Err("tensor.data-type"));
    for twice in [&float, &number(2, 0), &dims, &floats(2)] {
        assert_eq!(one(&[&float, &number(2, 0), &dims, &floats(2), twice]).unwrap_err(), "wire.repeated");
    }
    assert_eq!(one(&[&float, &dims, &number(4, 1)]), Err("wire.type"));
    // An element of another width, and bytes in two fields.
    assert_eq!(one(&[&float, &dims, &field(4, &[&number(1, 1)[..], &number(1, 1)].concat())]), Err("wire.type"));
    let bytes = |parts: &[&[u8]]| {
        let member: Vec<u8> = parts.iter().flat_map(|part| field(1, part)).collect();
        one(&[&number(1, 5), &dims, &field(6, &member)])
    };
    assert_eq!((bytes(&[b"ab"]), bytes(&[b"", b"ab"])), (Ok(()), Ok(())));
    assert_eq!((bytes(&[b"a", b"b"]), bytes(&[b"ab", b""])), (Err("wire.repeated"), Err("wire.repeated")));
    // What holds nothing is in the tail of the large layout; a plain file has none.
    assert_eq!(one(&[&float, &dims]), Err("tensor.count"));
    assert_eq!(one(&[&float, &dims, &field(4, &[])]), Err("tensor.count"));
}

/// Dimensions are packed, or a field each, or both.
#[test]
fn dimensions_are_read_as_they_were_written() {
    let packed = |dims: &[u64]| field(1, &dims.iter().flat_map(|n| varint(*n)).collect::<Vec<u8>>());
    let alone = |dim| number(1, dim);
    for message in
        [packed(&[2, 300, 1]), [alone(2), alone(300), alone(1)].concat(), [alone(2), packed(&[300, 1])].concat()]
    {
        let file = graph::tanh().set("note", value(7, &field(9, &message))).file();
        let source = ModelFile::new(&file);
        let model = parse(&source, &Limits::default()).unwrap();
        let Some(Read::Shape(shape)) = note(&model) else { panic!("no shape") };
        assert_eq!(shape.0.as_slice(), [2, 300, 1]);
    }
}

/// The product of the dimensions and the bytes that it takes fit 63 bits.
#[test]
fn counts_end_where_numbers_do() {
    let of = |code: u64, dims: &[u64]| {
        with(raw_array(code, dims, &field(4, &field(1, &[0; 4]))), |_, array| array.map(|_| ()).unwrap_err())
    };
    for (code, element) in [(1, 4), (4, 4)] {
        assert_eq!(of(code, &[(1 << 63) / element - 1]), "tensor.count");
        assert_eq!(of(code, &[(1 << 63) / element]), "tensor.shape-overflow");
    }
    assert_eq!(of(2, &[(1 << 60) - 1]), "tensor.values-member");
    assert_eq!(of(2, &[1 << 60]), "tensor.shape-overflow");
    assert_eq!(of(1, &[1 << 40, 1 << 40]), "tensor.shape-overflow");
    assert_eq!(of(1, &[u64::MAX - 1]), "tensor.sentinel");
    assert_eq!(of(1, &[2, u64::MAX - 2]), "tensor.sentinel");
}
