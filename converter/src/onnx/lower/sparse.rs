//! Lowers products of large weights with inputs that CNTK stores sparse.
//!
//! In the converted model such an input is a dense array with a row as long as a large vocabulary for each frame,
//! nearly all of it zero. Columns that are zero in every row are left out of the product, together with their rows of
//! the weight. The result is the same for any input, and finding these columns costs far less than multiplying with
//! them.

use super::{Lowering, Val};
use crate::onnx::graph::{Dim, Dims, ElemType};
use cntk_parser::model::Source;

/// From this many columns on, the dense product costs more than the search for zero columns.
const LARGE: u64 = 1 << 15;

/// `x · w` for a stored matrix `w`, if `x` is a large sparse input.
pub(super) fn product(cx: &mut Lowering<'_, '_, '_>, source: Source, x: &Val, w: &Val) -> Option<Val> {
    let Source::Variable(id) = source else { return None };
    let (xd, wd) = (cx.b.dims(x.id).clone(), cx.b.dims(w.id).clone());
    let large = matches!(wd.as_slice(), [Dim::Known(n), _] if *n >= LARGE);
    if !cx.graph.model.variable(id).is_sparse
        || !large
        || w.lead.rank() > 0
        || x.lead.rank() == 0
        || cx.static_rank(x) != 1
        || cx.b.constant(w.id).is_none()
    {
        return None;
    }
    let last = xd.len() - 1;
    let rows: Vec<usize> = (0..last).collect();
    // A sum of absolute values, for which ReduceL1 would take ONNX Runtime twice as long.
    let sizes = cx.b.unary("Abs", x.id);
    let mut used = cx.b.reduce("ReduceSum", sizes, &rows, false);
    if cx.b.elem(used) != ElemType::Float {
        used = cx.b.truth(used);
    }
    let count = cx.b.fresh_dim();
    let found: Dims = [Dim::Known(1), count].as_slice().into();
    let places = cx.b.emit("NonZero", &[used], vec![], ElemType::Int64, found);
    let places = cx.b.squeeze(places, &[0]);
    let columns = cx.b.gather(x.id, places, last);
    let kept = cx.b.gather(w.id, places, 0);
    Some(Val { id: cx.b.matmul(columns, kept), lead: x.lead })
}
