//! Recognises first and last frames. CNTK has no op for them: it gathers the frames that a delayed pattern of ones and
//! zeros marks.

use super::Lower;
use cntk_parser::model::{Source, VariableKind};
use cntk_parser::ops::Operator;

/// The first or the last frame of each sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

/// The frame that an index selects: `PackedIndex(_, Where(delay(0, initial 1)))`.
pub(super) fn of_index(cx: &Lower<'_, '_, '_>, source: Source) -> Option<End> {
    let model = cx.graph.model;
    let Source::Output(f, 0) = source else { return None };
    match model.operator(f) {
        Operator::PackedIndex => of_index(cx, *model.inputs(f).get(1)?),
        Operator::Where(_) => of_condition(cx, *model.inputs(f).first()?),
        _ => None,
    }
}

fn of_condition(cx: &Lower<'_, '_, '_>, source: Source) -> Option<End> {
    let model = cx.graph.model;
    let Source::Output(f, 0) = source else { return None };
    let end = match model.operator(f) {
        Operator::PastValue(d) if d.offset == 1 => End::First,
        Operator::FutureValue(d) if d.offset == 1 => End::Last,
        // A product with ones, or a view.
        Operator::ElementTimes => {
            let [a, b] = model.inputs(f) else { return None };
            return match (always(cx, *a), always(cx, *b)) {
                (Some(1.0), _) => of_condition(cx, *b),
                (_, Some(1.0)) => of_condition(cx, *a),
                _ => None,
            };
        }
        Operator::Pass | Operator::NoOp | Operator::StopGradient | Operator::Reshape(_) => {
            return of_condition(cx, *model.inputs(f).first()?);
        }
        _ => return None,
    };
    let [x, initial] = model.inputs(f) else { return None };
    (always(cx, *x) == Some(0.0) && always(cx, *initial) == Some(1.0)).then_some(end)
}

/// The number that a value is in every frame.
fn always(cx: &Lower<'_, '_, '_>, source: Source) -> Option<f64> {
    let model = cx.graph.model;
    match source {
        Source::Variable(v) if model.variable(v).kind == VariableKind::Constant => {
            let all = crate::pytorch::weights::small(model.variable(v), 16)?;
            let first = *all.first()?;
            all.iter().all(|x| *x == first).then_some(first)
        }
        Source::Variable(_) => None,
        Source::Output(f, _) => match model.operator(f) {
            Operator::ConstantOp(a) => Some(a.fill_value),
            Operator::ReconcileDynamicAxis
            | Operator::Pass
            | Operator::NoOp
            | Operator::StopGradient
            | Operator::Reshape(_) => always(cx, *model.inputs(f).first()?),
            _ => None,
        },
    }
}
