//! Reads the bodies of nodes, which depend on the operator and the model version.

mod layers;
mod misc;
mod shapes;
mod variables;

pub(super) use layers::*;
pub(super) use misc::*;
pub(super) use shapes::*;
pub(super) use variables::*;

use super::reader::Reader;
use super::said::{Composition, Said};
use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::model::{Axis, DataType};
use crate::ops::Operator;

/// The body that is being read.
pub(super) struct Body<'r, 'l, 'a> {
    pub(super) reader: &'r mut Reader<'a>,
    pub(super) context: &'r mut Context<'l>,
    /// The model version of the file.
    pub(super) version: u64,
    /// The element type of the node.
    pub(super) data_type: DataType,
    /// The name of its operator.
    pub(super) op: &'static str,
    /// See [`super::table::Row::order`].
    pub(super) order: &'static [u8],
    /// A warning to report: a rule and a message.
    pub(super) note: Option<(&'static str, String)>,
}

impl Body<'_, '_, '_> {
    /// A number of the node's type: 8 bytes for `double`, else 4.
    fn number(&mut self) -> Result<f64, Error> {
        if self.data_type == DataType::Double { self.reader.f64() } else { self.reader.f32().map(f64::from) }
    }

    /// The error for a value that is not one of the possible ones.
    fn bad<T>(&self, expected: &'static str, found: impl ToString, at: u64) -> Result<T, Error> {
        Err(Error::new(ErrorKind::BadValue { expected, found: found.to_string() }, at))
    }
}

fn typed<'a>(operator: Operator<'a>) -> Said<'a> {
    Said::Typed(Box::new(operator))
}

fn composed<'a>(composition: Composition) -> Said<'a> {
    Said::Composed(Box::new(composition))
}

/// The dynamic axes that the name of an axis stands for. Like CNTK, this compares only the beginning of the name.
pub(super) fn dynamic_axes(name: &str) -> Vec<Axis<'_>> {
    let batch = Axis { index: i32::MAX, name: "defaultBatchAxis", ordered: false };
    if name.starts_with("__noSequenceAxis") {
        return vec![batch];
    }
    let name = if name.is_empty() || name.starts_with('*') { "defaultDynamicAxis" } else { name };
    vec![Axis { index: i32::MAX, name, ordered: true }, batch]
}

/// A static axis by its index.
fn axis(index: i32) -> Axis<'static> {
    Axis { index, name: "", ordered: false }
}

/// A static axis that the file counts from 1.
fn axis_from_1(index: i32) -> Axis<'static> {
    axis(index.saturating_sub(1))
}
