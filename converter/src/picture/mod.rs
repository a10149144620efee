//! The graph as a person would draw it: layers, and what goes from one to the next.
//!
//! A [`Picture`] says what there is to draw and knows neither terminal nor page; [`svg`] and [`dot`] draw it.
//!
//! - A block that CNTK's user made is one node, and so is a product with its bias, normalization and activation, and a recurrence
//!   around one cell. What is inside such a node is a picture of its own.
//! - Equal parts of the model that follow one another are one node with their count.
//! - What only training criteria need is marked.
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

/// What there is to draw.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Picture {
    /// The boxes.
    pub nodes: Vec<Node>,
    /// What goes from one to another.
    pub edges: Vec<Edge>,
    /// How many layers it shows. More than its nodes where several are one node.
    pub layers: usize,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// An input of the model.
    Input,
    /// An output of the model.
    Output,
    /// Something computed.
    Layer,
    /// A stretch of the model that repeats; [`Node::inside`] is one of its equal parts.
    Repeat,
    /// A stretch of a model that is too large to be shown.
    Stretch,
    /// A value that comes from outside of what the picture shows.
    Enter,
    /// A value that is needed outside.
    Leave,
}

/// Which way a recurrence runs.
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
    /// What it is.
    pub role: Role,
    /// What it does: `Convolution 3×3, ReLU`.
    pub title: String,
    /// Its name in the file; may be empty.
    pub name: String,
    /// The axes of what it gives, `[batch, 64, 8, 8]`; of its first output where there are several.
    pub shape: String,
    /// Its functions, inputs before consumers; blocks are seen through.
    pub functions: Vec<FunctionId>,
    /// Its parameters and constants.
    pub weights: Vec<VariableId>,
    /// Elements of its parameters and constants.
    pub parameters: u64,
    /// Multiply-adds of its products and convolutions.
    pub multiply_adds: Amount,
    /// How many equal parts it stands for; 1 where it is one.
    pub count: usize,
    /// How many layers it stands for.
    pub layers: usize,
    /// Do only training criteria need it?
    pub criterion: bool,
    /// It holds a whole recurrence.
    pub recurrence: Option<Direction>,
    /// What is in it, where that is more than its title says.
    pub inside: Option<Box<Picture>>,
}

/// What goes from a node to another.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Edge {
    /// Index of a node.
    pub from: usize,
    /// Index of a node.
    pub to: usize,
    /// What it carries.
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

    /// The picture of a model, with one of what is in each box.
    pub fn with_insides(model: &ValidatedModel<'_>) -> Self {
        build::picture(model, Depth::Deep)
    }

    /// The layers of a model, one by one: nothing is one node with its repetitions, nothing is left out. Inputs and outputs are
    /// not among them.
    pub fn layers(model: &ValidatedModel<'_>) -> Vec<Node> {
        build::layers(model)
    }
}

impl Node {
    /// A node of which nothing more is known yet.
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
