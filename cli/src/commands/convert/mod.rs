//! `convert`: converts a model.

mod destination;
pub mod hash;
mod in_place;
mod interface;
mod onnx;
mod opset;
mod pytorch;
mod safetensors;
mod summary;
mod test_data;
mod typed;

use crate::{
    args::{Common, Format},
    directory::Directory,
    exit,
    input::Input,
    json::Json,
    load,
    outcome::Outcome,
    output::{Output, folder},
    sandbox::{self, Needs},
    sibling,
    signed::SignatureArgs,
    target::Target,
    terminal::Terminal,
};
use anyhow::{Context, Result, bail};
use clap::{ValueEnum, builder::NonEmptyStringValueParser};
use cntk_parser::{ModelFile, model::ValidatedModel};
use cntk2onnx::{Conversion, Options, Outputs, Refusal};
use destination::Destination;
use interface::Interface;
pub use pytorch::FILES as PYTORCH;
use std::{
    mem::ManuallyDrop,
    path::{Path, PathBuf},
};
pub use summary::size;
pub use test_data::FILES as TEST_DATA;
use test_data::TestData;
use typed::Typed;

/// Convert a model
#[derive(Clone, clap::Args)]
#[command(after_help = "\
Examples:
  cntk2onnx convert net.model -o out/net.onnx --opset 13
  cntk2onnx convert big.model --weights in-place    an .onnx of some kB that points into big.model
  cntk2onnx convert tagger.model --outputs all,tags -o all.onnx   a NAME is a CNTK name or uid; inner nodes too
  cntk2onnx convert lm.model --ids words --rename-inputs words=input_ids   indices instead of one-hot rows
  cntk2onnx convert net.model --batch 1 --input-shape features=1,3,67,67   sizes fixed
  cntk2onnx convert net.model --to pytorch -o net/ --record net.npz")]
pub struct Args {
    /// The options that were typed. This field comes first because parsing removes each option from them.
    #[command(flatten)]
    pub typed: Typed,
    /// The CNTK model; `-` reads standard input
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// Where to write; `-` is standard output [default: IN with the suffix .onnx]
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// What to write
    #[arg(long, value_name = "FORMAT", default_value = "onnx")]
    pub to: Target,
    /// ONNX opset, 13 to 21
    #[arg(long, value_name = "N", default_value_t = opset::DEFAULT, value_parser = opset::parser())]
    pub opset: i64,
    /// `inference` (without training criteria), `all`, or names
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "inference")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub outputs: Vec<String>,
    /// Where the weights go
    #[arg(long, value_name = "PLACE", default_value = "embed")]
    pub weights: Place,
    /// Keep a sequence axis that no op reads, instead of folding it into the batch
    #[arg(long)]
    pub keep_sequence_axis: bool,
    /// Assume that all sequences of a batch have the same length: no `_lengths` inputs
    #[arg(long)]
    pub equal_lengths: bool,
    #[command(flatten)]
    pub interface: Interface,
    /// Record the SHA-256 of the whole file in the result
    #[arg(long)]
    pub hash: bool,
    /// Fail unless the file has this SHA-256
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    pub expect_sha256: Option<[u8; 32]>,
    /// Write placeholders for what PyTorch cannot express
    #[arg(long)]
    pub stub: bool,
    /// Write a check of the inputs into the PyTorch module: type, shape, finite numbers, indices in range, number of steps
    #[arg(long)]
    pub check_inputs: bool,
    /// Numbers recorded from CNTK, for the module's test: a .npz or .safetensors file of arrays
    ///
    /// Each array has the CNTK name or uid of an input or output and the layout of CNTK's Python API: [batch, sequence,
    /// *static], with each of the first two only if the variable has it. NAME_lengths (int64, one for each sample) is
    /// needed if sequences have several lengths. All inputs and at least one output are required.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    #[command(flatten)]
    pub signed: SignatureArgs,
    /// Write ONNX test data beside the model: test_data_set_0/ with generated inputs and the outputs for them
    #[arg(long)]
    pub test_data: bool,
    /// Overwrite OUT
    #[arg(long)]
    pub force: bool,
    /// Form of the summary
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(clippy::enum_variant_names, reason = "the option is called so")]
pub enum Place {
    /// In the .onnx, or beside it if the .onnx would exceed 2 GiB
    Embed,
    /// In OUT.data
    External,
    /// In the CNTK file, to which the .onnx refers
    InPlace,
}

