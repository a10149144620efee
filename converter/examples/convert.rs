//! Converts a model to ONNX: `cargo run --example convert -- resnet.model resnet.onnx`.

use cntk2onnx::{Converter, Error, IoSink, OwnedModel};
use std::{fs::File, process::ExitCode};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(input), Some(output)) = (args.next(), args.next()) else {
        eprintln!("usage: convert IN OUT");
        return ExitCode::from(2);
    };
    match convert(&input, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn convert(input: &str, output: &str) -> Result<(), Box<dyn std::error::Error>> {
    let model = OwnedModel::load(std::fs::read(input)?)?;
    for finding in model.findings() {
        println!("{}: {finding}", finding.severity);
    }
    let summary = Converter::default().write_onnx(&model, &mut IoSink(File::create(output)?));
    match summary {
        Ok(summary) => println!("{} CNTK functions became {} ONNX nodes", summary.functions, summary.nodes),
        Err(Error::Unsupported(refusal)) => {
            refusal.reasons.iter().for_each(|reason| println!("cannot be converted: {reason}"));
            std::fs::remove_file(output)?;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
