//! The typed attributes of each operator: what a function record's `attributes` dictionary says, decoded, with the
//! defaults that CNTK 2.7 gives to keys that older files lack.
//!
//! Shapes are in file order (column-major: entry 0 is the innermost axis), as stored; see [`crate::model::Shape`].

mod indexing;
mod misc;
mod sequence;
mod spatial;

pub use indexing::{
    Crop, OneHot, Pad, PaddingMode, ReduceElements, Reduction, Reshape, Slice, SliceRange, Splice, Squeeze, TopK,
    TransposeAxes,
};
pub use misc::{
    BatchNormalization, Cast, ConstantOp, CustomProxyOp, Distribution, Dropout, EyeLike, LatticeSequenceWithSoftmax,
    RandomDistribution, RandomSample, RandomState, Times, TransposeTimes,
};
pub use sequence::{
    Delay, EditDistanceError, ForwardBackward, OptimizedRnnStack, RecurrentOp, ToSequence, UnpackSequence, Where,
};
pub use spatial::{Convolution, Pooling, PoolingType, RoiPooling, Unpooling};
