//! The `--opset` argument.

use clap::builder::RangedI64ValueParser;
use cntk2onnx::Options;

/// The default opset: the last one before the reductions changed.
pub const DEFAULT: i64 = 17;

pub fn parser() -> RangedI64ValueParser<i64> {
    clap::value_parser!(i64).range(Options::OPSETS)
}
