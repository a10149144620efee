//! `operators.txt` has what each operator's attributes decode to: all of them given, only the required ones given, and what is
//! said when one has another type. `BLESS=1` writes it.

use super::build::*;
use cntk_parser::dictionary::ValueKind;
use cntk_parser::ops::{AttributeSpec, AttributeType, Op, Operator, Requirement};
use cntk_parser::{Limits, ModelFile, parse};
use std::fmt::Write;

/// A value of a type; `i` makes it one of its own.
fn one(kind: ValueKind, key: &str, i: u64) -> Value {
    match kind {
        ValueKind::Bool => flag(i % 2 == 1),
        ValueKind::Int if key == "newDataType" => int(4),
        ValueKind::Int => int(i as i32 + 1),
        ValueKind::SizeT if ["poolingType", "paddingMode"].contains(&key) => size(0),
        ValueKind::SizeT => size(i + 10),
        ValueKind::Float => value(4, &[&[6 << 3 | 5][..], &(i as f32 + 0.5).to_le_bytes()].concat()),
        ValueKind::Double => double(i as f64 + 0.25),
        ValueKind::String => text(match key {
            "reductionOpName" => "LogSum",
            "recurrentOp" => "gru",
            "randomDistributionType" => "gumbel",
            _ => "text",
        }),
        ValueKind::NDShape => shape(&[i + 2, 7]),
        ValueKind::Axis => axis(i as i32),
        other => panic!("no attribute is a {other:?}"),
    }
}

fn sound(spec: &AttributeSpec, i: u64) -> Value {
    match spec.kind {
        AttributeType::One(kind) => one(kind, spec.key, i),
        AttributeType::List(kind) => list(&[one(kind, spec.key, i), one(kind, spec.key, i + 1)]),
    }
}

/// What the operator decodes to.
fn decoded(op: Op, attributes: &[(&str, Value)]) -> String {
    let file = model("F", &[], &[function("F", op.code(), &[], attributes)]).file();
    let source = ModelFile::new(&file);
    let model = parse(&source, &Limits::default()).unwrap();
    match Operator::decode(&model.functions[0], 0) {
        Ok(operator) => format!("{operator:?}"),
        Err(errors) => errors.iter().map(|e| format!("{}: {}", e.path(), e.message())).collect::<Vec<_>>().join("; "),
    }
}

fn operators() -> String {
    let mut out = String::new();
    for op in Op::ALL.iter().filter(|op| **op != Op::Block && !op.spec().attributes.is_empty()) {
        let specs = op.spec().attributes;
        let all: Vec<(&str, Value)> = (0..).zip(specs).map(|(i, spec)| (spec.key, sound(spec, i))).collect();
        let least: Vec<(&str, Value)> = all
            .iter()
            .zip(specs)
            .filter(|(_, spec)| spec.requirement == Requirement::Required)
            .map(|(entry, _)| entry.clone())
            .collect();
        writeln!(out, "{}\n  all: {}\n  least: {}", op.name(), decoded(*op, &all), decoded(*op, &least)).unwrap();
        for (i, spec) in specs.iter().enumerate() {
            let mut wrong = all.clone();
            wrong[i].1 = match spec.kind {
                AttributeType::One(_) => list(&[]),
                // The second item is of another type.
                AttributeType::List(_) => list(&[one_of(spec), dictionary(&[])]),
            };
            writeln!(out, "  {} as {}: {}", spec.key, spec.kind, decoded(*op, &wrong)).unwrap();
            if matches!(spec.kind, AttributeType::List(_)) {
                wrong[i].1 = text("x");
                writeln!(out, "  {} as text: {}", spec.key, decoded(*op, &wrong)).unwrap();
            }
        }
    }
    out
}

fn one_of(spec: &AttributeSpec) -> Value {
    let (AttributeType::One(kind) | AttributeType::List(kind)) = spec.kind;
    one(kind, spec.key, 0)
}

#[test]
fn attributes_decode_as_recorded() {
    super::messages::golden("operators.txt", &operators());
}

/// Names and numbers of enumerated attributes: each that there is, and its neighbours.
#[test]
fn enumerated_values() {
    let known = |op: Op, key: &'static str, values: Vec<Value>| -> Vec<bool> {
        let specs = op.spec().attributes;
        let alternatives = |spec: &&AttributeSpec| spec.requirement == Requirement::Required || spec.key == "axis";
        values
            .into_iter()
            .map(|value| {
                let mut attributes: Vec<(&str, Value)> =
                    specs.iter().filter(alternatives).map(|spec| (spec.key, sound(spec, 0))).collect();
                attributes.retain(|(k, _)| *k != key);
                attributes.push((key, value));
                !decoded(op, &attributes).contains("expected")
            })
            .collect()
    };
    let sizes = |n: u64| (0..n).map(size).collect();
    assert_eq!(known(Op::Pooling, "poolingType", sizes(3)), [true, true, false]);
    assert_eq!(known(Op::Unpooling, "poolingType", sizes(3)), [true, false, false]);
    assert_eq!(known(Op::ROIPooling, "poolingType", sizes(3)), [true, false, false]);
    assert_eq!(known(Op::Pad, "paddingMode", sizes(4)), [true, true, true, false]);
    let types: Vec<Value> = (0..8).map(int).collect();
    assert_eq!(known(Op::Cast, "newDataType", types), [false, true, true, false, true, true, true, false]);
    let texts = |names: &[&str]| names.iter().map(|name| text(name)).collect();
    let reductions = ["Sum", "LogSum", "Mean", "Max", "Min", "Prod", "Argmax", "Argmin"];
    assert_eq!(known(Op::ReduceElements, "reductionOpName", texts(&reductions)), [true; 8]);
    assert_eq!(known(Op::ReduceElements, "reductionOpName", texts(&["All", "Any"])), [false; 2]);
    assert_eq!(known(Op::OptimizedRNNStack, "recurrentOp", texts(&["lstm", "gru", "rnnReLU", "rnnTanh"])), [true; 4]);
    let distributions = ["uniform", "normal", "gumbel", "bernoulli"];
    assert_eq!(known(Op::RandomDistribution, "randomDistributionType", texts(&distributions)), [true; 4]);
    assert_eq!(known(Op::RandomDistribution, "randomDistributionType", texts(&["", "Normal"])), [false; 2]);
}

