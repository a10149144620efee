//! Finds the frames that a Where selects if that depends on their positions alone: first, last, and slices of
//! sequences.
//!
//! CNTK stores them as delays of constants, arithmetic on these, and a Where (spec 4.13). The value of such a condition
//! at a frame depends on the distances of the frame from both ends of its sequence; `place::Grid` is that function.
//! Knows neither ONNX nor PyTorch.

mod place;

use cntk_parser::model::{FunctionId, SequenceAxisId, Source, ValidatedModel};
use cntk_parser::ops::Operator;
use cntk_parser::ops::facts::Values;
use place::{Grid, INFINITE};
use std::collections::HashSet;

/// A range of frames of each sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frames {
    /// All frames except for the first `skip` and the last `drop`.
    Inner {
        /// How many are left out at the start.
        skip: u64,
        /// How many are left out at the end.
        drop: u64,
    },
    /// Frames `from..to`, counted from the start.
    Head {
        /// The first frame.
        from: u64,
        /// One past the last frame.
        to: u64,
    },
    /// Frames with at least `from` and fewer than `to` frames after them.
    Tail {
        /// The number of frames after the last selected one.
        from: u64,
        /// The number of frames after the first selected one, plus one.
        to: u64,
    },
}

/// A part of the sequence axis. Negative numbers count from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// One frame of each sequence, without the axis.
    At(i64),
    /// The frames from the first number on, up to the second or to the end.
    Range(i64, Option<i64>),
}

/// How many frames of zeros surround frames that are put back into their sequences; `None` for as many as there are
/// besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins {
    /// Before the frames.
    pub before: Option<u64>,
    /// After the frames.
    pub after: Option<u64>,
    /// Do frames of longer sequences lie where shorter ones have zeros, so that these must be filled with zeros first?
    pub fill: bool,
}

impl Frames {
    /// The lengths of what is selected: of at most so many frames, all but so many.
    pub fn lengths(self) -> (Option<u64>, u64) {
        match self {
            Self::Inner { skip, drop } => (None, skip.saturating_add(drop)),
            Self::Head { from, to } | Self::Tail { from, to } => (Some(to), from),
        }
    }

    /// The part of the axis that holds these frames. `single`: they are one frame of each sequence; `even`: all sequences
    /// have one length, which tells where they end. `None` if the part depends on the lengths.
    pub fn cut(self, single: bool, even: bool) -> Option<Cut> {
        let number = |n: u64| i32::try_from(n).ok().map(i64::from);
        Some(match self {
            Self::Inner { skip: from, .. } | Self::Head { from, .. } if single => Cut::At(number(from)?),
            Self::Inner { skip, drop: 0 } => Cut::Range(number(skip)?, None),
            Self::Inner { skip, drop } => Cut::Range(number(skip)?, Some(-number(drop)?)),
            Self::Head { from, to } => Cut::Range(number(from)?, Some(number(to)?)),
            Self::Tail { .. } if !even => return None,
            Self::Tail { to, .. } if single => Cut::At(-number(to)?),
            Self::Tail { from: 0, to } => Cut::Range(-number(to)?, None),
            Self::Tail { from, to } => Cut::Range(-number(to)?, Some(-number(from)?)),
        })
    }

    /// What surrounds these frames in the sequences that they are frames of. `single` and `even` are as in [`Self::cut`].
    /// `None` if that depends on the lengths.
    pub fn margins(self, single: bool, even: bool) -> Option<Margins> {
        let fits = |n: u64| i32::try_from(n).is_ok().then_some(n);
        let (before, after) = match self {
            // One frame of each sequence, whose length the file does not tell.
            Self::Inner { .. } if single => return None,
            Self::Inner { skip, drop } => (Some(fits(skip)?), Some(fits(drop)?)),
            Self::Head { from, .. } => (Some(fits(from)?), None),
            Self::Tail { .. } if !even => return None,
            Self::Tail { from, .. } => (None, Some(fits(from)?)),
        };
        Some(Margins { before, after, fill: !even && matches!(self, Self::Inner { drop: 1.., .. }) })
    }
}

/// The frames that a Where selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picked {
    /// The same frames for all data.
    Frames(Frames),
    /// The frames where the condition is 1; elsewhere it is 0.
    Marked,
    /// As [`Picked::Marked`], but the condition may have values other than 0 and 1. CNTK takes a value as the number of
    /// times that the frame is repeated, and carries fractions over to the next frame.
    Counted,
}

/// The frames that a Where with this condition selects.
pub fn picked(model: &ValidatedModel<'_>, condition: Source) -> Picked {
    if let Some(grid) = place::grid(model, condition) {
        if let Some(frames) = run(&grid) {
            return Picked::Frames(frames);
        }
        if grid.is_binary() {
            return Picked::Marked;
        }
    }
    if is_binary(model, condition) { Picked::Marked } else { Picked::Counted }
}

/// The Where behind a packed index, and its condition.
pub fn origin(model: &ValidatedModel<'_>, index: Source) -> Option<(FunctionId, Source)> {
    let Source::Output(packed, 0) = index else { return None };
    let Operator::PackedIndex = model.operator(packed) else { return None };
    let Source::Output(place, 0) = *model.inputs(packed).get(1)? else { return None };
    let Operator::Where(_) = model.operator(place) else { return None };
    Some((place, *model.inputs(place).first()?))
}

/// The frames of `x` that a packed index selects, if they are the same range for all data and of the same axis.
pub fn gathered(model: &ValidatedModel<'_>, x: Source, index: Source) -> Option<Frames> {
    let (_, condition) = origin(model, index)?;
    let axis = |s| model.type_of(s).axes.sequence;
    match picked(model, condition) {
        Picked::Frames(frames) if axis(x) == axis(condition) => Some(frames),
        _ => None,
    }
}

