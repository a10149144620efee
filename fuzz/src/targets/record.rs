//! Record: numbers that are said to come from CNTK become a reference, or one error. The first byte chooses the model, the
//! rest is the file.

use super::check;
use super::pytorch::held;
use crate::meter::{Bound, within};
use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};
use cntk2onnx::Options;
use cntk2onnx::Record;
use cntk2onnx::pytorch::{PyTorchConversion, PyTorchOptions, convert_pytorch};

/// Deflate packs a thousand to one, and what is unpacked may be held twice.
const BOUND: Bound = Bound { factor: 4096, constant: 1 << 20, nanoseconds: 100_000 };

/// A plain one, sequences with lengths and without, axes of free size, half precision.
const MODELS: &[&[u8]] = &[
    include_bytes!("../../../corpus/hostile/control_dense.model"),
    include_bytes!("../../../corpus/zoo/delay_network.model"),
    include_bytes!("../../../corpus/zoo/gru_tagger.model"),
    include_bytes!("../../../corpus/zoo/fcn_free_dimension.model"),
    include_bytes!("../../../corpus/zoo/float16_cast.model"),
    include_bytes!("../../../corpus/zoo/sequence_filter_gather.model"),
];

thread_local! {
    static CONVERSIONS: Vec<PyTorchConversion> = MODELS.iter().map(|bytes| conversion(bytes)).collect();
}

fn conversion(bytes: &[u8]) -> PyTorchConversion {
    let file = ModelFile::new(bytes);
    let model = parse(&file, &Limits::default()).expect("a real model");
    let model = validate(model, &ValidateOptions::default()).model.expect("a valid model");
    convert_pytorch(&model, &Options::default(), &PyTorchOptions::default()).expect("a model that converts")
}

/// Holds `data` against a model.
pub fn run(data: &[u8]) {
    let Some((choice, file)) = data.split_first() else { return };
    let which = usize::from(*choice) % MODELS.len();
    let mut conversion = CONVERSIONS.with(|all| all[which].clone());
    let read = within(BOUND, file, || Record::open(file).and_then(|mut record| conversion.compare_with(&mut record)));
    match read {
        Ok(()) => {
            let keys = held(&conversion.reference, &[]);
            assert!(keys.iter().any(|key| key.starts_with("output.")), "a record without outputs: {keys:?}");
        }
        Err(error) => check::line(&error.to_string()),
    }
}
