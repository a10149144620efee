//! Every limit at its edge: what is exactly as large passes, one more does not.

use super::build::*;
use super::graph;
use cntk_parser::model::{Axis, Function, Variable};
use cntk_parser::{ErrorKind, Limits, ModelFile, ValidateOptions, parse, validate};

/// The name of the limit that is passed, and the value that is too large.
fn passed(file: &[u8], limits: &Limits) -> Option<(&'static str, u64)> {
    match parse(&ModelFile::new(file), limits).err()?.kind() {
        ErrorKind::Limit { limit, value, .. } => Some((limit, *value)),
        ErrorKind::Rank { rank, .. } => Some(("rank", *rank)),
        ErrorKind::Nesting { limit } => Some(("nesting", *limit)),
        other => panic!("{other}"),
    }
}

#[test]
fn records_are_counted() {
    let file = graph::chain(9).file();
    let of = |functions| passed(&file, &Limits { functions, ..Limits::default() });
    assert_eq!((of(9), of(8)), (None, Some(("functions", 9))));
    let error = parse(&ModelFile::new(&file), &Limits { functions: 8, ..Limits::default() }).unwrap_err();
    assert_eq!(error.hint(), Some("if the file is trusted, raise the limit"));
    let variables: Vec<Record> = (0..5).map(|i| input(&format!("x{i}"), &[3])).collect();
    let file = model("F", &variables, &[function("F", 2, &["x0"], &[])]).file();
    let of = |variables| passed(&file, &Limits { variables, ..Limits::default() });
    assert_eq!((of(5), of(4)), (None, Some(("variables", 5))));
}

/// Lists of what is no record are refused for that, however many items they have.
#[test]
fn small_items_do_not_count_as_records() {
    let file = graph::tanh().set("primitive_functions", list(&vec![vec![]; 500])).file();
    let error = parse(&ModelFile::new(&file), &Limits { functions: 50, ..Limits::default() }).unwrap_err();
    assert_eq!((error.code(), error.path()), ("record.wrong-type", "primitive_functions[0]"));
}

#[test]
fn axes_are_counted() {
    let note = |value| graph::tanh().set("note", value).file();
    let file = note(shape(&[1; 5]));
    let of = |shape_rank| passed(&file, &Limits { shape_rank, tensor_rank: 2, ..Limits::default() });
    assert_eq!((of(5), of(4)), (None, Some(("rank", 5))));
    let file = note(array(&[1, 1, 1], &[1.0]));
    let of = |tensor_rank| passed(&file, &Limits { tensor_rank, shape_rank: 1, ..Limits::default() });
    assert_eq!(of(2), Some(("rank", 3)));
    // The model's own shapes count, too.
    let of = |tensor_rank| passed(&file, &Limits { tensor_rank, ..Limits::default() });
    assert_eq!(of(3), None);
    // What no limit can raise.
    let more = Limits { tensor_rank: 99, shape_rank: u32::MAX, ..Limits::default() };
    assert_eq!(passed(&note(array(&[1; 12], &[1.0])), &more), None);
    assert_eq!(passed(&note(array(&[1; 13], &[1.0])), &more), Some(("rank", 13)));
    assert_eq!(passed(&note(shape(&vec![1; 1 << 16])), &more), None);
    assert_eq!(passed(&note(shape(&vec![1; (1 << 16) + 1])), &more), Some(("rank", (1 << 16) + 1)));
}

/// An entry is two messages (itself and its value), a list or dictionary one more, each item and entry in it again.
#[test]
fn nesting_is_counted_in_messages() {
    // A model's deepest: inputs, the list, a record, its dictionary, an entry, a value, the list of axes, an item, the axis.
    let base = 10;
    let of = |value: &Value, nesting| {
        passed(&graph::tanh().set("note", value.clone()).file(), &Limits { nesting, ..Limits::default() })
    };
    let deep = |mut value: Value, lists: u32| {
        (0..lists).for_each(|_| value = list(&[value.clone()]));
        value
    };
    let in_dictionary = dictionary(&[("a", text("x"))]);
    for (value, levels) in [
        (text("x"), 2),
        (shape(&[1]), 3),
        (axis(0), 3),
        (array(&[1], &[1.0]), 4),
        (in_dictionary.clone(), 5),
        (dictionary(&[("a", in_dictionary)]), 8),
    ] {
        let value = deep(value, 5);
        let levels = levels + 2 * 5;
        assert!(levels > base, "the model itself is less deep");
        assert_eq!(of(&value, levels), None, "{levels}");
        assert_eq!(of(&value, levels - 1), Some(("nesting", u64::from(levels) - 1)));
    }
    // 100 whatever is asked for.
    assert_eq!(of(&deep(text("x"), 49), u32::MAX), None);
    assert_eq!(of(&deep(text("x"), 50), u32::MAX), Some(("nesting", 100)));
}

