//! Turns CNTK v2 models into ONNX that gives the same numbers, without CNTK.
#![forbid(unsafe_code)]

pub mod onnx;
