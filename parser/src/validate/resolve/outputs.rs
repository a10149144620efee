//! The outputs of the model, as CNTK names them.

use super::references::References;
use super::roots::Roots;
use crate::model::{FunctionKind, Model, Output, Source};
use crate::ops::Op;
use crate::validate::arena::Id;
use crate::validate::findings::{Findings, Place};
use crate::validate::rules;
use std::borrow::Cow;

/// How many bytes the uids of the root's outputs may take beyond the size of the file.
const MAX_OUTPUT_NAMES: u64 = 1 << 20;

/// The outputs of the root; their sources may still be aliases.
pub(super) fn outputs<'a>(
    model: &Model<'a>,
    roots: &Roots,
    references: &References,
    findings: &mut Findings<'_, 'a>,
) -> Vec<Output<'a>> {
    let Some(root) = roots.root else { return Vec::new() };
    let Some(function) = model.functions.get(root.place()) else { return Vec::new() };
    if matches!(function.kind, FunctionKind::Primitive(Op::Combine)) {
        let inputs = references.inputs.get(root).map(|i| i.as_slice()).unwrap_or_default();
        return inputs.iter().map(|source| output(model, *source)).collect();
    }
    let count = roots.output_counts.get(root).copied().unwrap_or(0);
    let room = u64::from(count).saturating_mul(function.uid.len() as u64);
    if room > MAX_OUTPUT_NAMES.saturating_add(model.input.len() as u64) {
        let text = format!("{count} outputs that begin with a uid of {} bytes", function.uid.len());
        findings.add(&rules::OUTPUT_NAMES, Place::FunctionKey(root, "uid"), text);
        return Vec::new();
    }
    (0..count).map(|i| output(model, Source::Output(root, i))).collect()
}

/// A value with the uid and name that CNTK gives it.
pub(crate) fn output<'a>(model: &Model<'a>, source: Source) -> Output<'a> {
    match source {
        Source::Variable(v) => {
            let (uid, name) = model.variables.get(v.place()).map_or(("", ""), |v| (v.uid, v.name));
            Output { uid: Cow::Borrowed(uid), name: Cow::Borrowed(name), source, function: None }
        }
        Source::Output(f, i) => {
            let function = model.functions.get(f.place());
            let (uid, name) = function.map_or(("", ""), |f| (f.uid, f.name));
            let name = match function.map(|f| &f.kind) {
                Some(FunctionKind::Primitive(Op::TopK)) if i == 1 && !name.is_empty() => {
                    Cow::Owned(format!("{name}_TopKIndexMask"))
                }
                Some(FunctionKind::Primitive(Op::UnpackSequence)) if i == 1 && !name.is_empty() => {
                    Cow::Owned(format!("{name}_UnpackSequenceMask"))
                }
                _ => Cow::Borrowed(name),
            };
            Output { uid: Cow::Owned(format!("{uid}_Output_{i}")), name, source, function: Some(f) }
        }
    }
}
