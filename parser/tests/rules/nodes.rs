//! The rules of the v1 format, and what its reader makes of sound files.

use super::Pair;
use crate::support::nodes::{File, Node, file, input, matrix, node, parameter, raw_matrix, shape, sparse, text};
use cntk_parser::model::{ElementStorage, FunctionKind};
use cntk_parser::ops::Op;
use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};

/// z = W x.
pub fn product() -> File {
    let times = [&1_u64.to_le_bytes()[..], &(-1_i32).to_le_bytes()].concat();
    let nodes = [
        parameter("W", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        input("x", &[3]),
        node("Times", "z", &times, &["W", "x"]),
    ];
    file(&nodes).group("Feature", &["x"]).group("Output", &["z"])
}

fn with(change: impl FnOnce(&mut File)) -> Vec<u8> {
    let mut file = product();
    change(&mut file);
    file.bytes()
}

fn pair(rule: &'static str, bad: Vec<u8>) -> Pair {
    Pair { rule, bad, good: product().bytes() }
}

/// The file with the parameter's matrix in place of the last of its body.
fn holds(matrix: &[u8]) -> Vec<u8> {
    with(|file| file.nodes[0].body = [&1.0_f32.to_le_bytes()[..], &shape(&[2, 3]), matrix].concat())
}

/// The first place of `from` replaced.
fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).expect("it is there");
    bytes.splice(at..at + from.len(), to.iter().copied());
    bytes
}

fn nodes(change: impl FnOnce(&mut Vec<Node>)) -> Vec<u8> {
    with(|file| change(&mut file.nodes))
}

pub fn pairs() -> Vec<Pair> {
    let six = [1.0; 6];
    let half = {
        let mut bytes = product().bytes();
        let name = text("W");
        let at = bytes.windows(name.len()).position(|window| window == name).expect("a name");
        bytes[at..at + 2].copy_from_slice(&0xd800_u16.to_le_bytes());
        bytes
    };
    let end = |bytes: Vec<u8>, marker: &str| {
        let marker = text(marker);
        let at = bytes.windows(marker.len()).position(|window| window == marker).expect("a marker");
        [&bytes[..at], &[b'a', 0].repeat(40)].concat()
    };
    let quantized = [&1_u64.to_le_bytes()[..], &(-1_i32).to_le_bytes(), &[0; 16]].concat();
    let slice = |stride: i32| {
        let body = [
            &1_i32.to_le_bytes()[..],
            &0_i64.to_le_bytes(),
            &2_i64.to_le_bytes(),
            &1_i32.to_le_bytes(),
            &stride.to_le_bytes(),
        ];
        node("Slice", "part", &body.concat(), &["z"])
    };
    vec![
        pair("v1.marker", replaced(product().bytes(), &text("BRelation"), &text("BRelatives"))),
        pair("v1.text-end", end(product().bytes(), "ENodeList")),
        pair("v1.utf16", half),
        pair("v1.version", product().version(0).bytes()),
        pair("v1.count", replaced(product().bytes(), &3_u64.to_le_bytes(), &(1_u64 << 60).to_le_bytes())),
        pair("v1.op", nodes(|nodes| nodes[2].op = "Convolute".to_owned())),
        pair("v1.precision", nodes(|nodes| nodes[2].precision = "quad".to_owned())),
        pair("v1.matrix-kind", holds(&[&b"x"[..], &matrix(2, 3, &six)[1..]].concat())),
        pair("v1.element-size", holds(&raw_matrix(8, 2, 3, &[0; 48]))),
        pair("v1.matrix-shape", holds(&matrix(3, 2, &six))),
        pair("v1.sparse-index", holds(&sparse(6, 2, 3, &[1.0], &[2], &[0, 0, 1, 1]))),
        pair("v1.duplicate-node", nodes(|nodes| nodes.push(input("X", &[3])))),
        pair("v1.node-reference", with(|file| file.groups.insert(1, ("Eval".to_owned(), vec!["y".to_owned()])))),
        pair("v1.forbidden", with(|file| file.groups.push(("Pair".to_owned(), vec!["z".to_owned()])))),
        pair("v1.quantized", nodes(|nodes| nodes[2] = node("QuantizedTimes", "z", &quantized, &["W", "x"]))),
        Pair {
            rule: "v1.ignored",
            bad: nodes(|nodes| nodes.push(slice(-1))),
            good: nodes(|nodes| nodes.push(slice(1))),
        },
        pair("v1.flag", nodes(|nodes| nodes.push(node("UnpackSequence", "u", &[0, 0, 0, 0, 7], &["z"])))),
        pair("v1.trailing", with(|file| file.tail = vec![0; 3])),
        pair("file.checkpoint", text("BCKP")),
    ]
}

