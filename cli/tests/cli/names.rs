//! Names and provenance in the ONNX file.

use super::tool::Folder;
use onnx_protobuf::{
    GraphProto, Message, ModelProto, TensorProto, ValueInfoProto, tensor_shape_proto::dimension, type_proto,
};
use std::{collections::HashSet, fs, path::Path};

/// Converts a model of the corpus.
fn onnx(model: &str, options: &[&str]) -> ModelProto {
    let folder = Folder::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(model);
    folder.write("m.model", &fs::read(path).unwrap());
    folder.run(&[&["convert", "m.model"], options].concat()).done();
    ModelProto::parse_from_bytes(&folder.read("m.onnx")).unwrap()
}

/// What ONNX Runtime's tools for quantization want: a name for every node, and for every output, used or not.
fn check<'g>(graph: &'g GraphProto, names: &mut HashSet<&'g str>) {
    for node in &graph.node {
        assert!(!node.name.is_empty() && names.insert(&node.name), "{}: {:?}", node.op_type, node.name);
        assert!(node.output.iter().all(|output| !output.is_empty()), "{}", node.name);
        node.attribute.iter().filter_map(|a| a.g.as_ref()).for_each(|body| check(body, names));
    }
}

#[test]
fn every_node_and_output_has_a_name() {
    // An operator whose last result alone is read, loops with bodies, weights of one name, models of CNTK 1.
    for model in
        ["zoo/lstm_timeseries_106a", "zoo/s2s_attention_model", "zoo/resnet_bottleneck", "zoo/siamese_shared_weights"]
    {
        let model = onnx(&format!("{model}.model"), &[]);
        check(&model.graph, &mut HashSet::new());
    }
}

#[test]
fn names_are_paths_of_layers() {
    let model = onnx("zoo/gru_tagger.model", &[]);
    let nodes: Vec<_> = model.graph.node.iter().map(|n| (&*n.name, &*n.doc_string)).collect();
    assert_eq!(nodes[0], ("Embedding703/Times699", "Times699"));
    assert!(nodes.contains(&("GRU774", "Block774")), "{nodes:?}");
    assert!(nodes.contains(&("tags/Plus802", "Plus802")), "{nodes:?}");
    let weights: Vec<_> = model.graph.initializer.iter().map(|w| (&*w.name, &*w.doc_string)).collect();
    // E is one, W and b are not.
    assert!(weights.contains(&("E", "Parameter4")), "{weights:?}");
    assert!(weights.contains(&("tags/W", "Parameter445")), "{weights:?}");
    assert_eq!((&*model.graph.input[0].name, &*model.graph.input[0].doc_string), ("tokens", "Input3"));
}

#[test]
fn a_file_says_where_it_comes_from() {
    let model = onnx("zoo/gru_tagger.model", &["--outputs", "all", "--opset", "15", "--hash"]);
    assert!(model.doc_string.starts_with("A CNTK v2 model"), "{}", model.doc_string);
    let said = |key: &str| {
        let found = model.metadata_props.iter().find(|p| p.key == format!("cntk2onnx.{key}"));
        found.map(|p| p.value.clone()).unwrap_or_default()
    };
    assert_eq!(said("version"), env!("CARGO_PKG_VERSION"));
    assert_eq!((said("source.format"), said("source.uid")), ("v2".to_owned(), "CompositeFunction808".to_owned()));
    assert!(said("source.version").parse::<u64>().is_ok());
    assert_eq!(said("source.sha256").len(), 64);
    let options: serde_json::Value = serde_json::from_str(&said("options")).unwrap();
    assert_eq!((&options["opset"], &options["outputs"]), (&15.into(), &"all".into()));
}

/// A port as `float[batch, 3]`.
fn port(value: &ValueInfoProto) -> String {
    let Some(type_proto::Value::TensorType(of)) = &value.type_.value else { panic!("{} is no tensor", value.name) };
    let dims = of.shape.dim.iter().map(|dim| match &dim.value {
        Some(dimension::Value::DimValue(n)) => n.to_string(),
        Some(dimension::Value::DimParam(symbol)) => symbol.clone(),
        _ => "?".to_owned(),
    });
    let elem = if of.elem_type == 7 { "int64" } else { "float" };
    format!("{} {elem}[{}]", value.name, dims.collect::<Vec<_>>().join(", "))
}

