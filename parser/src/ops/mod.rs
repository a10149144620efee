//! The operators: one table, and the typed attributes that it leads to.

pub mod attributes;
mod decode;
mod spec;
mod table;

pub use spec::{AttributeSpec, AttributeType, OpSpec, Outputs, Requirement, State};
pub use table::{Op, Operator};