/// The frames on `axis` to which a packed index scatters, if they are the same range for all data.
pub fn scattered(model: &ValidatedModel<'_>, index: Source, axis: SequenceAxisId) -> Option<Frames> {
    let (_, condition) = origin(model, index)?;
    match picked(model, condition) {
        Picked::Frames(frames) if model.type_of(condition).axes.sequence == Some(axis) => Some(frames),
        _ => None,
    }
}

/// The range of frames where the grid is 1, if it is 0 everywhere else.
fn run(grid: &Grid) -> Option<Frames> {
    if !grid.is_binary() {
        return None;
    }
    let (from, to) = grid.front_run()?;
    let (drop, keep) = grid.back_run()?;
    if !grid.is_product(from, to, drop, keep) {
        return None;
    }
    match (to == INFINITE, keep == INFINITE) {
        (true, true) => Some(Frames::Inner { skip: from, drop }),
        (false, true) if drop == 0 => Some(Frames::Head { from, to }),
        (true, false) if from == 0 => Some(Frames::Tail { from: drop, to: keep }),
        _ => None,
    }
}

/// Is a value 0 or 1 everywhere? Follows the operators that preserve this through the graph, including loops.
fn is_binary(model: &ValidatedModel<'_>, source: Source) -> bool {
    const MOST: usize = 256;
    let mut seen: HashSet<Source> = HashSet::new();
    let mut stack = vec![source];
    while let Some(source) = stack.pop() {
        if !seen.insert(source) {
            continue;
        }
        if seen.len() > MOST {
            return false;
        }
        let function = match source {
            Source::Variable(_) => match crate::graph::literal::scalar(model, source) {
                Some(v) if v == 0.0 || v == 1.0 => continue,
                _ => return false,
            },
            Source::Output(f, _) => f,
        };
        let inputs = model.inputs(function);
        match model.operator(function) {
            Operator::ConstantOp(a) if a.fill_value == 0.0 || a.fill_value == 1.0 => {}
            Operator::Minus if crate::graph::literal::scalar(model, inputs[0]) == Some(1.0) => stack.push(inputs[1]),
            Operator::ElementTimes | Operator::PastValue(_) | Operator::FutureValue(_) | Operator::Splice(_) => {
                stack.extend(inputs);
            }
            Operator::Select => stack.extend(&inputs[1..]),
            // These give 0 or 1 for operands that are 0 or 1.
            Operator::Cast(_)
            | Operator::Floor
            | Operator::Abs
            | Operator::ReLU
            | Operator::Sqrt
            | Operator::ScatterPacked => stack.push(inputs[0]),
            op => match op.facts().values {
                Values::ZeroOrOne => {}
                Values::OfFirst => stack.push(inputs[0]),
                _ => return false,
            },
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_holds_the_selected_frames() {
        let ranges = |a, b| {
            let (from, to) = (a, a + b);
            [Frames::Inner { skip: a, drop: b }, Frames::Head { from, to }, Frames::Tail { from, to }]
        };
        for frames in (0..3).flat_map(|a| (1..3).flat_map(move |b| ranges(a, b))) {
            for n in 5..8_i64 {
                let selected: Vec<i64> = (0..n)
                    .filter(|i| match frames {
                        Frames::Inner { skip, drop } => *i >= skip as i64 && *i < n - drop as i64,
                        Frames::Head { from, to } => (from as i64..to as i64).contains(i),
                        Frames::Tail { from, to } => (from as i64..to as i64).contains(&(n - 1 - i)),
                    })
                    .collect();
                let at = |i: i64| if i < 0 { n + i } else { i };
                let Some(Cut::Range(from, to)) = frames.cut(false, true) else { panic!("{frames:?}") };
                assert_eq!((at(from)..to.map_or(n, at)).collect::<Vec<_>>(), selected, "{frames:?} of {n}");
                let margins = frames.margins(false, true).expect("even sequences");
                let (first, last) = (selected[0] as u64, selected[selected.len() - 1] as u64);
                assert!(margins.before.is_none_or(|before| before == first), "{frames:?} of {n}");
                assert!(margins.after.is_none_or(|after| after == n as u64 - 1 - last), "{frames:?} of {n}");
                let (most, less) = frames.lengths();
                let length = n.min(most.map_or(n, |most| most as i64)) - less as i64;
                assert_eq!(length, selected.len() as i64, "{frames:?} of {n}");
                if let [only] = selected.as_slice() {
                    let Some(Cut::At(place)) = frames.cut(true, true) else { panic!("{frames:?}") };
                    assert_eq!(at(place), *only, "{frames:?} of {n}");
                }
            }
        }
    }

    #[test]
    fn where_sequences_end_depends_on_their_lengths() {
        assert_eq!(Frames::Tail { from: 0, to: 1 }.cut(true, false), None);
        assert_eq!(Frames::Tail { from: 1, to: 3 }.cut(false, false), None);
        assert_eq!(Frames::Head { from: 0, to: u64::MAX }.cut(false, false), None);
        assert_eq!(Frames::Tail { from: 0, to: 1 }.margins(true, false), None);
        assert_eq!(Frames::Inner { skip: 2, drop: 0 }.margins(true, true), None);
        let filled = |frames: Frames, even| frames.margins(false, even).map(|m| m.fill);
        assert_eq!(filled(Frames::Inner { skip: 0, drop: 1 }, false), Some(true));
        assert_eq!(filled(Frames::Inner { skip: 0, drop: 1 }, true), Some(false));
        assert_eq!(filled(Frames::Inner { skip: 1, drop: 0 }, false), Some(false));
        assert_eq!(filled(Frames::Head { from: 1, to: 3 }, false), Some(false));
    }
}
