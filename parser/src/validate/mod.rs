//! Validation: reports everything that is wrong with a model, and turns a model without errors into a
//! [`ValidatedModel`], on which the converter relies.

mod arena;
mod attributes;
mod blocks;
mod code;
mod findings;
mod gather;
mod graph;
mod hazards;
mod names;
mod operators;
mod resolve;
mod rules;
mod scan;
mod types;
mod variables;

pub(crate) use operators::Operators;
pub(crate) use resolve::{output, split_output_uid};
pub use rules::{Rule, rules};

use crate::model::{DataType, Model, ValidatedModel};
use crate::report::Finding;
use findings::Findings;

/// How to validate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ValidateOptions {
    /// Report a user-defined function as a warning instead of an error. It is never run.
    pub allow_udf: bool,
    /// Scan all weights, and look for dead and duplicated units, tensors of an unusual scale and isolated elements. Otherwise only
    /// the first 16 MiB of tensor data are scanned for numbers that are not finite or extreme.
    pub scan_weights: bool,
    /// The types of unbound placeholders whose records do not give them.
    pub placeholders: Vec<PlaceholderType>,
    /// How many findings are kept; further ones are only counted. See [`crate::Limits::findings`].
    pub findings: u32,
}

impl Default for ValidateOptions {
    fn default() -> Self {
        let findings = crate::Limits::default().findings;
        Self { allow_udf: false, scan_weights: false, placeholders: Vec::new(), findings }
    }
}

/// The type of a placeholder that nothing binds. CNTK learns it when a program binds the placeholder after loading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceholderType {
    /// The placeholder, by uid or name.
    pub placeholder: String,
    /// Its element type.
    pub data_type: DataType,
    /// Its dimensions, if its record does not give them.
    pub dims: Option<PlaceholderDims>,
}

/// The dimensions of a placeholder that nothing binds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlaceholderDims {
    /// Does it have the batch axis?
    pub batch: bool,
    /// Does it have a sequence axis?
    pub sequence: bool,
    /// **Row-major** static shape; `None` is a free dimension.
    pub shape: Vec<Option<u64>>,
}

/// The result of validating a model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Validation<'a> {
    /// All findings.
    pub findings: Vec<Finding>,
    /// The number of findings beyond the limit.
    pub more_findings: u64,
    /// The model, if no finding is an error.
    pub model: Option<ValidatedModel<'a>>,
}

/// Checks a model against all rules.
pub fn validate<'a>(model: Model<'a>, options: &ValidateOptions) -> Validation<'a> {
    let mut findings = Findings::new(&model, options.findings as usize);
    names::check(&model, &mut findings);
    variables::check(&model, &mut findings);
    let operators = operators::decode(&model, &mut findings);
    code::check(&model, &operators, options, &mut findings);
    attributes::check(&model, &operators, &mut findings);
    let resolution = resolve::resolve(&model, &operators, &mut findings);
    variables::check_unbound(&model, &resolution, &mut findings);
    variables::check_tensor_shapes(&model, &resolution, &mut findings);
    blocks::check(&model, &mut findings);
    let order = graph::order(&model, &resolution, &mut findings);
    let types = types::infer(&model, &operators, &resolution, &order, options, &mut findings);
    hazards::check(&model, &operators, &resolution, &order, &types, &mut findings);
    scan::check(&model, options, &mut findings);
    let sound = findings.errors() == 0;
    let (mut found, mut more_findings) = findings.finish();
    let mut findings = model.warnings.clone();
    more_findings = more_findings.saturating_add(model.more_warnings);
    findings.append(&mut found);
    let model = sound.then(|| ValidatedModel {
        operators,
        inputs: resolution.inputs.into_vec(),
        output_types: types.outputs.into_vec(),
        variable_types: types.variables.into_vec(),
        unbound: resolution.unbound,
        unknown: types.unknown,
        parents: resolution.parents.into_vec(),
        order: order.order,
        loops: order.loops,
        loop_of: order.loop_of.into_vec(),
        outputs: resolution.outputs,
        sequence_axes: types.sequence_axes,
        terminals: resolution.terminals.into_vec(),
        arguments: resolution.arguments.into_vec(),
        model,
    });
    Validation { findings, more_findings, model }
}
