//! The typed model: every record of the file decoded, and not yet validated.
//!
//! Everything borrows from the input; a tensor is a range of the input.

mod array;
mod axis;
mod find;
mod id;
mod origin;
pub(crate) mod read;
mod shape;
mod sizes;
mod types;
mod validated;

pub use array::{Array, ElementStorage};
pub use axis::{Axis, AxisKind};
pub use id::{FunctionId, LoopId, SequenceAxisId, VariableId};
pub use origin::Origin;
pub(crate) use origin::Part;
pub use shape::{Dim, Dims, Shape};
pub(crate) use shape::{MAX_DIM, MOST_AXES};
pub use sizes::Sizes;
pub use types::{
    Attributes, Block, Container, DataType, Foreign, Function, FunctionKind, Listed, Model, Offset, UserFunction,
    Variable, VariableKind,
};
pub use validated::{DynamicAxes, Loop, Output, SequenceAxis, Source, ValidatedModel, ValueType};
