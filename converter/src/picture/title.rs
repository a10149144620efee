//! The text in a box.

use super::{
    Direction,
    units::{class, is_delay},
};
use crate::cells::{self, Kind};
use cntk_parser::{
    model::{FunctionId, FunctionKind, Shape, Source, ValidatedModel},
    ops::{Class, Op, Operator, attributes::PoolingType},
};

/// Labels from the file are cut at this many characters.
const LONGEST: usize = 40;
/// The most parts of a title.
const PARTS: usize = 4;

/// What a unit does, in words.
pub fn title(
    model: &ValidatedModel<'_>,
    keys: &[FunctionId],
    functions: &[FunctionId],
    recurrence: Option<Direction>,
) -> String {
    if recurrence.is_some() && keys.len() > 1 {
        // The block inside the recurrence; without one, the kind of most of its functions.
        let blocks: Vec<String> =
            keys.iter().filter(|k| is_block(model, **k)).map(|k| label(model, *k, functions, false)).collect();
        if blocks.is_empty() {
            return recurrence_of(model, functions);
        }
        return list(blocks.iter().map(String::as_str));
    }
    let parts: Vec<String> = keys.iter().enumerate().map(|(i, key)| label(model, *key, functions, i > 0)).collect();
    list(parts.iter().map(String::as_str))
}

/// Joins parts of a title: equal parts are written once with their count, and only the first few are named.
pub fn list<'t>(parts: impl Iterator<Item = &'t str>) -> String {
    let mut counted: Vec<(&str, usize)> = vec![];
    for part in parts {
        match counted.iter_mut().find(|(known, _)| *known == part) {
            Some((_, count)) => *count += 1,
            None => counted.push((part, 1)),
        }
    }
    let shown = counted.iter().take(PARTS).map(|(part, count)| match count {
        1 => (*part).to_owned(),
        n => format!("{n} × {part}"),
    });
    let text = shown.collect::<Vec<_>>().join(", ");
    if counted.len() > PARTS { text + ", …" } else { text }
}

/// The name that the author of the model gave a unit: that of its block, or of its last function.
pub fn name(model: &ValidatedModel<'_>, keys: &[FunctionId]) -> String {
    let named = |key: &&FunctionId| !model.function(**key).name.is_empty();
    let block = keys.iter().find(|key| is_block(model, **key) && named(key));
    let key = block.or_else(|| keys.iter().rev().find(named));
    key.map(|key| model.function(*key).name.to_owned()).unwrap_or_default()
}

fn is_block(model: &ValidatedModel<'_>, key: FunctionId) -> bool {
    matches!(model.function(key).kind, FunctionKind::Block(_))
}

/// A recurrence without a block: the kind of its cell, or its size.
fn recurrence_of(model: &ValidatedModel<'_>, functions: &[FunctionId]) -> String {
    let id = functions.iter().copied().find(|f| is_delay(model, *f)).and_then(|f| model.loop_of(f));
    match id.and_then(|id| cells::recognise(model, id)).map(|cell| cell.kind) {
        Some(Kind::Lstm(_)) => return "LSTM".to_owned(),
        Some(Kind::Gru(_)) => return "GRU".to_owned(),
        Some(Kind::Rnn { .. }) => return "RNN".to_owned(),
        None => {}
    }
    let products = functions.iter().filter(|f| class(model, **f) == Some(Class::Product)).count();
    match products {
        0 => format!("Recurrence of {} functions", functions.len()),
        1 => format!("Recurrence of {} functions, 1 product", functions.len()),
        n => format!("Recurrence of {} functions, {n} products", functions.len()),
    }
}

/// One part of a title. An addition of a weight after another part is a bias.
fn label(model: &ValidatedModel<'_>, key: FunctionId, functions: &[FunctionId], follows: bool) -> String {
    let function = model.function(key);
    match &function.kind {
        FunctionKind::Block(block) => {
            let window = functions.iter().find(|f| {
                std::iter::successors(Some(**f), |f| model.parent(*f)).take(16).any(|f| f == key)
                    && matches!(model.operator(**f), Operator::Convolution(_) | Operator::Pooling(_))
            });
            let named = if block.op_name.is_empty() { "Block" } else { block.op_name };
            let window = window.map(|f| window_of(model, *f)).unwrap_or_default();
            cut(named) + if named.contains("Global") { "" } else { &window }
        }
        FunctionKind::Foreign(foreign) => foreign.name.to_owned(),
        FunctionKind::User(user) => format!("user-defined {}", cut(user.class.or(user.op).unwrap_or("function"))),
        FunctionKind::Primitive(op) => primitive(model, key, *op, follows),
    }
}

fn primitive(model: &ValidatedModel<'_>, key: FunctionId, op: Op, follows: bool) -> String {
    let weight = |source: &Source| matches!(source, Source::Variable(v) if model.variable(*v).value.is_some());
    let weighs = model.inputs(key).iter().any(weight);
    match model.operator(key) {
        Operator::Plus if follows && weighs => "bias".to_owned(),
        Operator::ElementTimes if follows && weighs => "scale".to_owned(),
        Operator::Convolution(convolution) => {
            let named = if convolution.transpose { "Transposed convolution" } else { "Convolution" };
            format!("{named}{}", window_of(model, key))
        }
        Operator::Pooling(pooling) => {
            let named = match pooling.kind {
                PoolingType::Max => "Max pooling",
                PoolingType::Average => "Average pooling",
            };
            format!("{named}{}", window_of(model, key))
        }
        Operator::ReduceElements(reduce) => format!("Reduce {:?}", reduce.reduction),
        Operator::PastValue(delay) => format!("Past value −{}", delay.offset),
        Operator::FutureValue(delay) => format!("Future value +{}", delay.offset),
        _ => op.name().to_owned(),
    }
}

/// ` 3×3, stride 2`, of a convolution or pooling.
fn window_of(model: &ValidatedModel<'_>, f: FunctionId) -> String {
    let (window, strides, groups) = match model.operator(f) {
        Operator::Convolution(convolution) => {
            let kernel = model.inputs(f).first().map(|source| &model.type_of(*source).shape);
            let window: Vec<u64> = kernel.iter().flat_map(|k| k.iter().skip(2)).map_while(|d| d.known()).collect();
            (window, &convolution.strides, convolution.groups)
        }
        Operator::Pooling(pooling) if pooling.window.is_unknown() => return String::new(),
        Operator::Pooling(pooling) => (row_major(&pooling.window), &pooling.strides, 1),
        _ => return String::new(),
    };
    // A window of CNTK 1 has an entry for the channels, too, which has no effect.
    let steps = row_major(strides);
    let steps = &steps[steps.len().saturating_sub(window.len().max(1))..];
    let idle = usize::from(window.len() == 3 && steps.len() == 3 && window[0] == 1 && steps[0] == 1);
    let (window, steps) = (&window[idle..], &steps[idle..]);
    let mut text = match window.len() {
        0 => String::new(),
        _ => format!(" {}", window.iter().map(u64::to_string).collect::<Vec<_>>().join("×")),
    };
    match steps {
        [] => {}
        [first, rest @ ..] if rest.iter().all(|s| s == first) => {
            if *first != 1 {
                text += &format!(", stride {first}");
            }
        }
        _ => text += &format!(", stride {}", steps.iter().map(u64::to_string).collect::<Vec<_>>().join("×")),
    }
    if groups > 1 {
        text += &format!(", {groups} groups");
    }
    text
}

fn row_major(shape: &Shape) -> Vec<u64> {
    shape.0.iter().rev().copied().collect()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
