//! Criteria that align token sequences (spec 4.14): EditDistanceError, ForwardBackward.

use super::criteria::number;
use super::elementwise::log_plus;
use super::softmax::{argmax, log_sum};
use super::{Call, Out};
use crate::fault::fault;
use crate::value::Value;
use cntk_parser::ops::attributes::{EditDistanceError, ForwardBackward};

/// The rows of each sequence.
fn sequences(value: &Value) -> Vec<Vec<Vec<f64>>> {
    let (width, data) = (value.width(), value.contiguous());
    let rows = |steps: std::ops::Range<usize>| steps.map(|i| data[i * width..(i + 1) * width].to_vec()).collect();
    value.frames.ranges().into_iter().map(rows).collect()
}

/// EditDistanceError: the number of edits on the cheapest way from the first operand's tokens to the second's, divided
/// by the number of the second's tokens, times the number of frames. The penalties select the cheapest way but are not
/// summed.
pub(super) fn edit_distance(call: &mut Call<'_>, a: &EditDistanceError) -> Out {
    let (first, second) = (sequences(call.input(0)), sequences(call.input(1)));
    if first.len() != second.len() {
        return fault("its operands do not have the same samples");
    }
    let (mut count, mut tokens) = (0, 0);
    for (from, to) in first.iter().zip(&second) {
        let (from, to) = (remaining(from, a), remaining(to, a));
        call.meter.spend(&[from.len() + 1, to.len() + 1])?;
        count += edits(&from, &to, a);
        tokens += to.len();
    }
    let frames = call.input(0).frames.count() as f64;
    number(call, if tokens == 0 { 0.0 } else { count as f64 / tokens as f64 * frames })
}

/// The tokens of a sequence: the arg-maxima of its frames, with equal neighbours merged if asked for, without those to
/// ignore.
fn remaining(rows: &[Vec<f64>], a: &EditDistanceError) -> Vec<u64> {
    let mut tokens: Vec<u64> = rows.iter().map(|row| argmax(row) as u64).collect();
    if a.squash_inputs {
        tokens.dedup();
    }
    tokens.retain(|token| !a.tokens_to_ignore.contains(token));
    tokens
}

/// The number of edits on the cheapest way from one list of tokens to another. Equal tokens are always matched. Of ways
/// with the same cost, CNTK prefers a substitution, then a deletion.
fn edits(from: &[u64], to: &[u64], a: &EditDistanceError) -> usize {
    let [substitution, deletion, insertion] =
        [a.substitution_penalty, a.deletion_penalty, a.insertion_penalty].map(f64::from);
    let mut row: Vec<(f64, usize)> = (0..=to.len()).map(|j| (j as f64 * deletion, j)).collect();
    for (i, token) in (1..).zip(from) {
        let mut next = vec![(f64::from(i) * insertion, i as usize)];
        for (j, other) in to.iter().enumerate() {
            let step = |(cost, count): (f64, usize), penalty| (cost + penalty, count + 1);
            let ways = [step(row[j], substitution), step(next[j], deletion), step(row[j + 1], insertion)];
            let best = ways.into_iter().reduce(|best, way| if way.0 < best.0 { way } else { best });
            next.push(if token == other { row[j] } else { best.unwrap_or(row[j]) });
        }
        row = next;
    }
    row[to.len()].1
}

/// ForwardBackward: the negative log likelihood of the labels under connectionist temporal classification, summed over
/// the sequences. A label graph has 2 at the first frame of each token and 1 at the others. The features go through a
/// softmax.
pub(super) fn forward_backward(call: &mut Call<'_>, a: &ForwardBackward) -> Out {
    let (graphs, features) = (sequences(call.input(0)), sequences(call.input(1)));
    if graphs.len() != features.len() || call.input(0).width() != call.input(1).width() {
        return fault("its operands do not have the same samples and tokens");
    }
    let classes = call.input(1).width();
    let blank = usize::try_from(a.blank_token_id).unwrap_or(usize::MAX).min(classes - 1);
    let mut sum = 0.0;
    for (graph, rows) in graphs.iter().zip(&features) {
        let tokens = graph.iter().filter(|row| row.contains(&2.0)).map(|row| argmax(row));
        let states: Vec<usize> = tokens.flat_map(|token| [blank, token]).chain([blank]).collect();
        call.meter.spend(&[rows.len(), states.len()])?;
        sum -= likelihood(&states, rows, blank);
    }
    number(call, sum)
}

/// The logarithm of the probability of all paths through tokens with blanks between them.
fn likelihood(states: &[usize], rows: &[Vec<f64>], blank: usize) -> f64 {
    let add = |a: f64, b: f64| if a == f64::NEG_INFINITY { b } else { log_plus(a, b) };
    let mut reached = vec![f64::NEG_INFINITY; states.len()];
    for (t, row) in rows.iter().enumerate() {
        let normaliser = log_sum(row);
        let before = std::mem::take(&mut reached);
        let from = |i: usize| {
            let mut all = before[i];
            if i >= 1 {
                all = add(all, before[i - 1]);
            }
            if i >= 2 && states[i] != blank && states[i] != states[i - 2] {
                all = add(all, before[i - 2]);
            }
            all
        };
        let arrive = |i: usize| {
            if t > 0 {
                from(i)
            } else if i < 2 {
                0.0
            } else {
                f64::NEG_INFINITY
            }
        };
        reached = (0..states.len()).map(|i| arrive(i) + row[states[i]] - normaliser).collect();
    }
    let last = states.len() - 1;
    if last == 0 { reached[0] } else { add(reached[last], reached[last - 1]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected numbers are CNTK 2.7's.
    #[test]
    fn penalties_choose_the_way_and_edits_are_counted() {
        let count = |[s, d, i]: [f32; 3], from: &[u64], to: &[u64]| {
            let a = EditDistanceError {
                substitution_penalty: s,
                deletion_penalty: d,
                insertion_penalty: i,
                squash_inputs: false,
                tokens_to_ignore: vec![],
            };
            edits(from, to, &a)
        };
        assert_eq!(count([1.0, 0.0, 0.0], &[0, 1, 2, 3], &[3, 2, 1, 0]), 6);
        assert_eq!(count([0.0, 1.0, 0.0], &[0, 1, 2, 3], &[3, 2, 1, 0]), 4);
        assert_eq!(count([5.0, 2.0, 4.0], &[1], &[0]), 1);
        assert_eq!(count([1.0, 2.0, 4.0], &[1, 1, 2], &[2, 2, 1]), 3);
    }
}
