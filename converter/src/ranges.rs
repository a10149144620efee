//! Finds inputs that a model uses as indices, lengths or boxes, and the range of valid values for them.

use cntk_parser::model::{FunctionId, Source, ValidatedModel, VariableId};
use cntk_parser::ops::Operator;
use std::collections::{HashMap, HashSet};

/// The use of an input.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    /// An index below this.
    Index(u64),
    /// A number of steps, at most this many.
    Steps(u64),
    /// Corners of boxes on a map with this many columns and rows.
    Boxes([f64; 2]),
}

/// The inputs that are used in one of these ways, directly or through operators that only move elements.
pub(crate) fn uses(model: &ValidatedModel<'_>, wanted: impl Iterator<Item = Source>) -> HashMap<VariableId, Use> {
    let mut found = HashMap::new();
    let outer = |source: Source| model.type_of(source).shape.first().and_then(|dim| dim.known());
    let mut seen: HashSet<FunctionId> = HashSet::new();
    let mut open: Vec<Source> = wanted.collect();
    while let Some(source) = open.pop() {
        let Source::Output(id, _) = source else { continue };
        if !seen.insert(id) {
            continue;
        }
        let inputs = model.inputs(id);
        open.extend(inputs);
        match (model.operator(id), inputs) {
            (Operator::OneHot(a), [x]) => mark(model, *x, Use::Index(a.num_class), &mut found),
            (Operator::Gather, [x, table]) => {
                mark(model, *x, Use::Index(outer(*table).unwrap_or(2)), &mut found);
            }
            (Operator::ToSequence(_), [x, lengths]) => {
                mark(model, *lengths, Use::Steps(outer(*x).unwrap_or(2)), &mut found);
            }
            (Operator::ROIPooling(a), [map, boxes]) => {
                let shape = &model.type_of(*map).shape;
                let size = |back: usize| shape.iter().rev().nth(back).and_then(|dim| dim.known()).unwrap_or(2) as f64;
                let of = Use::Boxes([size(0) / a.spatial_scale, size(1) / a.spatial_scale]);
                mark(model, *boxes, of, &mut found);
            }
            _ => {}
        }
    }
    found
}

fn mark(model: &ValidatedModel<'_>, from: Source, of: Use, found: &mut HashMap<VariableId, Use>) {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(source) = open.pop() {
        match source {
            Source::Variable(id) => {
                let least = |a: Use| match (a, of) {
                    (Use::Index(a), Use::Index(b)) => Use::Index(a.min(b)),
                    _ => of,
                };
                found.entry(id).and_modify(|a| *a = least(*a)).or_insert(of);
            }
            Source::Output(id, _) if seen.insert(id) => match model.operator(id) {
                Operator::Reshape(_)
                | Operator::Squeeze(_)
                | Operator::Slice(_)
                | Operator::TransposeAxes(_)
                | Operator::Cast(_)
                | Operator::Pass
                | Operator::NoOp
                | Operator::StopGradient
                | Operator::ReconcileDynamicAxis
                | Operator::GatherPacked
                | Operator::PastValue(_)
                | Operator::FutureValue(_)
                | Operator::UnpackSequence(_)
                | Operator::ToSequence(_)
                | Operator::Floor => open.extend(model.inputs(id).first()),
                Operator::Splice(_) => open.extend(model.inputs(id)),
                _ => {}
            },
            Source::Output(..) => {}
        }
    }
}
