//! Names and provenance in the ONNX file.

use super::tool::Folder;
use onnx_protobuf::{GraphProto, Message, ModelProto};
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
