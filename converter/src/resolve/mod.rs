//! What functions of the CNTK graph compute where that takes more than their row in the op table: decided here once, so
//! that both back ends only spell it. Knows neither ONNX nor PyTorch.

pub mod crop;
pub mod frames;
pub mod reduction;
pub mod window;

#[cfg(test)]
mod random;
