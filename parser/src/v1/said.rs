//! What a node says, read but not yet a part of the model.

use super::matrix::Matrix;
use crate::model::{Foreign, Shape};
use crate::ops::attributes::{BatchNormalization, Convolution, Times};
use crate::ops::{Op, Operator};

/// What a node's operator and body say.
#[derive(Debug)]
pub(super) enum Said<'a> {
    Input(Box<Input<'a>>),
    Parameter(Box<Parameter<'a>>),
    /// A name for a dynamic axis.
    Axis,
    /// Mean or inverse deviation of the training data.
    Statistic(Box<Statistic<'a>>),
    /// A v2 primitive without attributes.
    Plain(Op),
    /// A v2 primitive.
    Typed(Box<Operator<'a>>),
    /// Several v2 primitives, or one that depends on the node's children.
    Composed(Box<Composition>),
    /// What cannot be computed.
    Foreign(Foreign),
}

/// An input.
#[derive(Debug)]
pub(super) struct Input<'a> {
    pub(super) shape: Shape,
    pub(super) sparse: bool,
    /// Names the node of its dynamic axis.
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

/// What takes more than one primitive, or a look at the children.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is always boxed")]
pub(super) enum Composition {
    /// With one child, the number is the initial state.
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
        /// The kernel is a matrix whatever its shape is.
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
    /// One output of a function with several.
    Multiplexer,
}
