//! `convert --to safetensors`.

use super::{Args, path, refused};
use crate::{
    args::Common,
    exit,
    file_sink::FileSink,
    input::Input,
    load,
    output::{Output, folder},
    progress::Progress,
    sandbox,
    terminal::Terminal,
};
use anyhow::{Context, Result, anyhow};
use cntk_parser::ModelFile;
use cntk2onnx::{
    WriteError,
    pytorch::{
        convert_safetensors,
        safetensors::{self, Tensor},
    },
};
use std::fs::File;

pub fn run(terminal: &Terminal, common: &Common, args: &Args, input: &Input) -> Result<u8> {
    let path = path(args, input, |p| p.with_extension("safetensors"))?;
    let output = Output::create(&path, args.force)?;
    sandbox::enter(terminal, common, &sandbox::Needs::writing(Some(folder(&path)), false));
    let file = ModelFile::new(input);
    let Some(model) = load::valid(terminal, common, input, &file) else { return Ok(exit::REJECTED) };
    let made = match convert_safetensors(&model) {
        Ok(made) => made,
        Err(refusal) => return Ok(refused(terminal, input, &refusal)),
    };
    tensors(terminal, &made, output.file(), input).with_context(|| path.display().to_string())?;
    input.unchanged()?;
    terminal.say(format_args!("wrote {}, {} tensors", path.display(), made.len()));
    output.finish()?;
    Ok(exit::DONE)
}

/// Writes the tensors of a safetensors file.
pub fn tensors(terminal: &Terminal, tensors: &[Tensor], file: &File, input: &Input) -> Result<()> {
    let source = input.file.as_ref().filter(|_| input.is_mapped());
    let mut progress = Progress::new(terminal, safetensors::length(tensors));
    let mut update = |done| progress.update(done);
    safetensors::write(tensors, input, &mut FileSink::<&File>::new(file, source), &mut update).map_err(|e| match e {
        WriteError::Sink(e) => anyhow!(e),
        WriteError::Source(e) => anyhow!(e).context(input.name.clone()),
        other => anyhow!(other),
    })
}
