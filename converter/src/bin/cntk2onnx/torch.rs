//! `convert --to pytorch` and `--to safetensors`.

use super::{
    args::{Common, Convert, Place, Target},
    convert::{self, refused},
    directory::Directory,
    exit,
    file_sink::FileSink,
    input::Input,
    load,
    output::{Output, folder},
    progress::Progress,
    sandbox,
    terminal::Terminal,
};
use anyhow::{Context, Result, anyhow, bail};
use cntk_parser::ModelFile;
use cntk2onnx::{
    onnx::write::WriteError,
    pytorch::{
        PyTorchConversion, PyTorchOptions, convert_pytorch, convert_safetensors,
        record::Record,
        safetensors::{self, Tensor},
    },
};
use std::{fs::File, io::Write, path::PathBuf};

/// The files of a converted model; those of text first.
const NAMES: &[&str] = &["model.py", "test_model.py", "report.json", "model.safetensors", "reference.safetensors"];

pub fn run(terminal: &Terminal, common: &Common, args: &Convert, input: &Input) -> Result<u8> {
    if args.weights != Place::Embed || args.hash || args.expect_sha256.is_some() {
        bail!("--weights, --hash and --expect-sha256 are for --to onnx");
    }
    match args.to {
        Target::Safetensors if args.record.is_some() => bail!("--record is for --to pytorch"),
        Target::Safetensors => weights(terminal, common, args, input),
        _ => module(terminal, common, args, input),
    }
}

/// Where the result goes.
fn path(args: &Convert, input: &Input, default: impl Fn(&PathBuf) -> PathBuf) -> Result<PathBuf> {
    let path = match (&args.output, &input.path) {
        (Some(path), _) => path.clone(),
        (None, Some(path)) => default(path),
        (None, None) => bail!("name an output with -o"),
    };
    if path.as_os_str() == "-" {
        bail!("this goes to files only: name an output with -o");
    }
    Ok(path)
}

fn module(terminal: &Terminal, common: &Common, args: &Convert, input: &Input) -> Result<u8> {
    let path = path(args, input, |p| {
        let mut name = p.file_stem().unwrap_or_default().to_owned();
        name.push("_pytorch");
        p.with_file_name(name)
    })?;
    let stem = input.path.as_ref().and_then(|p| p.file_stem()).map(|s| s.to_string_lossy().into_owned());
    let own = PyTorchOptions { name: stem.unwrap_or_default(), stub: args.stub };
    let record = args.record.as_deref().map(Input::open).transpose()?;
    let destination = Directory::create(&path, NAMES, args.force)?;
    sandbox::enter(terminal, common, &sandbox::Needs::writing(Some(folder(&path)), false));
    let file = ModelFile::new(input);
    let Some(model) = load::valid(terminal, common, &input.name, &file) else { return Ok(exit::REJECTED) };
    let mut made = match convert_pytorch(&model, &convert::options(args), &own) {
        Ok(made) => made,
        Err(refusal) => return Ok(refused(terminal, input, &refusal)),
    };
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

fn tensors(terminal: &Terminal, tensors: &[Tensor], file: &File, input: &Input) -> Result<()> {
    let source = input.file.as_ref().filter(|_| input.is_mapped());
    let mut progress = Progress::new(terminal, safetensors::length(tensors));
    let mut update = |done| progress.update(done);
    safetensors::write(tensors, input, &mut FileSink::<&File>::new(file, source), &mut update).map_err(|e| match e {
        WriteError::Sink(e) => anyhow!(e),
        WriteError::Source(e) => anyhow!(e).context(input.name.clone()),
        other => anyhow!(other),
    })
}

fn weights(terminal: &Terminal, common: &Common, args: &Convert, input: &Input) -> Result<u8> {
    let path = path(args, input, |p| p.with_extension("safetensors"))?;
    let output = Output::create(&path, args.force)?;
    sandbox::enter(terminal, common, &sandbox::Needs::writing(Some(folder(&path)), false));
    let file = ModelFile::new(input);
    let Some(model) = load::valid(terminal, common, &input.name, &file) else { return Ok(exit::REJECTED) };
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