pub fn run(terminal: &Terminal, common: &Common, args: Args) -> Result<Outcome> {
    args.typed.check(args.to)?;
    let signed = args.signed.open()?;
    let input = Input::open(&args.input, common)?.signed_by(signed.as_ref());
    let file = ModelFile::new(&input);
    // For an input `x.onnx`, the default output would be the input itself: report what is wrong with the input first.
    if args.to == Target::Onnx
        && args.output.is_none()
        && args.default_output(&input) == input.path
        && let Err(outcome) = load::valid(terminal, common, &input, &file)
    {
        return Ok(outcome);
    }
    let prepared = Prepared::open(common, args, &input)?;
    sandbox::enter(terminal, common, &prepared.needs());
    // Values with an object per node are not dropped: the process ends soon, and freeing a million objects one by one
    // takes a tenth of the whole time.
    let fix = |model: &mut _| match prepared.options().fix_shapes(model) {
        Ok(()) => Ok(()),
        Err(refusal) => Err(refused(terminal, &input, &refusal).into()),
    };
    match load::prepared(terminal, common, &input, &file, fix) {
        Ok(model) => Ok(prepared.finish(terminal, &input, &ManuallyDrop::new(model), None)?.into()),
        Err(outcome) => Ok(outcome),
    }
}

/// A conversion whose outputs are open, so that the sandbox can be entered before the model is examined.
pub struct Prepared {
    args: Args,
    opened: Opened,
}

enum Opened {
    /// ONNX, perhaps with test data.
    Onnx(Destination, Option<TestData>),
    /// PyTorch, perhaps with numbers recorded from CNTK.
    Pytorch(PathBuf, Directory, Option<Box<Input>>),
    Safetensors(PathBuf, Output),
}

/// The end of a conversion, which has been reported.
pub struct Ended {
    /// The exit code.
    pub code: u8,
    /// The outputs that were left out, each with the reason.
    pub dropped: Vec<String>,
    /// The reasons why nothing was written.
    pub reasons: Vec<String>,
    /// The number of outputs with expected numbers beside the result, if the target can have them.
    pub expected: Option<usize>,
    /// The entries of the JSON document.
    entries: Vec<(&'static str, Json)>,
}

impl Prepared {
    /// Opens the outputs.
    pub fn open(common: &Common, args: Args, input: &Input) -> Result<Self> {
        let opened = match args.to {
            Target::Onnx => onnx::open(&args, input)?,
            Target::Pytorch => pytorch::open(common, &args, input)?,
            Target::Safetensors => safetensors::open(&args, input)?,
        };
        Ok(Self { args, opened })
    }

    /// What is asked for.
    pub fn options(&self) -> Options {
        options(&self.args)
    }

    /// What the sandbox must still allow once all files are open.
    pub fn needs(&self) -> Needs {
        match &self.opened {
            Opened::Onnx(destination, _) => destination.needs(self.args.hash()),
            Opened::Pytorch(path, ..) | Opened::Safetensors(path, _) => Needs::writing(Some(folder(path)), false),
        }
    }

    /// The ONNX model in memory, if this is a conversion to ONNX.
    pub fn onnx(&self, model: &ValidatedModel<'_>) -> Option<Result<Conversion, Refusal>> {
        matches!(self.opened, Opened::Onnx(..)).then(|| cntk2onnx::convert(model, &self.options()))
    }

