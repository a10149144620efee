//! A lowered model with the names of its parts, as the writers of the files need it.

use super::guard::Guard;
use super::lower::Lower;
use super::python::expr::StateId;
use super::state::State;
use super::structure::Filling;
use std::collections::HashMap;

pub(super) struct Emission<'l, 'g, 'm, 'a> {
    pub(super) lower: &'l Lower<'g, 'm, 'a>,
    pub(super) class: String,
    /// The state in use, with names.
    pub(super) states: Vec<(String, &'l State)>,
    pub(super) names: &'l HashMap<StateId, String>,
    /// Loops that fill lists, by the names of these.
    pub(super) fillings: HashMap<String, &'l Filling>,
    /// The time constant of all batch normalizations, if they have one.
    pub(super) time_constant: Option<String>,
    /// Names of outputs.
    pub(super) outputs: Vec<String>,
    /// The check of the inputs, if there is one.
    pub(super) guard: Option<Guard>,
}
