//! Writes models built by hand and decodes them with an independent reader.

use super::*;
use crate::onnx::graph::*;
use onnx_protobuf::{GraphProto, Message, ModelProto, TensorProto};
use smallvec::smallvec;
use std::ops::ControlFlow;

fn value(name: Option<&str>, elem: ElemType, dims: &[Dim]) -> Value {
    Value { name: name.map(str::to_owned), elem, dims: dims.into() }
}

fn node(op: &'static str, inputs: &[u32], outputs: &[u32]) -> Node {
    Node {
        op,
        name: format!("{op}_node"),
        origin: None,
        inputs: inputs.iter().map(|i| Some(ValueId(*i))).collect(),
        outputs: outputs.iter().map(|i| Some(ValueId(*i))).collect(),
        attributes: vec![],
    }
}

/// `y = Relu(x + w)`, with `w` of 2×3.
fn small(data: Data) -> OnnxModel {
    let (two, three) = (Dim::Known(2), Dim::Known(3));
    OnnxModel {
        name: "small".into(),
        opset: 17,
        values: vec![
            value(Some("x"), ElemType::Float, &[Dim::Symbol(0), two, three]),
            value(Some("w"), ElemType::Float, &[two, three]),
            value(None, ElemType::Float, &[Dim::Symbol(0), two, three]),
            value(Some("y"), ElemType::Float, &[Dim::Symbol(0), two, three]),
        ],
        symbols: vec!["batch".into()],
        inputs: vec![ValueId(0)],
        outputs: vec![ValueId(3)],
        nodes: vec![node("Add", &[0, 1], &[2]), node("Relu", &[2], &[3])],
        initializers: vec![Initializer { value: ValueId(1), data }],
        metadata: vec![("key".into(), "value".into())],
        origins: vec![Origin { path: "layer/Add1".into(), uid: "Add1".into() }],
        uids: [(ValueId(1), "Parameter1".to_owned())].into_iter().collect(),
        description: "A model.".into(),
    }
}

