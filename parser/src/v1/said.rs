//! The content of a node, read but not yet added to the model.

use super::matrix::Matrix;
use crate::model::{Foreign, Shape};
use crate::ops::attributes::{BatchNormalization, Convolution, Times};
use crate::ops::{Op, Operator};

/// The content of a node's operator and body.
#[derive(Debug)]
pub(super) enum Said<'a> {
    Input(Box<Input<'a>>),
    Parameter(Box<Parameter<'a>>),
    /// The name of a dynamic axis.
    Axis,
    /// Mean or inverse deviation of the training data.
    Statistic(Box<Statistic<'a>>),
    /// A v2 primitive without attributes.
    Plain(Op),
    /// A v2 primitive.
    Typed(Box<Operator<'a>>),
    /// Several v2 primitives, or one whose attributes depend on the node's children.
    Composed(Box<Composition>),
    /// An operator that cannot be computed from the file.
    Foreign(Foreign),
}

/// An input.
#[derive(Debug)]
pub(super) struct Input<'a> {
    pub(super) shape: Shape,
    pub(super) sparse: bool,
    /// Does training change it?
    pub(super) learns: bool,
    /// The name of the node that is its dynamic axis.
    pub(super) axis: &'a str,
}

/// A parameter or constant.
#[derive(Debug)]
pub(super) struct Parameter<'a> {
    pub(super) shape: Shape,
    pub(super) learns: bool,
    pub(super) matrix: Matrix<'a>,
}

/// A statistic of the training data.
#[derive(Debug)]
pub(super) struct Statistic<'a> {
    pub(super) computed: bool,
    pub(super) matrix: Matrix<'a>,
}

/// A node that becomes more than one primitive, or whose primitive depends on its children.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is always boxed")]
pub(super) enum Composition {
    /// A delay; none at all if `offset` is 0. With one child, `initial` is the initial state.
    Delay {
        forward: bool,
        offset: u64,
        initial: f64,
    },
    BatchNormalization {
        attributes: BatchNormalization,
        /// Was the inverse deviation stored in place of the variance?
        inverse: bool,
        /// Is the number of samples a child?
        counted: bool,
    },
    Convolution {
        attributes: Convolution,
        kernel: Shape,
        /// The number of maps that it computes: the product.
        maps: Shape,
        /// Is the kernel stored as a matrix, whatever its shape?
        flat: bool,
    },
    Times(Times),
    /// (x - mean) * inverse deviation.
    Normalize,
    /// x / inverse deviation + mean.
    Denormalize,
    LookupTable,
    RowRepeat(u64),
    KhatriRao,
    Diagonal,
    L1,
    L2,
    CrossEntropy,
    /// Selects one output of a function with several.
    Multiplexer,
}
