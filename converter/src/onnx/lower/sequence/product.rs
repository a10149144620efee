//! Lowers Times over the sequence axis (spec 4.6).

use super::super::{Lowered, Lowering, Node};
use crate::onnx::graph::Dim;
use crate::report::Reason;
use smallvec::smallvec;

/// Times with `inferInputRankToMap` -2: for each sample, the sum of `x_t · W_t` over its frames.
pub(in crate::onnx::lower) fn over_sequence(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let unified = cx.unify(&[node.inputs[1], node.inputs[0]]);
    let (x, w) = (cx.mask_fill(&unified[0], 0.0)?, cx.mask_fill(&unified[1], 0.0)?);
    let Some(axis) = x.lead.sequence.filter(|_| x.lead.batch.is_some() && w.lead == x.lead) else {
        return Err(Reason::new("inferInputRankToMap", "a product over the sequence axis needs two sequences"));
    };
    let (xd, wd) = (cx.tail(&x), cx.tail(&w));
    let dims = cx.static_dims(&node.types[0]);
    if wd.len() > 1 {
        // Each frame has a matrix.
        let row = cx.b.unsqueeze(x.id, &[x.lead.rank()]);
        let products = cx.b.matmul(row, w.id);
        let sum = cx.b.reduce("ReduceSum", products, &[x.lead.per_sample().rank()], false);
        return Ok(smallvec![cx.with_static(sum, x.lead.per_sample(), &dims)?]);
    }
    // The product of the transposed (batch, frames, m) and (batch, frames, n).
    let (m, n) = (cx.b.product(&xd), cx.b.product(&wd));
    let time = cx.time(axis);
    let batch = cx.batch(axis);
    let rows = cx.b.reshape(x.id, &[batch, time, m])?;
    let rows = match m {
        // A column is transposed by a Reshape.
        Dim::Known(1) => cx.b.reshape(rows, &[batch, m, time])?,
        _ => cx.b.transpose(rows, &[0, 2, 1]),
    };
    let columns = cx.b.reshape(w.id, &[batch, time, n])?;
    let id = cx.b.matmul(rows, columns);
    Ok(smallvec![cx.with_static(id, x.lead.per_sample(), &dims)?])
}
