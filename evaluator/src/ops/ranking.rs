//! Ranking criteria (spec 4.14): LambdaRank, NDCG. The columns of CNTK's minibatch are the documents of queries; neighbours with
//! the same group number belong to one query. A gap in the minibatch is a document without score and gain, of group 0. CNTK
//! assumes that the documents of a query are given in their best order, and compares with it.

use super::criteria::number;
use super::{Call, Out};
use crate::fault::{Fault, fault};
use crate::value::Value;

/// A query: the gains of its documents in the given order, and by descending score, where of equal scores the lower
/// gain comes first.
struct Query {
    given: Vec<f64>,
    ranked: Vec<f64>,
}

/// The first number of each column of an operand.
fn column(value: &Value) -> Vec<f64> {
    let (numbers, width) = (value.contiguous(), value.width());
    value.frames.columns().into_iter().map(|frame| frame.map_or(0.0, |frame| numbers[frame * width])).collect()
}

/// The queries of the minibatch.
fn queries(call: &Call<'_>) -> Result<Vec<Query>, Fault> {
    call.reads_gaps()?;
    let [scores, gains, groups] = [0, 1, 2].map(|i| column(call.input(i)));
    if scores.len() != gains.len() || scores.len() != groups.len() {
        return fault("its operands do not have the same samples");
    }
    let mut all: Vec<Vec<(f64, f64)>> = Vec::new();
    for (i, document) in scores.into_iter().zip(gains).enumerate() {
        match all.last_mut() {
            // Group numbers are truncated to whole numbers.
            Some(query) if groups[i - 1].trunc() == groups[i].trunc() => query.push(document),
            _ => all.push(vec![document]),
        }
    }
    let query = |documents: Vec<(f64, f64)>| {
        let given = documents.iter().map(|d| d.1).collect();
        let mut ranked = documents;
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)));
        Query { given, ranked: ranked.into_iter().map(|d| d.1).collect() }
    };
    Ok(all.into_iter().map(query).collect())
}

/// A hundred times a mean over the queries, times the number of columns.
fn mean(call: &Call<'_>, f: impl Fn(&Query) -> f64) -> Out {
    let queries = queries(call)?;
    let mean = queries.iter().map(f).sum::<f64>() / queries.len() as f64;
    number(call, 100.0 * mean * call.input(0).frames.columns().len() as f64)
}

/// `part / whole`, or 0 if `whole` is 0.
fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// LambdaRank: the difference between the discounted cumulative gain of the given order and that of the ranking.
pub(super) fn lambda_rank(call: &mut Call<'_>) -> Out {
    let cumulative =
        |gains: &[f64]| gains.iter().enumerate().map(|(i, gain)| gain / (i as f64 + 2.0).ln()).sum::<f64>();
    mean(call, |query| 1.0 - share(cumulative(&query.ranked), cumulative(&query.given)))
}

/// NDCG at 1: the gain of the document with the highest score, divided by that of the first document.
pub(super) fn ndcg(call: &mut Call<'_>) -> Out {
    mean(call, |query| share(query.ranked[0], query.given[0]))
}
