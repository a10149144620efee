//! Python expressions: their syntax tree and its constructors.

pub(crate) use super::make::{
    args, dimensions, functional, helper, keyword, list, nn, numbers, of, shape, torch, tuple,
};
pub(crate) use super::tree::{Argument, Binary, Expr, Module, Prec, StateId, Subscript, Unary, ValueId, Weighs};
