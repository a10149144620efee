//! What holds of an operator whatever its operands are: the columns of the op table that shape rules, back ends and tests
//! ask, so that none of them lists operators of its own.

/// The family of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// A function of one operand, element by element.
    Elementwise,
    /// A function of several operands, element by element after broadcasting.
    Broadcast,
    /// Its result is an operand, unchanged at inference.
    Identity,
    /// Normalizes or picks along all static axes.
    Softmax,
    /// Combines the elements along some axes.
    Reduction,
    /// A matrix product.
    Product,
    /// Windows that move over spatial axes.
    Window,
    /// Batch normalization.
    Normalization,
    /// Puts elements elsewhere and computes nothing.
    Moves,
    /// Makes, or picks by, indices.
    Indexing,
    /// Reads other frames of a sequence at a fixed distance.
    Delay,
    /// Makes, picks or relates sequences and batches.
    Sequence,
    /// A whole recurrent network.
    Recurrent,
    /// Compares samples.
    Similarity,
    /// A criterion or metric of training.
    Criterion,
    /// Draws random numbers, at inference too.
    Random,
    /// Structure, not computation.
    Structure,
    /// Code that the file does not contain.
    Foreign,
}

/// How the shape of output 0 follows from the operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShapeRule {
    /// It is that of operand 0.
    First,
    /// It is what all operands broadcast to.
    Broadcast,
    /// It is a scalar.
    Scalar,
    /// By a rule of its own.
    Own,
}

/// What an element of the result may depend on, besides static places of its own frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reach {
    /// On nothing else.
    Frame,
    /// On other frames of its sample.
    Sequence,
    /// On other samples of the batch.
    Batch,
}

/// Where a gradient goes on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gradient {
    /// From every output to every operand.
    All,
    /// Nowhere.
    None,
    /// To operand 0 alone.
    FirstOperand,
    /// To every operand but the first.
    OtherOperands,
    /// From output 0 alone.
    FirstOutput,
}

/// What is known of the result's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Values {
    /// Nothing.
    Any,
    /// Each is 0 or 1.
    ZeroOrOne,
    /// None is negative.
    NonNegative,
    /// All are above zero.
    Positive,
    /// They are elements of operand 0.
    OfFirst,
}

/// The facts of an operator. A row of the op table begins with those of its class and says what differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Facts {
    /// The family.
    pub class: Class,
    /// The shape of output 0.
    pub shape: ShapeRule,
    /// Does it work alike on a value and on the same value repeated along its dynamic axes, so that broadcasting can do the
    /// repeating? Attributes may say otherwise: [`Operator::repeats`](super::Operator::repeats).
    pub repeats: bool,
    /// What an element of the result may depend on. Attributes may widen it: [`Operator::reach`](super::Operator::reach).
    pub reach: Reach,
    /// Where a gradient goes on to.
    pub gradient: Gradient,
    /// What is known of the result's elements.
    pub values: Values,
    /// May an automatic crop look past it, spatial places staying where they are? As CNTK 2.7 has it: its nodes that are
    /// functions of one or two operands may, except for those that name their own class (ELU, Cast).
    pub in_place: bool,
    /// Since that op-set version it has exactly that many inputs.
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
