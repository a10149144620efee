//! The command line as it is typed. What it means is decided by the commands.

use super::{limits::LimitArgs, opset};
use clap::{Args, Parser, Subcommand, ValueEnum, builder::NonEmptyStringValueParser};
use std::path::PathBuf;

/// Turns CNTK v2 models into ONNX that gives the same numbers. Needs no CNTK; runs nothing that a model names.
#[derive(Parser)]
#[command(name = "cntk2onnx", version, max_term_width = 100, after_help = EXAMPLES, subcommand_required = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub common: Common,
}

const EXAMPLES: &str = "\
Examples:
  cntk2onnx convert resnet.model                    writes resnet.onnx
  cntk2onnx validate --format sarif models/         every finding in every model of a folder
  cntk2onnx inspect tagger.model                    inputs, outputs, parameters, ops

Exit codes:
  0  done
  1  the file is malformed, unsafe, or over a limit
  2  usage, or a file that cannot be read or written
  3  valid, but cannot be converted as asked";

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print more; twice: everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Colour what is printed
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub color: Color,
    /// Accept models with user-defined functions; they are never run
    #[arg(long, global = true)]
    pub allow_udf: bool,
    /// Do not give up the rights to open files and sockets (Linux)
    #[arg(long, global = true)]
    pub no_sandbox: bool,
    #[command(flatten)]
    pub limits: LimitArgs,
}

#[derive(Subcommand)]
pub enum Command {
    Convert(Convert),
    Validate(Validate),
    Inspect(Inspect),
    Ops(Ops),
    Completions(Completions),
    Man(Man),
}

/// Convert a model
#[derive(Args)]
#[command(after_help = "\
Examples:
  cntk2onnx convert net.model -o out/net.onnx --opset 13
  cntk2onnx convert big.model --weights in-place    an .onnx of some kB that points into big.model
  cntk2onnx convert net.model --outputs all,conv1   a NAME is a CNTK name or uid; inner nodes too
  cntk2onnx convert net.model --to pytorch -o net/ --record net.npz")]
pub struct Convert {
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
    /// All sequences of a batch have one length: no `_lengths` inputs
    #[arg(long)]
    pub equal_lengths: bool,
    /// Record the SHA-256 of the whole file in the result
    #[arg(long)]
    pub hash: bool,
    /// Fail unless the file has this SHA-256
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    pub expect_sha256: Option<[u8; 32]>,
    /// Write placeholders for what PyTorch cannot express
    #[arg(long)]
    pub stub: bool,
    /// Numbers recorded from CNTK, for the module's test: a .npz or .safetensors file of arrays
    ///
    /// Arrays are called by the CNTK name or uid of an input or output, NAME_lengths (int64, one for each sample) where
    /// sequences are of several lengths, and lie as CNTK's Python API has them: [batch, sequence, *static], each of the first
    /// two where the variable has it. All inputs have to be there, and at least one output.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Overwrite OUT
    #[arg(long)]
    pub force: bool,
    /// Form of the summary
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// Report everything that is wrong with models
#[derive(Args)]
pub struct Validate {
    /// Models, and directories to search for *.model, *.dnn and *.cmf; `-` reads standard input
    #[arg(value_name = "IN", required_unless_present = "limits")]
    pub inputs: Vec<PathBuf>,
    /// Look at every weight, not only at the first 16 MiB
    #[arg(long)]
    pub scan_weights: bool,
    /// Print the limits in force
    #[arg(long)]
    pub limits: bool,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ReportFormat,
}

/// Show what is in a model
#[derive(Args)]
pub struct Inspect {
    /// The CNTK model; `-` reads standard input
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// List the operators and how they are converted
#[derive(Args)]
pub struct Ops {
    /// Form of the table
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// Print completions for a shell
#[derive(Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Print the manual page
#[derive(Args)]
pub struct Man {}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// One .onnx file
    Onnx,
    /// A directory with a PyTorch module and its weights
    Pytorch,
    /// The weights alone
    Safetensors,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(clippy::enum_variant_names, reason = "the option is called so")]
pub enum Place {
    /// In the .onnx; beside it if that would pass 2 GiB
    Embed,
    /// In OUT.data
    External,
    /// Where they are: the .onnx points into the CNTK file
    InPlace,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Text,
    Json,
    Sarif,
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
    use clap::CommandFactory;

    #[test]
    fn definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn digests() {
        assert_eq!(sha256(&"0f".repeat(32)), Ok([15; 32]));
        assert!(sha256(&"0f".repeat(31)).is_err());
        assert!(sha256(&"0g".repeat(32)).is_err());
        assert!(sha256(&"é".repeat(32)).is_err());
    }
}
