//! `convert --to pytorch`: writes a PyTorch package.

use super::{Args, Ended, Opened, digest, path, refused, safetensors::tensors, summary::written};
use crate::{args::Common, directory::Directory, input::Input, json::Json, sibling, terminal::Terminal};
use anyhow::{Context, Result};
use cntk_parser::model::ValidatedModel;
use cntk2onnx::{
    Options, Record,
    pytorch::{PyTorchConversion, PyTorchOptions, convert_pytorch},
};
use std::{io::Write, path::Path};

/// The files of a converted model, text files first.
const NAMES: &[&str] =
    &["model.py", "test_model.py", "report.json", "__init__.py", "model.safetensors", "reference.safetensors"];

/// How many files are open for a conversion, with the one of recorded numbers.
pub const FILES: usize = NAMES.len() + 1;

pub fn open(common: &Common, args: &Args, input: &Input) -> Result<Opened> {
    let path = path(args, input, |p| p.with_file_name(importable(&sibling::stem(p).to_string_lossy())))?;
    let record = args.record.as_deref().map(|path| Input::open(path, common)).transpose()?.map(Box::new);
    let directory = Directory::create(&path, NAMES, args.force)?;
    Ok(Opened::Pytorch(path, directory, record))
}

pub fn finish(
    terminal: &Terminal,
    args: &Args,
    input: &Input,
    model: &ValidatedModel<'_>,
    options: &Options,
    (path, destination, record): (&Path, Directory, Option<Box<Input>>),
) -> Result<Ended> {
    let stem = input.path.as_ref().map(|p| sibling::stem(p).to_string_lossy().into_owned());
    let own = PyTorchOptions::default().name(stem.unwrap_or_default()).stub(args.stub).check_inputs(args.check_inputs);
    let digest = match digest(terminal, args, input)? {
        Ok(digest) => digest,
        Err(outcome) => return Ok(outcome.into()),
    };
    let own = own.source_sha256(digest);
    let mut made = match convert_pytorch(model, options, &own) {
        Ok(made) => made,
        Err(refusal) => return Ok(refused(terminal, input, &refusal)),
    };
    terminal.trace(format_args!("converted: {} tensors", made.weights.len()));
    if record.is_none() {
        made.compare_with_evaluator(model, options);
        terminal.trace(format_args!("evaluated: {} outputs", made.expected()));
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
    destination.finish()?;
    terminal.say(format_args!("wrote {}: {}", path.display(), NAMES.join(", ")));
    let mut entries = written(input, "pytorch", path, digest);
    entries.extend([
        ("files", Json::list(NAMES, |name| Json::from(*name))),
        ("tensors", Json::from(made.weights.len())),
        ("dropped", Json::list(&made.dropped, Json::text)),
        ("warnings", Json::list(&made.warnings, Json::text)),
    ]);
    Ok(Ended { expected: Some(made.expected()), ..Ended::done(made.dropped.clone(), entries) })
}

/// A name for the directory under which Python can import it as a package.
fn importable(stem: &str) -> String {
    let letters = stem.chars().map(|c| if c.is_alphanumeric() { c } else { '_' });
    let digit = stem.starts_with(|c: char| c.is_numeric());
    digit.then_some('_').into_iter().chain(letters).chain("_pytorch".chars()).collect()
}

fn write(terminal: &Terminal, made: &PyTorchConversion, destination: &Directory, input: &Input) -> Result<()> {
    for (i, (_, text)) in made.texts().into_iter().enumerate() {
        destination.file(i).write_all(text.as_bytes())?;
    }
    tensors(terminal, &made.weights, &made.metadata, destination.file(4), input)?;
    tensors(terminal, &made.reference, &[], destination.file(5), input)
}

#[cfg(test)]
mod tests {
    use super::importable;

    #[test]
    fn directories_can_be_imported() {
        assert_eq!(importable("resnet20"), "resnet20_pytorch");
        assert_eq!(importable("3gru-tagger.v1"), "_3gru_tagger_v1_pytorch");
        assert_eq!(importable("größe"), "größe_pytorch");
        assert_eq!(importable(""), "_pytorch");
    }
}