fn ports(model: &ModelProto) -> Vec<String> {
    model.graph.input.iter().chain(&model.graph.output).map(port).collect()
}

const WORDS: &str = "zoo/word_lm_peephole_projection.model";

#[test]
fn inputs_and_outputs_are_renamed() {
    let model = onnx("zoo/gru_tagger.model", &["--rename-inputs", "tokens=input_ids", "--rename-outputs", "tags=y"]);
    let names: Vec<_> = ports(&model).iter().map(|p| p.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(names, ["input_ids", "y"]);
    let folder = Folder::with_model();
    folder
        .run(&["convert", "m.model", "--rename-inputs", "featuers=x"])
        .fails(3, "no input is called `featuers`; there are features");
    assert_eq!(folder.run(&["convert", "m.model", "--rename-inputs", "features"]).code, Some(2));
    let run = folder
        .run(&["convert", "m.model", "--to", "pytorch", "--rename-inputs", "features=images", "-o", "net"])
        .done();
    assert!(
        String::from_utf8(folder.read("net/model.py")).unwrap().contains("def forward(self, images: Tensor)"),
        "{}",
        run.stderr
    );
}

#[test]
fn two_names_that_are_one_are_refused() {
    let folder = Folder::new();
    folder.write("m.model", &fs::read(super::tool::corpus("zoo/slu_bidirectional_bn_criterion.model")).unwrap());
    let swap = ["convert", "m.model", "--outputs", "all", "--rename-inputs", "query=slot,slot=query"];
    folder.run(&swap).done();
    let same = ["convert", "m.model", "--force", "--outputs", "all", "--rename-inputs", "query=slot"];
    folder.run(&same).fails(3, "two inputs or outputs would be called `slot`");
}

#[test]
fn sizes_are_fixed() {
    assert_eq!(
        ports(&onnx(WORDS, &["--batch", "3"])),
        ["words float[3, sequence, 30]", "logits float[3, sequence, 30]"]
    );
    let both = onnx(WORDS, &["--input-shape", "words=2,7,30"]);
    assert_eq!(ports(&both), ["words float[2, 7, 30]", "logits float[2, 7, 30]"]);
    let folder = Folder::new();
    folder.write("m.model", &fs::read(super::tool::corpus(WORDS)).unwrap());
    let fails = |options: &[&str], text: &str| folder.run(&[&["convert", "m.model"], options].concat()).fails(3, text);
    fails(&["--input-shape", "words=2,7,31"], "a size is 30 in the model, not 31");
    fails(&["--input-shape", "words=7,30,1,1"], "");
    fails(&["--input-shape", "word=2,7,30"], "no input is called `word`; there are words");
    fails(&["--batch", "2", "--input-shape", "words=3,?,30"], "the batch cannot be 3 here");
    folder.run(&["convert", "m.model", "--to", "pytorch", "--batch", "1"]).fails(2, "--batch is for --to onnx");
}

#[test]
fn one_hot_inputs_are_taken_as_indices() {
    let model = onnx(WORDS, &["--ids", "words"]);
    assert_eq!(ports(&model), ["words int64[batch, sequence]", "logits float[batch, sequence, 30]"]);
    let ops: Vec<_> = model.graph.node.iter().map(|n| n.op_type.as_str()).collect();
    assert!(ops.contains(&"Gather") && !ops.contains(&"Equal") | ops.contains(&"Where"), "{ops:?}");
    let folder = Folder::new();
    folder.write("m.model", &fs::read(super::tool::corpus(WORDS)).unwrap());
    folder.run(&["convert", "m.model", "--ids", "word"]).fails(3, "no input is called `word`; there are words");
    folder.run(&["convert", "m.model", "--ids", "words", "--test-data"]).done();
    let input = TensorProto::parse_from_bytes(&folder.read("test_data_set_0/input_0.pb")).unwrap();
    assert_eq!((input.data_type, input.dims.len()), (7, 2));
    let ids: Vec<_> = input.raw_data.chunks(8).map(|b| i64::from_le_bytes(b.try_into().unwrap())).collect();
    assert!(ids.iter().any(|id| *id > 0) && ids.iter().all(|id| (-1..30).contains(id)), "{ids:?}");
}