fn write(model: &OnnxModel, source: &[u8], weights: Weights<'_>) -> (ModelProto, Vec<u8>) {
    let mut writer = Writer::new(model, source, weights).unwrap();
    let mut side = vec![];
    if writer.side_length().is_some() {
        writer.write_side(&mut side, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(writer.side_length(), Some(side.len() as u64));
    }
    let mut bytes = vec![];
    writer.write_model(&mut bytes, &mut |_| ControlFlow::Continue(()), || Ok(vec![])).unwrap();
    assert_eq!(bytes.len() as u64, writer.model_length());
    (ModelProto::parse_from_bytes(&bytes).unwrap(), side)
}

fn embedded(model: &OnnxModel, source: &[u8]) -> ModelProto {
    write(model, source, Weights::Embed { side: "side" }).0
}

fn floats(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

fn external(tensor: &TensorProto) -> Vec<(&str, &str)> {
    tensor.external_data.iter().map(|e| (e.key.as_str(), e.value.as_str())).collect()
}

#[test]
fn structure_comes_back() {
    let bytes = floats((0..6).map(|i| i as f32));
    let model = embedded(&small(Data::Owned(bytes.clone())), b"");
    assert_eq!((model.ir_version, model.opset_import[0].version), (8, 17));
    assert_eq!(model.producer_name, "cntk2onnx");
    assert_eq!((&*model.metadata_props[0].key, &*model.metadata_props[0].value), ("key", "value"));
    let graph: &GraphProto = &model.graph;
    assert_eq!(graph.name, "small");
    let ops: Vec<_> = graph.node.iter().map(|n| (&*n.op_type, n.input.join(","), n.output.join(","))).collect();
    assert_eq!(ops, [("Add", "x,w".into(), "v0".into()), ("Relu", "v0".into(), "y".into())]);
    assert_eq!(graph.input[0].name, "x");
    assert_eq!(graph.output[0].name, "y");
    assert_eq!(graph.value_info.len(), 1);
    assert_eq!(graph.value_info[0].type_.tensor_type().shape.dim.len(), 3);
    assert_eq!(graph.value_info[0].type_.tensor_type().shape.dim[0].dim_param(), "batch");
    let w = &graph.initializer[0];
    assert_eq!((&*w.name, &w.dims[..], w.data_type), ("w", &[2i64, 3][..], 1));
    assert_eq!(w.raw_data, bytes);
}

#[test]
fn unchanged_bytes_are_copied() {
    let source = [b"head".to_vec(), floats((0..6).map(|i| i as f32)), b"tail".to_vec()].concat();
    let model = embedded(&small(Data::Unchanged(4..28)), &source);
    assert_eq!(model.graph.initializer[0].raw_data, source[4..28]);
}

#[test]
fn late_metadata_comes_last() {
    let model = small(Data::Owned(vec![0; 24]));
    let mut writer = Writer::new(&model, b"", Weights::Embed { side: "side" }).unwrap();
    let mut bytes = vec![];
    let late = || Ok(vec![("late".to_owned(), "yes".to_owned())]);
    writer.write_model(&mut bytes, &mut |_| ControlFlow::Continue(()), late).unwrap();
    let model = ModelProto::parse_from_bytes(&bytes).unwrap();
    assert_eq!(model.metadata_props[1].key, "late");
}

#[test]
fn subgraphs_carry_types_and_share_names() {
    let mut model = small(Data::Owned(vec![0; 24]));
    model.values.extend([value(None, ElemType::Float, &[]), value(None, ElemType::Bool, &[Dim::Known(1)])]);
    let body = Subgraph {
        name: "body".into(),
        inputs: vec![ValueId(4)],
        outputs: vec![ValueId(5)],
        nodes: vec![node("Identity", &[4], &[5])],
    };
    model.nodes[1].attributes = vec![
        ("body", Attribute::Graph(Box::new(body))),
        ("n", Attribute::Int(-7)),
        ("f", Attribute::Float(0.5)),
        ("s", Attribute::String("text".into())),
        ("ints", Attribute::Ints(vec![1, 2])),
        ("floats", Attribute::Floats(vec![0.25])),
        ("strings", Attribute::Strings(vec!["a".into(), "b".into()])),
        ("t", Attribute::Tensor(Tensor { elem: ElemType::Int64, dims: smallvec![1], bytes: vec![9; 8] })),
    ];
    model.nodes[1].inputs.push(None);
    let model = embedded(&model, b"");
    let attributes = &model.graph.node[1].attribute;
    assert_eq!(model.graph.node[1].input, ["v0", ""]);
    let kinds: Vec<_> = attributes.iter().map(|a| (&*a.name, a.type_.value())).collect();
    let wanted = [("body", 5), ("n", 2), ("f", 1), ("s", 3), ("ints", 7), ("floats", 6), ("strings", 8), ("t", 4)];
    assert_eq!(kinds, wanted);
    let body = &attributes[0].g;
    assert_eq!((&*body.input[0].name, &*body.output[0].name), ("v1", "v2"));
    assert_eq!(body.output[0].type_.tensor_type().elem_type, ElemType::Bool as i32);
    assert_eq!(attributes[7].t.raw_data, [9; 8]);
}

#[test]
fn in_place_and_side_file() {
    let mut model = small(Data::Unchanged(10..10 + 24));
    model.values[1].dims = smallvec![Dim::Known(300), Dim::Known(100)];
    let source: Vec<u8> = (0..200_000).map(|i| (i % 251) as u8).collect();
    model.initializers[0].data = Data::Unchanged(10..120_010);
    model.values.push(value(Some("u"), ElemType::Float, &[Dim::Known(100), Dim::Known(300)]));
    let view = View {
        range: 10..120_010,
        stored: Stored::F32,
        offset: 0,
        dims: smallvec![100, 300],
        strides: smallvec![1, 100],
    };
    model.initializers.push(Initializer { value: ValueId(4), data: Data::Views(vec![view]) });

    let (proto, side) = write(&model, &source, Weights::InPlace { source: "m.model", side: "m.data" });
    let [w, u] = &proto.graph.initializer[..] else { panic!() };
    assert_eq!(external(w), [("location", "m.model"), ("offset", "10"), ("length", "120000")]);
    assert_eq!(external(u)[..3], [("location", "m.data"), ("offset", "0"), ("length", "120000")]);
    assert_eq!(external(u)[3].0, "checksum");
    assert_eq!(side.len(), 120_000);
    for (row, column) in [(0, 0), (99, 299), (17, 211)] {
        let (at, from) = ((row * 300 + column) * 4, 10 + (column * 100 + row) * 4);
        assert_eq!(side[at..at + 4], source[from..from + 4]);
    }

    let (proto, side) = write(&model, &source, Weights::External { side: "m.data" });
    assert_eq!(external(&proto.graph.initializer[1])[1], ("offset", "122880"));
    assert_eq!(side.len(), 122_880 + 120_000);
    assert_eq!(side[..120_000], source[10..120_010]);
    assert!(side[120_000..122_880].iter().all(|b| *b == 0));
}

#[test]
fn contradictions_are_errors() {
    let what = |model: &OnnxModel| match Writer::new(model, &[0; 100], Weights::Embed { side: "" }) {
        Err(WriteError::Inconsistent { tensor, what }) => {
            assert_eq!(tensor, "w");
            what
        }
        other => panic!("{:?}", other.err()),
    };
    assert_eq!(what(&small(Data::Owned(vec![0; 23]))), "its shape and its bytes disagree");
    assert_eq!(what(&small(Data::Unchanged(90..114))), "its bytes are not within the file");
    let mut model = small(Data::Owned(vec![0; 24]));
    model.values[1].dims[0] = Dim::Symbol(0);
    assert_eq!(what(&model), "a dimension is not known");
    model.values[1].dims[0] = Dim::Known(u64::MAX);
    assert_eq!(what(&model), "the shape is too large");
}

#[test]
fn a_callback_can_stop_it() {
    let source = vec![0; 24 << 20];
    let mut model = small(Data::Unchanged(0..24 << 20));
    model.values[1].dims = smallvec![Dim::Known(6 << 20)];
    let mut writer = Writer::new(&model, &source, Weights::Embed { side: "" }).unwrap();
    let stopped = writer.write_model(&mut vec![], &mut |_| ControlFlow::Break(()), || Ok(vec![]));
    assert!(matches!(stopped, Err(WriteError::Cancelled)));
}
