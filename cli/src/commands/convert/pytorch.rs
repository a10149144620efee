//! `convert --to pytorch`.

use super::{Args, path, refused, safetensors::tensors};
use crate::{
    args::Common, directory::Directory, exit, input::Input, load, output::folder, sandbox, terminal::Terminal,
};
use anyhow::{Context, Result};
use cntk_parser::ModelFile;
use cntk2onnx::{
    Options, Record,
    pytorch::{PyTorchConversion, PyTorchOptions, convert_pytorch},
};
use std::io::Write;

/// The files of a converted model; those of text first.
const NAMES: &[&str] = &["model.py", "test_model.py", "report.json", "model.safetensors", "reference.safetensors"];

pub fn run(terminal: &Terminal, common: &Common, args: &Args, input: &Input, options: &Options) -> Result<u8> {
    let path = path(args, input, |p| {
        let mut name = p.file_stem().unwrap_or_default().to_owned();
        name.push("_pytorch");
        p.with_file_name(name)
    })?;
    let stem = input.path.as_ref().and_then(|p| p.file_stem()).map(|s| s.to_string_lossy().into_owned());
    let own = PyTorchOptions::default().name(stem.unwrap_or_default()).stub(args.stub);
    let record = args.record.as_deref().map(Input::open).transpose()?;
    let destination = Directory::create(&path, NAMES, args.force)?;
    sandbox::enter(terminal, common, &sandbox::Needs::writing(Some(folder(&path)), false));
    let file = ModelFile::new(input);
    let Some(model) = load::valid(terminal, common, input, &file) else { return Ok(exit::REJECTED) };
    let mut made = match convert_pytorch(&model, options, &own) {
        Ok(made) => made,
        Err(refusal) => return Ok(refused(terminal, input, &refusal)),
    };
    if record.is_none() {
        made.compare_with_evaluator(&model, options);
    }
    if let Some(record) = &record {
        let compared = Record::open(record).and_then(|mut r| made.compare_with(&mut r));
        compared.with_context(|| record.name.clone())?;
        record.unchanged()?;
    }
    write(terminal, &made, &destination, input).with_context(|| path.display().to_string())?;
    input.unchanged()?;
    for warning in &made.warnings {
        terminal.warning(warning);
    }
    for dropped in &made.dropped {
        terminal.say(format_args!("dropped {dropped}"));
    }
    terminal.say(format_args!("wrote {}: {}", path.display(), NAMES.join(", ")));
    destination.finish()?;
    Ok(exit::DONE)
}

fn write(terminal: &Terminal, made: &PyTorchConversion, destination: &Directory, input: &Input) -> Result<()> {
    for (i, text) in [&made.module, &made.test, &made.report].into_iter().enumerate() {
        destination.file(i).write_all(text.as_bytes())?;
    }
    tensors(terminal, &made.weights, destination.file(3), input)?;
    tensors(terminal, &made.reference, destination.file(4), input)
}
