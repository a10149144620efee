//! A lowered model with the names of its parts: what the writers of the files need to know.

use super::guard::Guard;
use super::lower::Lower;
use super::state::State;

pub(super) struct Emission<'l, 'g, 'm, 'a> {
    pub(super) lower: &'l Lower<'g, 'm, 'a>,
    pub(super) class: String,
    /// State in use, with its name.
    pub(super) states: Vec<(String, &'l State)>,
    /// Names of outputs.
    pub(super) outputs: Vec<String>,
    /// What checks the inputs, if anything does.
    pub(super) guard: Option<Guard>,
}
