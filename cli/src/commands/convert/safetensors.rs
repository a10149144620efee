//! `convert --to safetensors`: writes the weights alone.

use super::{Args, Ended, Opened, digest, path, refused, summary::written};
use crate::{
    file_sink::FileSink, input::Input, json::Json, output::Output, progress::Progress, sibling, terminal::Terminal,
};
use anyhow::{Context, Result, anyhow};
use cntk_parser::model::ValidatedModel;
use cntk2onnx::{
    WriteError,
    pytorch::{
        convert_safetensors,
        safetensors::{self, Tensor},
    },
};
use std::{fs::File, path::Path};

pub fn open(args: &Args, input: &Input) -> Result<Opened> {
    let path = path(args, input, |p| sibling::with_suffix(p, ".safetensors"))?;
    let output = Output::create(&path, args.force)?;
    Ok(Opened::Safetensors(path, output))
}

pub fn finish(
    terminal: &Terminal,
    args: &Args,
    input: &Input,
    model: &ValidatedModel<'_>,
    (path, output): (&Path, Output),
) -> Result<Ended> {
    let digest = match digest(terminal, args, input)? {
        Ok(digest) => digest,
        Err(outcome) => return Ok(outcome.into()),
    };
    let made = match convert_safetensors(model) {
        Ok(made) => made,
        Err(refusal) => return Ok(refused(terminal, input, &refusal)),
    };
    let metadata = safetensors::provenance(model, digest);
    tensors(terminal, &made, &metadata, output.file(), input).with_context(|| path.display().to_string())?;
    input.unchanged()?;
    output.finish()?;
    terminal.say(format_args!("wrote {}, {} tensors", path.display(), made.len()));
    let mut entries = written(input, "safetensors", path, digest);
    entries.push(("tensors", Json::from(made.len())));
    Ok(Ended::done(vec![], entries))
}

/// Writes the tensors of a safetensors file.
pub fn tensors(
    terminal: &Terminal,
    tensors: &[Tensor],
    metadata: &[(String, String)],
    file: &File,
    input: &Input,
) -> Result<()> {
    let source = input.mapped();
    let mut progress = Progress::new(terminal, safetensors::length(tensors, metadata));
    let mut update = |done| progress.update(done);
    safetensors::write(tensors, metadata, input, &mut FileSink::<&File>::new(file, source), &mut update).map_err(|e| {
        match e {
            WriteError::Sink(e) => anyhow!(e),
            WriteError::Source(e) => anyhow!(e).context(input.name.clone()),
            other => anyhow!(other),
        }
    })
}
