//! The `model.py` of networks of several kinds, as files to read and review. `BLESS=1` writes them.

use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};
use cntk2onnx::Options;
use cntk2onnx::pytorch::{PyTorchOptions, convert_pytorch};
use std::path::Path;
use std::{env, fs};

/// Networks of `corpus/`: residual, dense, inception, grouped, sequential, attentive, recurrent, gated.
const NETWORKS: [&str; 15] = [
    "attributes/network_resnet20",
    "zoo/resnet_bottleneck",
    "zoo/densenet_small",
    "zoo/inception_v1",
    "zoo/shufflenet_groups",
    "zoo/alexnet_small",
    "zoo/unet_upsample_dice",
    "zoo/srresnet_depth_to_space",
    "zoo/mlp_maxout_residual_bn",
    "zoo/transformer_causal_prenorm",
    "zoo/lstm_timeseries_106a",
    "zoo/gru_tagger",
    "zoo/s2s_attention_model",
    "zoo/siamese_shared_weights",
    "zoo/wavenet_pastvalue",
];

#[test]
fn networks_are_written_as_recorded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = root.join("tests/emitted");
    let mut changed = Vec::new();
    for network in NETWORKS {
        let bytes = fs::read(root.join("../corpus").join(format!("{network}.model"))).expect("the corpus is here");
        let (_, name) = network.split_once('/').expect("a folder and a name");
        let module = module(&bytes, name);
        let path = golden.join(format!("{name}.py"));
        if env::var_os("BLESS").is_some() {
            fs::create_dir_all(&golden).expect("it can be made");
            fs::write(&path, &module).expect("it can be written");
        }
        if fs::read_to_string(&path).unwrap_or_default() != module {
            changed.push(name);
        }
    }
    assert!(changed.is_empty(), "written otherwise: {changed:?}; BLESS=1 writes {}", golden.display());
}

fn module(bytes: &[u8], name: &str) -> String {
    let file = ModelFile::new(bytes);
    let file = parse(&file, &Limits::default()).expect("it can be read");
    let model = validate(file, &ValidateOptions::default()).model.expect("it is valid");
    let own = PyTorchOptions::default().name(name);
    convert_pytorch(&model, &Options::default(), &own).expect("it can be converted").module
}
