//! Ranking criteria (spec 4.14): LambdaRank, NDCG. Samples are grouped by query: neighbours with one group number.

use super::criteria::number;
use super::{Call, Out};
use crate::fault::{Fault, fault};

/// A document of a query.
struct Document {
    score: f64,
    gain: f64,
}

/// The documents of each query, by descending score.
fn queries(call: &Call<'_>) -> Result<Vec<Vec<Document>>, Fault> {
    let [scores, gains, groups] = [0, 1, 2].map(|i| call.input(i).elements());
    if scores.len() != gains.len() || scores.len() != groups.len() {
        return fault("its operands are not one number per sample each");
    }
    let mut all: Vec<Vec<Document>> = Vec::new();
    for (i, group) in groups.iter().enumerate() {
        let document = Document { score: scores[i], gain: gains[i] };
        match all.last_mut() {
            Some(query) if groups[i - 1].trunc() == group.trunc() => query.push(document),
            _ => all.push(vec![document]),
        }
    }
    for query in &mut all {
        query.sort_by(|a, b| b.score.total_cmp(&a.score));
    }
    Ok(all)
}

/// The gain at each place, divided by the logarithm of the place (from 2 on), summed.
fn discounted(gains: impl Iterator<Item = f64>) -> f64 {
    gains.enumerate().map(|(place, gain)| gain / (place as f64 + 2.0).ln()).sum()
}

/// The same in the best order.
fn ideal(query: &[Document]) -> f64 {
    let mut gains: Vec<f64> = query.iter().map(|d| d.gain).collect();
    gains.sort_by(|a, b| b.total_cmp(a));
    discounted(gains.into_iter())
}

/// LambdaRank.
pub(super) fn lambda_rank(call: &mut Call<'_>) -> Out {
    ndcg(call)
}

/// NDCG.
pub(super) fn ndcg(call: &mut Call<'_>) -> Out {
    let queries = queries(call)?;
    let quality = |query: &Vec<Document>| match ideal(query) {
        best if best > 0.0 => discounted(query.iter().map(|d| d.gain)) / best,
        _ => 0.0,
    };
    let mean = queries.iter().map(quality).sum::<f64>() / queries.len() as f64;
    number(call, 100.0 * mean * call.input(0).data.len() as f64)
}