/// Two ways to say the same: the lists go before the single keys, and a mixture asks for what it lacks.
#[test]
fn alternatives() {
    let of = |op: Op, keys: &[&'static str]| {
        let specs = op.spec().attributes;
        let find = |key: &&'static str| specs.iter().find(|spec| spec.key == *key).unwrap();
        decoded(op, &keys.iter().map(|key| (*key, sound(find(key), 0))).collect::<Vec<_>>())
    };
    let lacks = |found: String| -> Vec<String> {
        found
            .split("; ")
            .filter_map(|error| Some(error.split_once("lacks its attribute `")?.1.replace('`', "")))
            .collect()
    };
    assert!(of(Op::TransposeAxes, &["axisVec"]).contains("Permute"));
    assert!(of(Op::TransposeAxes, &["axisVec", "axis1"]).contains("Permute"));
    assert!(of(Op::TransposeAxes, &["axis1", "axis2"]).contains("Swap"));
    assert_eq!(lacks(of(Op::TransposeAxes, &["axis1"])), ["axis2"]);
    assert_eq!(lacks(of(Op::TransposeAxes, &["axis2"])), ["axis1"]);
    assert_eq!(lacks(of(Op::TransposeAxes, &[])), ["axisVec"]);
    let (single, lists) = (["axis", "beginIndex", "endIndex"], ["axisVec", "beginIndexVec", "endIndexVec"]);
    assert_eq!(of(Op::Slice, &single).matches("SliceRange").count(), 1);
    assert_eq!(of(Op::Slice, &lists).matches("SliceRange").count(), 2);
    assert_eq!(of(Op::Slice, &[single, lists].concat()).matches("SliceRange").count(), 2);
    assert_eq!(lacks(of(Op::Slice, &[])), single);
    assert_eq!(lacks(of(Op::Slice, &["axis", "axisVec"])), single[1..]);
    assert_eq!(lacks(of(Op::Slice, &["axisVec"])), lists[1..]);
    for short in ["beginIndexVec", "endIndexVec", "sliceStridesVec"] {
        let entries = |key: &str| list(&vec![int(1); if key == short { 1 } else { 2 }]);
        let mut attributes = vec![("axisVec", list(&[axis(0), axis(1)]))];
        attributes.extend(["beginIndexVec", "endIndexVec", "sliceStridesVec"].map(|key| (key, entries(key))));
        assert!(decoded(Op::Slice, &attributes).contains("expected as many entries"), "{short}");
    }
    // Shapes that stand for none.
    let required: Vec<(&str, Value)> = Op::Convolution
        .spec()
        .attributes
        .iter()
        .filter(|spec| spec.requirement == Requirement::Required)
        .map(|spec| (spec.key, sound(spec, 0)))
        .collect();
    for (dims, given) in [(&[][..], false), (&[0], false), (&[u64::MAX - 1], false), (&[1], true), (&[0, 0], true)] {
        let attributes = [&required[..], &[("outputShape", shape(dims))]].concat();
        assert_eq!(decoded(Op::Convolution, &attributes).contains("output_shape: Some"), given, "{dims:?}");
    }
}

#[test]
fn the_table_answers_for_each_operator() {
    for op in Op::ALL {
        let spec = op.spec();
        let expected = if *op == Op::BatchNormalization { 6..=6 } else { spec.min_inputs..=spec.max_inputs };
        assert_eq!((spec.arity(24), spec.arity(4)), (expected.clone(), expected));
        assert_eq!(spec.arity(3), spec.min_inputs..=spec.max_inputs);
        for attribute in spec.attributes {
            assert_eq!(spec.attribute(attribute.key).map(|a| a.key), Some(attribute.key));
        }
        assert!(spec.attribute("no such key").is_none());
    }
    let later: Vec<_> = (190..220).filter_map(Op::later_name).collect();
    let prefixes = ["Margin", "Feature", "Additive", "Center", "Channel", "Global"];
    assert!(prefixes.iter().zip(&later).all(|(prefix, name)| name.starts_with(prefix)), "{later:?}");
    assert!(later.len() == 12 && later[6..].iter().all(|name| name.starts_with("Distributed")), "{later:?}");
    assert!(Op::later_name(197).is_some() && Op::later_name(208).is_some());
}
