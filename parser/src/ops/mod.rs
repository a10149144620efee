//! The operators: the op table and the typed attributes of each operator.

pub mod attributes;
mod decode;
pub mod facts;
mod spec;
mod table;

pub use facts::{Class, Facts, ShapeRule};
pub use spec::{AttributeSpec, AttributeType, Default, OpSpec, Outputs, Requirement};
pub use table::{Op, Operator};
