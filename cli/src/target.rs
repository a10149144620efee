//! What a model can be converted to.

use clap::ValueEnum;

/// The form of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Target {
    /// One .onnx file
    Onnx,
    /// A directory with a PyTorch module and its weights
    Pytorch,
    /// The weights alone
    Safetensors,
}

impl Target {
    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Pytorch => "pytorch",
            Self::Safetensors => "safetensors",
        }
    }
}

/// The options of `convert` that are not for every target, with their targets. An option for another target is refused.
pub const ONLY_FOR: &[(&str, &[Target])] = &[
    ("opset", &[Target::Onnx]),
    ("outputs", &[Target::Onnx, Target::Pytorch]),
    ("weights", &[Target::Onnx]),
    ("keep_sequence_axis", &[Target::Onnx]),
    ("equal_lengths", &[Target::Onnx, Target::Pytorch]),
    ("rename_inputs", &[Target::Onnx, Target::Pytorch]),
    ("rename_outputs", &[Target::Onnx, Target::Pytorch]),
    ("batch", &[Target::Onnx]),
    ("input_shape", &[Target::Onnx]),
    ("ids", &[Target::Onnx, Target::Pytorch]),
    ("stub", &[Target::Pytorch]),
    ("check_inputs", &[Target::Pytorch]),
    ("record", &[Target::Pytorch]),
    ("test_data", &[Target::Onnx]),
];