/// The budget is spent on what is kept, to the byte.
#[test]
fn memory_is_counted_in_bytes() {
    let record = super::blocks::nested(2);
    let file = record.file();
    let source = ModelFile::new(&file);
    let model = parse(&source, &Limits::default()).unwrap();
    let axes: usize = model.variables.iter().map(|v| v.dynamic_axes.len()).sum();
    let inputs: usize = model.functions.iter().map(|f| f.inputs.len()).sum();
    let needed = model.variables.len() * size_of::<Variable<'_>>()
        + model.functions.len() * size_of::<Function<'_>>()
        + axes * size_of::<Axis<'_>>()
        + inputs * size_of::<&str>()
        // Two blocks with a map of one pair; keys and values are lists of their own before they are pairs.
        + 2 * 2 * size_of::<(&str, &str)>();
    let needed = needed as u64;
    let of = |memory| passed(&file, &Limits { memory, ..Limits::default() });
    assert_eq!((of(needed), of(needed - 1)), (None, Some(("memory", needed))));
}

#[test]
fn findings_are_kept_up_to_their_limit() {
    // Five warnings of parsing, then five errors of validation.
    let keys = ["a", "b", "c", "d", "e"];
    let functions: Vec<Record> = (0..5).map(|i| function(&format!("F{i}"), 19, &["x"], &[])).collect();
    let record = keys.iter().fold(model("F0", &[input("x", &[3])], &functions), |record, key| record.set(key, size(1)));
    let file = record.file();
    let of = |parsing: u32, validating: u32| {
        let source = ModelFile::new(&file);
        let model = parse(&source, &Limits { findings: parsing, ..Limits::default() }).unwrap();
        let kept = (model.warnings.len(), model.more_warnings);
        let mut options = ValidateOptions::default();
        options.findings = validating;
        let validation = validate(model, &options);
        assert!(validation.model.is_none(), "errors count, kept or not");
        (kept, validation.findings.len(), validation.more_findings)
    };
    let (_, all, none) = of(5, 1000);
    assert_eq!((of(5, 1000).0, none), ((5, 0), 0));
    assert_eq!(of(4, 1000), ((4, 1), all - 1, 1));
    let found = all - 5;
    assert_eq!(of(5, found as u32).1, all);
    assert_eq!(of(5, found as u32 - 1), ((5, 0), all - 1, 1));
    assert_eq!(of(0, 0), ((0, 5), 0, 5 + found as u64));
    // Warnings do not refuse a model, even where there is no room for them.
    let functions = [function("F", 2, &["x"], &[]), function("G", 2, &["x"], &[])];
    let file = model("F", &[input("x", &[3])], &functions).file();
    let source = ModelFile::new(&file);
    let model = parse(&source, &Limits::default()).unwrap();
    let mut options = ValidateOptions::default();
    options.findings = 0;
    let validation = validate(model, &options);
    assert_eq!((validation.model.is_some(), validation.findings.len(), validation.more_findings), (true, 0, 1));
}

#[test]
fn limits_are_listed_with_their_values() {
    let limits =
        Limits { nesting: 1, tensor_rank: 2, shape_rank: 3, functions: 4, variables: 5, findings: 6, memory: 7 };
    let list = limits.list();
    assert_eq!(list.map(|(_, value, _)| value), [1, 2, 3, 4, 5, 6, 7]);
    let names = ["nesting", "tensor-rank", "shape-rank", "functions", "variables", "findings", "memory"];
    assert_eq!(list.map(|(name, ..)| name), names);
    assert!(list.iter().all(|(_, _, meaning)| meaning.contains(' ')));
    let defaults = [100, 12, 256, 4_000_000, 4_000_000, 1000, 4 << 30];
    assert_eq!(Limits::default().list().map(|(_, value, _)| value), defaults);
}
