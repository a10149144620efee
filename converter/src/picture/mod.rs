//! The graph as a person would draw it: layers and the values between them.
//!
//! A [`Picture`] describes what to draw, independently of the output; [`svg`] and [`dot`] draw it.
//!
//! - A block that the author of the model made is one node, and so is a product with its bias, normalization and activation, and
//!   a recurrence around one cell. What is inside such a node is a picture of its own.
//! - Equal parts of the model that follow one another are one node with their count.
//! - Nodes that only training criteria need are marked.
//! - A model with very many layers is shown as an overview, whose nodes stand for stretches of it.

mod build;
mod dot;
mod ends;
mod layout;
mod measure;
mod overview;
mod repeat;
mod scene;
mod stretch;
mod svg;
mod title;
mod units;

pub use dot::dot;
pub use svg::{STYLE, fragment, svg};

use crate::Amount;
use cntk_parser::model::{FunctionId, Source, ValidatedModel, VariableId};

/// A description of what to draw.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Picture {
    /// The boxes.
    pub nodes: Vec<Node>,
    /// The edges between boxes.
    pub edges: Vec<Edge>,
    /// How many layers it shows, which may be more than it has nodes.
    pub layers: usize,
}

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// An input of the model.
    Input,
    /// An output of the model.
    Output,
    /// A layer or function.
    Layer,
    /// A repeated part of the model; [`Node::inside`] is the picture of one repetition.
    Repeat,
    /// A stretch of a model that is too large to be shown.
    Stretch,
    /// A value from outside of the picture.
    Enter,
    /// A value that is read outside of the picture.
    Leave,
}

/// The direction of a recurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Over past steps.
    Forward,
    /// Over future steps.
    Backward,
}

/// A box. Its texts come from the file as they are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Node {
    /// Its kind.
    pub role: Role,
    /// Its title: `Convolution 3×3, ReLU`.
    pub title: String,
    /// Its name in the file, which may be empty.
    pub name: String,
    /// The axes of its (first) output, `[batch, 64, 8, 8]`.
    pub shape: String,
    /// Its functions, producers before consumers, without blocks.
    pub functions: Vec<FunctionId>,
    /// Its parameters and constants.
    pub weights: Vec<VariableId>,
    /// Elements of its parameters and constants.
    pub parameters: u64,
    /// Multiply-adds of its products and convolutions.
    pub multiply_adds: Amount,
    /// How many equal parts it stands for, usually 1.
    pub count: usize,
    /// How many layers it stands for.
    pub layers: usize,
    /// Do only training criteria need it?
    pub criterion: bool,
    /// It holds a whole recurrence.
    pub recurrence: Option<Direction>,
    /// Its contents, if they say more than the title.
    pub inside: Option<Box<Picture>>,
}

/// An edge from one node to another.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Edge {
    /// Index of a node.
    pub from: usize,
    /// Index of a node.
    pub to: usize,
    /// The value that it carries.
    pub value: Option<Source>,
    /// Its axes, `[batch, sequence, 300]`; empty for several values at once.
    pub shape: String,
    /// It goes back to the delay of a recurrence.
    pub back: bool,
}

impl Picture {
    /// The picture of a model.
    pub fn of(model: &ValidatedModel<'_>) -> Self {
        build::picture(model, Depth::Flat)
    }

    /// The picture of a model, including pictures of what is in each box.
    pub fn with_insides(model: &ValidatedModel<'_>) -> Self {
        build::picture(model, Depth::Deep)
    }

    /// [`Self::with_insides`] and [`Self::layers`] at once.
    pub(crate) fn with_layers(model: &ValidatedModel<'_>) -> (Self, Vec<Node>) {
        build::picture_and_layers(model)
    }

    /// The layers of a model one by one, without summarising repeated parts or leaving anything out. Inputs and outputs are not
    /// included.
    pub fn layers(model: &ValidatedModel<'_>) -> Vec<Node> {
        build::layers(model)
    }
}

impl Node {
    /// A node that has only a title yet.
    fn new(role: Role, title: String) -> Self {
        Self {
            role,
            title,
            name: String::new(),
            shape: String::new(),
            functions: vec![],
            weights: vec![],
            parameters: 0,
            multiply_adds: Amount::default(),
            count: 1,
            layers: 0,
            criterion: false,
            recurrence: None,
            inside: None,
        }
    }
}

/// Are pictures made of what is in a box?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    /// Only of repeated parts.
    Flat,
    /// Of all.
    Deep,
}

#[cfg(test)]
mod tests;
