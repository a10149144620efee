//! Facts of an operator that do not depend on its operands. They are columns of the op table, which shape rules, back
//! ends and tests ask instead of keeping lists of operators themselves.

/// The family of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// A function of one operand, element by element.
    Elementwise,
    /// A function of several operands, element by element after broadcasting.
    Broadcast,
    /// At inference the result is one of the operands, unchanged.
    Identity,
    /// Softmax, and selection of the largest element, along static axes.
    Softmax,
    /// Combines the elements along some axes.
    Reduction,
    /// A matrix product.
    Product,
    /// A window that slides over spatial axes.
    Window,
    /// Batch normalization.
    Normalization,
    /// Rearranges elements without computing on them.
    Moves,
    /// Computes indices, or selects by them.
    Indexing,
    /// Reads another frame of a sequence, at a fixed distance.
    Delay,
    /// Creates sequences and batches, selects from them or relates them.
    Sequence,
    /// A whole recurrent network.
    Recurrent,
    /// Compares samples.
    Similarity,
    /// A criterion or metric of training.
    Criterion,
    /// Draws random numbers, also at inference.
    Random,
    /// Structures the graph without computing anything.
    Structure,
    /// Runs code that the file does not contain.
    Foreign,
}

/// How the shape of output 0 follows from the operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShapeRule {
    /// The shape of operand 0.
    First,
    /// The shape that all operands broadcast to.
    Broadcast,
    /// No axes: a scalar.
    Scalar,
    /// A rule of the operator's own.
    Own,
}

/// How far an element of the result may depend on elements of the operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reach {
    /// On elements of the same frame only.
    Frame,
    /// Also on other frames of the same sequence.
    Sequence,
    /// Also on other samples of the batch.
    Batch,
}

/// Between which outputs and operands a gradient flows back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gradient {
    /// From every output to every operand.
    All,
    /// From no output to any operand.
    None,
    /// To operand 0 only.
    FirstOperand,
    /// To every operand but the first.
    OtherOperands,
    /// From output 0 only.
    FirstOutput,
}

/// What is known of the values of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Values {
    /// Nothing is known.
    Any,
    /// Each element is 0 or 1.
    ZeroOrOne,
    /// No element is negative.
    NonNegative,
    /// All elements are above zero.
    Positive,
    /// The elements are elements of operand 0.
    OfFirst,
}

/// The facts of an operator. A row of the op table starts from those of its class and overrides what differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Facts {
    /// The family.
    pub class: Class,
    /// The shape of output 0.
    pub shape: ShapeRule,
    /// May an operand be given once instead of repeated along its dynamic axes, because broadcasting does the
    /// repeating? Attributes may say otherwise: [`Operator::repeats`](super::Operator::repeats).
    pub repeats: bool,
    /// How far an element of the result may depend on elements of the operands. Attributes may widen this:
    /// [`Operator::reach`](super::Operator::reach).
    pub reach: Reach,
    /// Between which outputs and operands a gradient flows back.
    pub gradient: Gradient,
    /// What is known of the values of the result.
    pub values: Values,
    /// Does the operator keep spatial positions, so that an automatic crop can trace its offsets through it? As in CNTK
    /// 2.7: its unary and binary element-wise nodes do, except for those with a class of their own (ELU, Cast).
    pub in_place: bool,
    /// From this op-set version on, the operator has exactly this many inputs.
    pub inputs_since: Option<(u64, usize)>,
}

impl Facts {
    const fn new(class: Class, shape: ShapeRule) -> Self {
        Self {
            class,
            shape,
            repeats: false,
            reach: Reach::Frame,
            gradient: Gradient::All,
            values: Values::Any,
            in_place: false,
            inputs_since: None,
        }
    }

    pub(super) const fn repeats(self) -> Self {
        Self { repeats: true, ..self }
    }

    pub(super) const fn reach(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    pub(super) const fn gradient(self, gradient: Gradient) -> Self {
        Self { gradient, ..self }
    }

    pub(super) const fn values(self, values: Values) -> Self {
        Self { values, ..self }
    }

    pub(super) const fn shape(self, shape: ShapeRule) -> Self {
        Self { shape, ..self }
    }

    pub(super) const fn in_place(self, in_place: bool) -> Self {
        Self { in_place, ..self }
    }

    pub(super) const fn inputs_since(self, version: u64, inputs: usize) -> Self {
        Self { inputs_since: Some((version, inputs)), ..self }
    }
}

pub(super) const ELEMENTWISE: Facts = Facts::new(Class::Elementwise, ShapeRule::First).repeats().in_place(true);
pub(super) const BROADCAST: Facts = Facts::new(Class::Broadcast, ShapeRule::Broadcast).repeats().in_place(true);
pub(super) const COMPARISON: Facts = BROADCAST.values(Values::ZeroOrOne).gradient(Gradient::None);
pub(super) const IDENTITY: Facts = Facts::new(Class::Identity, ShapeRule::First).repeats().values(Values::OfFirst);
pub(super) const SOFTMAX: Facts = Facts::new(Class::Softmax, ShapeRule::First).repeats();
pub(super) const REDUCTION: Facts = Facts::new(Class::Reduction, ShapeRule::Own).repeats();
pub(super) const PRODUCT: Facts = Facts::new(Class::Product, ShapeRule::Own).repeats();
pub(super) const WINDOW: Facts = Facts::new(Class::Window, ShapeRule::Own);
pub(super) const NORMALIZATION: Facts = Facts::new(Class::Normalization, ShapeRule::Own).in_place(true);
pub(super) const MOVES: Facts = Facts::new(Class::Moves, ShapeRule::Own).repeats();
pub(super) const INDEXING: Facts = Facts::new(Class::Indexing, ShapeRule::Own);
pub(super) const DELAY: Facts = Facts::new(Class::Delay, ShapeRule::Own).reach(Reach::Sequence);
pub(super) const SEQUENCE: Facts = Facts::new(Class::Sequence, ShapeRule::Own).reach(Reach::Sequence);
pub(super) const BATCH: Facts = Facts::new(Class::Sequence, ShapeRule::Own).reach(Reach::Batch);
pub(super) const RECURRENT: Facts = Facts::new(Class::Recurrent, ShapeRule::Own).reach(Reach::Sequence);
pub(super) const SIMILARITY: Facts = Facts::new(Class::Similarity, ShapeRule::Own);
pub(super) const CRITERION: Facts = Facts::new(Class::Criterion, ShapeRule::Scalar).reach(Reach::Batch);
pub(super) const RANDOM: Facts = Facts::new(Class::Random, ShapeRule::Own).gradient(Gradient::None);
pub(super) const STRUCTURE: Facts = Facts::new(Class::Structure, ShapeRule::Own);
pub(super) const FOREIGN: Facts = Facts::new(Class::Foreign, ShapeRule::Own).reach(Reach::Batch);