/// A dense matrix stays where it is, a sparse one is written out.
#[test]
fn matrices_are_read_as_they_lie() {
    let elements = |bytes: &[u8]| {
        let file = ModelFile::new(bytes);
        let model = parse(&file, &Limits::default()).expect("a sound file");
        let value = model.variables[0].value.clone().expect("a value");
        let ElementStorage::Contiguous(elements) = value.elements else { panic!("in pieces") };
        if let Some(range) = value.range {
            assert_eq!(&bytes[range.start as usize..range.end as usize], elements);
            assert_eq!(model.tensor_ranges(), [range]);
        }
        elements.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<_>>()
    };
    assert_eq!(elements(&product().bytes()), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    // [[7, 0, 0], [0, 0, 9]]
    let columns = holds(&sparse(6, 2, 3, &[7.0, 9.0], &[0, 1], &[0, 1, 1, 2]));
    let rows = holds(&sparse(7, 2, 3, &[7.0, 9.0], &[0, 2], &[0, 1, 2]));
    assert_eq!(elements(&columns), [7.0, 0.0, 0.0, 0.0, 0.0, 9.0]);
    assert_eq!(elements(&rows), [7.0, 0.0, 0.0, 0.0, 0.0, 9.0]);
    assert_eq!(elements(&holds(&sparse(6, 2, 3, &[], &[], &[]))), [0.0; 6]);
}

/// Every way in which the indices of a sparse matrix can be wrong.
#[test]
fn sparse_indices_stay_within() {
    let code =
        |matrix: Vec<u8>| parse(&ModelFile::new(&holds(&matrix)), &Limits::default()).map(|_| ()).map_err(|e| e.code());
    let bad = Err("v1.sparse-index");
    assert_eq!(code(sparse(6, 2, 3, &[1.0], &[-1], &[0, 1, 1, 1])), bad, "a negative index");
    assert_eq!(code(sparse(6, 2, 3, &[1.0], &[0], &[0, 1, 0, 1])), bad, "starts that fall");
    assert_eq!(code(sparse(6, 2, 3, &[1.0], &[0], &[1, 1, 1, 1])), bad, "a first start that is not 0");
    assert_eq!(code(sparse(6, 2, 3, &[1.0], &[0], &[0, 0, 0, 0])), bad, "elements left over");
    assert_eq!(code(sparse(6, 2, 3, &[1.0], &[0], &[0, 2, 2, 2])), bad, "elements that are not there");
    assert_eq!(code(sparse(5, 2, 3, &[1.0], &[0], &[0, 1, 1, 1])), Err("tensor.storage-format"));
    let large = [&1.0_f32.to_le_bytes()[..], &shape(&[1 << 15, 1 << 15]), &sparse(6, 1 << 15, 1 << 15, &[], &[], &[])];
    let bytes = with(|file| file.nodes[0].body = large.concat());
    assert_eq!(parse(&ModelFile::new(&bytes), &Limits::default()).unwrap_err().code(), "limit");
}

/// The shape of the first variable of a file.
fn first_shape(file: &File) -> Vec<u64> {
    let bytes = file.bytes();
    let source = ModelFile::new(&bytes);
    let model = parse(&source, &Limits::default()).unwrap_or_else(|e| panic!("{e}"));
    model.variables[0].shape.0.to_vec()
}

#[test]
fn old_inputs_and_parameters() {
    let sizes = |numbers: &[u64]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    let input = |version, body: &[u8]| {
        let nodes = [node("InputValue", "x", body, &[]), node("Abs", "y", &[], &["x"])];
        first_shape(&File { version: Some(version), ..file(&nodes) })
    };
    // Before there were shapes: the middle, the last and the first dimension.
    assert_eq!(input(2, &[sizes(&[24, 1]), sizes(&[3, 4, 2])].concat()), [2, 3, 4]);
    assert_eq!(input(2, &[sizes(&[24, 1]), shape(&[4, 6])].concat()), [4, 6]);
    assert_eq!(input(7, &[sizes(&[5, 1]), shape(&[4, 6])].concat()), [5], "rows that are not the layout's");
    let parameter = |body: &[u8]| {
        let nodes = [node("LearnableParameter", "W", body, &[]), node("Abs", "y", &[], &["W"])];
        first_shape(&File { version: Some(2), ..file(&nodes) })
    };
    let six = matrix(2, 3, &[0.0; 6]);
    assert_eq!(parameter(&[vec![1], sizes(&[2, 3]), six.clone()].concat()), [2, 3]);
    assert_eq!(parameter(&[vec![1], sizes(&[0, 3]), shape(&[2]), six].concat()), [2, 3]);
    let column = matrix(6, 1, &[0.0; 6]);
    assert_eq!(parameter(&[vec![1], sizes(&[0, 1]), shape(&[6]), column].concat()), [6]);
}

/// Names are matched without regard to case; a cycle through a delay gets a placeholder.
#[test]
fn relations_and_loops() {
    let delay = [&1_i32.to_le_bytes()[..], &shape(&[3]), &0.5_f32.to_le_bytes()].concat();
    let nodes =
        [input("x", &[3]), node("Plus", "h", &[], &["X", "Before"]), node("PastValue", "before", &delay, &["H"])];
    let bytes = file(&nodes).group("Output", &["h"]).bytes();
    let source = ModelFile::new(&bytes);
    let model = parse(&source, &Limits::default()).unwrap_or_else(|e| panic!("{e}"));
    let validation = validate(model, &ValidateOptions::default());
    let model = validation.model.unwrap_or_else(|| panic!("{:?}", validation.findings));
    assert_eq!(model.loops().len(), 1);
    assert_eq!(model.outputs()[0].name, "h");
}

/// What cannot be computed stands in the model under its own name.
#[test]
fn lossy_nodes_are_foreign() {
    let bytes = file(&[input("x", &[1]), node("OneHot", "y", &[], &["x"])]).bytes();
    let source = ModelFile::new(&bytes);
    let model = parse(&source, &Limits::default()).unwrap_or_else(|e| panic!("{e}"));
    assert!(matches!(model.functions[0].kind, FunctionKind::Foreign(foreign) if foreign.name == "OneHot"));
    assert!(validate(model, &ValidateOptions::default()).model.is_some());
}

/// A file without a version says nothing of precision; its matrices do.
#[test]
fn version_1_is_as_precise_as_its_matrices() {
    let value = raw_matrix(8, 1, 1, &2.0_f64.to_le_bytes());
    let body = [vec![1], [1_u64, 1].iter().flat_map(|n| n.to_le_bytes()).collect(), value].concat();
    let nodes = [node("LearnableParameter", "a", &body, &[]), node("Abs", "b", &[], &["a"])];
    let bytes = File { version: None, ..file(&nodes) }.bytes();
    let source = ModelFile::new(&bytes);
    let model = parse(&source, &Limits::default()).unwrap_or_else(|e| panic!("{e}"));
    assert!(matches!(model.functions[0].kind, FunctionKind::Primitive(Op::Abs)));
    assert_eq!(format!("{:?}", model.variables[0].data_type), "Double");
}

/// A file cut anywhere is refused, and says where.
#[test]
fn cut_files_are_refused() {
    let bytes = product().bytes();
    for end in 0..bytes.len() {
        let error = parse(&ModelFile::new(&bytes[..end]), &Limits::default()).expect_err("a cut file");
        assert!(error.offset() <= end as u64);
    }
}

/// What CNTK 2.7 refuses to load, with the place that is named.
#[test]
fn what_cntk_does_not_load_is_refused() {
    let refused = |node: Node| {
        let bytes = file(&[input("x", &[2, 3]), parameter("p", &[1], &[1.0]), node]).group("Output", &["y"]).bytes();
        let error = parse(&ModelFile::new(&bytes), &Limits::default()).expect_err("refused");
        (error.code(), error.path().to_string())
    };
    let y = "nodes[2] \"y\"".to_owned();
    let ints = |numbers: &[i32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    let range = |axis: i32| [&ints(&[1])[..], &0_i64.to_le_bytes(), &1_i64.to_le_bytes(), &ints(&[axis, 1])].concat();
    for axis in [0, -1, i32::MIN] {
        assert_eq!(refused(node("Slice", "y", &range(axis), &["x"])), ("record.value", y.clone()));
        assert_eq!(refused(node("RowStack", "y", &ints(&[axis]), &["x", "x"])), ("record.value", y.clone()));
        assert_eq!(refused(node("TransposeDimensions", "y", &ints(&[axis, 1]), &["x"])), ("record.value", y.clone()));
    }
    let pooling = [&ints(&[1, 2])[..], &[1_u64; 3].map(u64::to_le_bytes).concat()].concat();
    assert_eq!(refused(node("MaxPooling", "y", &pooling, &["x"])), ("record.value", y.clone()), "a third image layout");
    let leaf = Node { children: vec!["x".to_owned()], ..parameter("y", &[1], &[1.0]) };
    assert_eq!(refused(leaf), ("function.too-many-inputs", format!("{y}.inputs")));
    let mean = [&[1][..], &matrix(2, 1, &[0.0; 2])].concat();
    assert_eq!(refused(node("Mean", "y", &mean, &[])), ("function.too-few-inputs", format!("{y}.inputs")));
    assert_eq!(refused(node("Mean", "y", &mean, &["x", "x"])), ("function.too-many-inputs", format!("{y}.inputs")));
    let axis = [&[0; 16][..], &shape(&[2]), &1_u32.to_le_bytes(), &text("words"), &1.0_f32.to_le_bytes()].concat();
    assert_eq!(refused(node("InputValue", "y", &axis, &[])), ("v1.node-reference", format!("{y}.dynamic_axis")));
    let rate = [&[0; 16][..], &shape(&[2]), &0_u32.to_le_bytes(), &(-1.0_f32).to_le_bytes()].concat();
    assert_eq!(refused(node("InputValue", "y", &rate, &[])), ("record.value", y));
}

/// CNTK looks at the sign of an input's multiplier only.
#[test]
fn a_parameter_may_have_a_negative_learning_rate() {
    let mut p = parameter("p", &[1], &[1.0]);
    p.body[..4].copy_from_slice(&(-1.0_f32).to_le_bytes());
    let bytes = file(&[p, node("Abs", "y", &[], &["p"])]).bytes();
    let source = ModelFile::new(&bytes);
    let model = parse(&source, &Limits::default()).unwrap_or_else(|e| panic!("{e}"));
    assert!(model.variables[0].needs_gradient);
}

/// In BrainScript, 0 stands for the first axis as the begin of a reshape, and for the last one as its end.
#[test]
fn a_reshape_of_all_axes() {
    let reshape = |begin: i32, end: i32| {
        let body = [&begin.to_le_bytes()[..], &end.to_le_bytes(), &shape(&[3, 2])].concat();
        let bytes = file(&[input("x", &[2, 3]), node("Reshape", "y", &body, &["x"])]).group("Output", &["y"]).bytes();
        let source = ModelFile::new(&bytes);
        let model = parse(&source, &Limits::default()).unwrap_or_else(|e| panic!("{e}"));
        let model = validate(model, &ValidateOptions::default()).model.expect("a sound file");
        format!("{:?}", model.type_of(model.outputs()[0].source))
    };
    assert!(reshape(1, 0).contains("3"), "{}", reshape(1, 0));
    for (begin, end) in [(0, 0), (-3, 0), (0, -1), (1, 3), (0, 3)] {
        assert_eq!(reshape(begin, end), reshape(1, 0), "{begin}, {end}");
    }
}

/// Bodies that no file of the corpus has, at the versions where they change.
#[test]
fn rare_bodies() {
    let function = |version: u64, op: &str, body: &[u8], children: &[&str]| {
        let mut x = input("x", &[2, 3]);
        if version < 8 {
            x = node("InputValue", "x", &[&[0; 16][..], &shape(&[2, 3])].concat(), &[]);
        }
        let nodes = [x, node(op, "y", body, children)];
        let bytes = File { version: Some(version), ..file(&nodes) }.group("Output", &["y"]).bytes();
        let source = ModelFile::new(&bytes);
        match parse(&source, &Limits::default()) {
            Ok(model) => {
                let y = model.functions.iter().find(|f| f.uid == "y").expect("a function");
                let name = match &y.kind {
                    FunctionKind::Primitive(op) => op.name(),
                    FunctionKind::Foreign(foreign) => foreign.name,
                    other => panic!("{other:?}"),
                };
                format!("{name} of {}", y.inputs.join(" "))
            }
            Err(error) => format!("{}: {error}", error.code()),
        }
    };
    let ints = |numbers: &[i32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    let sizes = |numbers: &[u64]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    let doubles = |numbers: &[f64]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    // Old writers put a mode before what follows; others do not.
    for body in [vec![], ints(&[0]), ints(&[3])] {
        assert_eq!(function(31, "CrossEntropyWithSoftmax", &body, &["x", "x"]), "CrossEntropyWithSoftmax of x x");
        assert_eq!(function(31, "NoiseContrastiveEstimation", &body, &["x"]), "NoiseContrastiveEstimation of x");
    }
    let stack = |name: &str| [sizes(&[0, 1, 2]), text(name)].concat();
    assert_eq!(function(13, "OptimizedRNNStack", &stack("lstm"), &["x", "W"]), "OptimizedRNNStack of x W");
    let with_axis = [stack("gru"), ints(&[-1])].concat();
    assert_eq!(function(14, "RNN", &with_axis, &["W", "x"]), "OptimizedRNNStack of x W");
    assert!(function(14, "RNN", &stack("elman"), &["W", "x"]).starts_with("record.value"));
    assert_eq!(function(31, "Crop", &doubles(&[1.0, 2.0]), &["x", "x"]), "Crop of x x");
    assert_eq!(function(31, "Crop", &doubles(&[f64::NAN; 2]), &["x", "x"]), "Crop of x x");
    assert_eq!(function(31, "Crop", &doubles(&[0.5, -2.0]), &["x", "x"]), "Crop of x x");
    assert_eq!(function(31, "ToSequence", &text("words"), &["x"]), "ToSequence of x");
    assert_eq!(function(31, "ToSequence", &text(""), &["x"]), "ToSequence of x");
    assert_eq!(function(10, "Where", &[], &["x"]), "Where of x");
    assert_eq!(function(31, "RowRepeat", &sizes(&[1]), &["x"]), "Pass of x");
    for count in [0, 1 << 20] {
        assert!(function(31, "RowRepeat", &sizes(&[count]), &["x"]).contains(':'), "{count} repetitions");
    }
    let reduce = |axis: i32| [ints(&[1, axis]), text("Sum"), vec![0]].concat();
    for axis in [0, -1, -2, -3, 2] {
        assert_eq!(function(31, "ReduceElements", &reduce(axis), &["x"]), "ReduceElements of x", "{axis}");
    }
    assert!(function(31, "ReduceElements", &reduce(-4), &["x"]).starts_with("record.value"));
    assert!(function(31, "ReduceElements", &ints(&[0, 1]), &["x"]).starts_with("record.value"));
    assert!(function(31, "ReduceElements", &ints(&[i32::MAX, 1]), &["x"]).starts_with("v1.count"));
    let pooling = [&ints(&[1, 0])[..], &sizes(&[1, 1, 1])].concat();
    assert_eq!(function(31, "AveragePooling", &pooling, &["x"]), "AveragePooling of x", "the channel first in memory");
    let old = [sizes(&[1, 1, 1, 1]), ints(&[1, 0]), vec![0], sizes(&[0])].concat();
    for op in ["Convolution", "Pooling", "MaxUnpooling"] {
        assert_eq!(function(4, op, &old, &["x", "x"]), format!("{op} of x x"));
    }
    let statistic = [&[0][..], &matrix(6, 1, &[0.0; 6])].concat();
    assert_eq!(function(31, "Mean", &statistic, &["x"]), "Mean of x", "never computed");
}

/// A file cut in the middle of any part of any body is refused, and says where.
#[test]
fn every_cut_of_a_body_is_refused() {
    for case in crate::support::cases("v1").iter().filter(|case| case.name.starts_with("v1_")) {
        for end in (0..case.bytes.len()).step_by(if cfg!(debug_assertions) { 9 } else { 3 }) {
            let error = parse(&ModelFile::new(&case.bytes[..end]), &Limits::default()).expect_err("a cut file");
            assert!(error.offset() <= end as u64, "{} cut at {end}: {error}", case.name);
        }
    }
}
