//! Python text: expressions, identifiers, function bodies, and the layout that `ruff format` would give them.

pub(crate) mod body;
pub(crate) mod calls;
pub(crate) mod code;
pub(crate) mod expr;
pub(crate) mod literal;
pub(crate) mod make;
pub(crate) mod names;
mod naming;
pub(crate) mod plan;
pub(crate) mod print;
mod tree;
mod types;
pub(crate) mod uses;
pub(crate) mod wrap;
