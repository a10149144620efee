//! The operators: one table, and the typed attributes that it leads to.

pub mod attributes;
mod decode;
pub mod facts;
mod spec;
mod table;

pub use facts::{Class, Facts, ShapeRule};
pub use spec::{AttributeSpec, AttributeType, Default, OpSpec, Outputs, Requirement};
pub use table::{Op, Operator};
