//! Test data in ONNX's own format: each input and output of a model as a protobuf tensor, in the order of the graph.
//! `onnx_test_runner` and other tools read them from `test_data_set_0/` beside the model.

use super::write::tensor;
use crate::evidence::{self, Arrays};
use crate::options::Options;
use crate::record::Array;
use crate::report::{Port, Summary};
use cntk_parser::model::ValidatedModel;

/// A file of a test data set: its name (`input_0.pb`, `output_0.pb`...) and content.
pub type TestFile = (String, Vec<u8>);

/// Made-up inputs for a converted model, and what the evaluator computes from them. Sequences are of several lengths where no output
/// shows what lies beyond a sequence's end, which nothing promises. The error says why there are none.
pub fn test_data(model: &ValidatedModel<'_>, options: &Options, summary: &Summary) -> Result<Vec<TestFile>, String> {
    let ragged = !options.equal_lengths;
    let mut arrays = evidence::make(model, options, ragged)?;
    let shows_steps = |arrays: &Arrays| {
        summary.outputs.iter().any(|o| find(arrays, &format!("{}_lengths", o.name)).is_some())
            || summary.inputs.iter().any(|i| find(arrays, &i.name).is_some_and(|a| a.dims.len() > i.dims.len()))
    };
    if ragged && shows_steps(&arrays) {
        arrays = evidence::make(model, options, false)?;
    }
    let mut files = Vec::new();
    for (role, ports) in [("input", &summary.inputs), ("output", &summary.outputs)] {
        for (i, port) in ports.iter().enumerate() {
            let array = find(&arrays, &port.name).ok_or_else(|| format!("{} is not in the evidence", port.name))?;
            let array = folded(port, array);
            let differs = |(dim, n): (&String, &u64)| dim.parse::<u64>().is_ok_and(|dim| dim != *n);
            if port.dims.iter().zip(&array.dims).any(differs) {
                return Err(format!(
                    "{}: {:?} is made, where [{}] is fixed",
                    port.name,
                    array.dims,
                    port.dims.join(", ")
                ));
            }
            files.push((format!("{role}_{i}.pb"), tensor::message(&port.name, &array)));
        }
    }
    Ok(files)
}

fn find<'a>(arrays: &'a Arrays, name: &str) -> Option<&'a Array> {
    arrays.iter().find(|(n, _)| n == name).map(|(_, array)| array)
}

/// An array in the layout of the converted model, where a sequence axis that nothing reads is part of the batch.
fn folded(port: &Port, array: &Array) -> Array {
    let mut array = array.clone();
    if array.dims.len() == port.dims.len() + 1 && array.dims.len() >= 2 {
        let steps = array.dims.remove(1);
        array.dims[0] *= steps;
    }
    array
}