    /// Converts and gives the outputs their names. `onnx` is the result of [`Self::onnx`], where the caller has it.
    pub fn finish(
        self,
        terminal: &Terminal,
        input: &Input,
        model: &ValidatedModel<'_>,
        onnx: Option<Result<Conversion, Refusal>>,
    ) -> Result<Ended> {
        let options = self.options();
        match self.opened {
            Opened::Onnx(destination, test_data) => {
                let conversion = onnx.unwrap_or_else(|| cntk2onnx::convert(model, &options));
                onnx::finish(terminal, &self.args, input, model, &options, conversion, (destination, test_data))
            }
            Opened::Pytorch(path, directory, record) => {
                pytorch::finish(terminal, &self.args, input, model, &options, (&path, directory, record))
            }
            Opened::Safetensors(path, output) => {
                safetensors::finish(terminal, &self.args, input, model, (&path, output))
            }
        }
    }
}

impl Ended {
    fn done(dropped: Vec<String>, entries: Vec<(&'static str, Json)>) -> Self {
        Self { code: exit::DONE, dropped, reasons: vec![], expected: None, entries }
    }
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self { code: outcome.code, dropped: vec![], reasons: vec![], expected: None, entries: outcome.entries }
    }
}

impl From<Ended> for Outcome {
    fn from(ended: Ended) -> Self {
        Self { code: ended.code, entries: ended.entries }
    }
}

impl Args {
    /// The default of `-o`: a file beside the model.
    fn default_output(&self, input: &Input) -> Option<PathBuf> {
        input.path.as_ref().map(|path| sibling::with_suffix(path, ".onnx"))
    }

    /// Is the digest of the whole file needed?
    fn hash(&self) -> bool {
        self.hash || self.expect_sha256.is_some()
    }
}

fn options(args: &Args) -> Options {
    Options::default()
        .opset(args.opset)
        .outputs(outputs(&args.outputs))
        .keep_sequence_axis(args.keep_sequence_axis)
        .equal_lengths(args.equal_lengths)
        .rename_inputs(args.interface.rename_inputs.clone())
        .rename_outputs(args.interface.rename_outputs.clone())
        .batch(args.interface.batch)
        .input_shapes(args.interface.input_shape.clone())
        .ids(args.interface.ids.clone())
}

/// The outputs that `--outputs` selects.
pub fn outputs(names: &[String]) -> Outputs {
    match names {
        [one] if one == "inference" => Outputs::Inference,
        [one] if one == "all" => Outputs::All,
        names => Outputs::Named(names.to_vec()),
    }
}

/// The path of the result: `-o`, or the default beside the model.
fn path(args: &Args, input: &Input, default: impl Fn(&Path) -> PathBuf) -> Result<PathBuf> {
    let path = match (&args.output, &input.path) {
        (Some(path), _) => path.clone(),
        (None, Some(path)) => default(path),
        (None, None) => bail!("name an output with -o"),
    };
    if path.as_os_str() == "-" {
        bail!("this target cannot be written to standard output: name a file or directory with -o");
    }
    Ok(path)
}

/// The digest of the whole file if it is needed; the outcome of the command if `--expect-sha256` names another one.
fn digest(terminal: &Terminal, args: &Args, input: &Input) -> Result<Result<Option<[u8; 32]>, Outcome>> {
    if !args.hash() {
        return Ok(Ok(None));
    }
    let found = hash::whole(input).with_context(|| input.name.clone())?;
    Ok(expected(terminal, args, input, &found).map_or(Ok(Some(found)), Err))
}

/// The outcome of the command if `--expect-sha256` names another digest than the one found.
fn expected(terminal: &Terminal, args: &Args, input: &Input, found: &[u8; 32]) -> Option<Outcome> {
    if args.expect_sha256.is_none_or(|expected| expected == *found) {
        return None;
    }
    let message = format!("{}: the file's SHA-256 is {}", input.name, hash::hex(found));
    terminal.error(&message);
    Some(Outcome::failed(exit::REJECTED, &message))
}

/// Reports all reasons of a refusal.
fn refused(terminal: &Terminal, input: &Input, refusal: &Refusal) -> Ended {
    for reason in &refusal.reasons {
        terminal.error(format_args!("{}: cannot be converted: {reason}", input.name));
    }
    let reasons = refusal.reasons.iter().map(ToString::to_string).collect();
    Ended { reasons, ..Outcome::refused(&input.name, refusal).into() }
}

fn sha256(text: &str) -> Result<[u8; 32], &'static str> {
    let wrong = "64 hexadecimal digits are wanted";
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong);
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| wrong)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests() {
        assert_eq!(sha256(&"0f".repeat(32)), Ok([15; 32]));
        assert!(sha256(&"0f".repeat(31)).is_err());
        assert!(sha256(&"0g".repeat(32)).is_err());
        assert!(sha256(&"é".repeat(32)).is_err());
    }
}
