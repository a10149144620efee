//! Weights of cells in ONNX's order, as strided views of the stored tensors, which are copied only when they are
//! written.

use super::super::Lowering;
use crate::cells::{Block, Segment};
use crate::graph::literal;
use crate::onnx::graph::{ElemType, ValueId, View};
use crate::report::Reason;
use cntk_parser::model::{Source, VariableId};
use smallvec::{SmallVec, smallvec};

/// A strided part of a stored tensor.
struct Part {
    variable: VariableId,
    offset: u64,
    dims: SmallVec<[u64; 4]>,
    strides: SmallVec<[i64; 4]>,
}

/// The transposed matrices of blocks, joined to [1, gates * hidden, rows].
pub(super) fn matrices(
    cx: &mut Lowering<'_, '_, '_>,
    elem: ElemType,
    hidden: u64,
    blocks: &[Block],
) -> Result<ValueId, Reason> {
    let rows = blocks.first().map_or(0, |b| b.rows);
    let parts = blocks.iter().map(|b| {
        let width = stride(b.width)?;
        Ok(Part {
            variable: b.weight,
            offset: b.row * b.width + b.column,
            dims: smallvec![hidden, b.rows],
            strides: smallvec![1, width],
        })
    });
    let parts = parts.collect::<Result<Vec<_>, Reason>>()?;
    join(cx, elem, &[1, blocks.len() as u64 * hidden, rows], &parts)
}

/// Segments joined to [1, n * hidden].
pub(super) fn vectors(
    cx: &mut Lowering<'_, '_, '_>,
    elem: ElemType,
    hidden: u64,
    segments: &[Segment],
) -> Result<ValueId, Reason> {
    let part =
        |s: &Segment| Part { variable: s.vector, offset: s.from, dims: smallvec![hidden], strides: smallvec![1] };
    let parts: Vec<Part> = segments.iter().map(part).collect();
    join(cx, elem, &[1, segments.len() as u64 * hidden], &parts)
}

/// Pieces of one flat parameter, joined. Each is given by its first element and its length.
pub(super) fn pieces(
    cx: &mut Lowering<'_, '_, '_>,
    elem: ElemType,
    dims: &[u64],
    variable: VariableId,
    pieces: &[(u64, u64)],
) -> Result<ValueId, Reason> {
    let part =
        |(offset, n): &(u64, u64)| Part { variable, offset: *offset, dims: smallvec![*n], strides: smallvec![1] };
    let parts: Vec<Part> = pieces.iter().map(part).collect();
    join(cx, elem, dims, &parts)
}

/// ONNX's bias [1, 2 * gates * hidden]: the input biases, then the recurrent ones, each the sum of its segments. `None`
/// if there are no biases.
pub(super) fn biases(
    cx: &mut Lowering<'_, '_, '_>,
    elem: ElemType,
    hidden: u64,
    gates: &[&[Segment]],
) -> Result<Option<ValueId>, Reason> {
    if gates.iter().all(|g| g.is_empty()) {
        return Ok(None);
    }
    let n = usize::try_from(hidden).map_err(|_| too_large())?;
    let mut all = vec![0.0; gates.len() * n];
    let mut name = None;
    for (gate, out) in gates.iter().zip(all.chunks_mut(n)) {
        for segment in *gate {
            let values = elements(cx, segment.vector)?;
            let from = usize::try_from(segment.from).map_err(|_| too_large())?;
            for (sum, v) in out.iter_mut().zip(values.get(from..).unwrap_or_default()) {
                *sum += v;
            }
            name = name.or(Some(segment.vector));
        }
    }
    let id = cx.b.tensor(elem, &[1, all.len() as u64], &all);
    take_name(cx, id, name)?;
    Ok(Some(id))
}

/// Joins parts to one initializer. They are views if the file has each tensor in one run, else copies.
fn join(cx: &mut Lowering<'_, '_, '_>, elem: ElemType, dims: &[u64], parts: &[Part]) -> Result<ValueId, Reason> {
    let mut views = Vec::with_capacity(parts.len());
    for part in parts {
        let Some(v) = cx.value(Source::Variable(part.variable))? else { return Err(too_large()) };
        let Some(whole) = cx.b.stored_view(v.id) else { break };
        views.push(View {
            range: whole.range.clone(),
            stored: whole.stored,
            offset: part.offset,
            dims: part.dims.clone(),
            strides: part.strides.clone(),
        });
    }
    let id = if views.len() == parts.len() {
        cx.b.views(elem, dims, views)
    } else {
        let mut values = Vec::new();
        for part in parts {
            copy(&elements(cx, part.variable)?, part, &mut values);
        }
        cx.b.tensor(elem, dims, &values)
    };
    take_name(cx, id, parts.first().map(|p| p.variable))?;
    Ok(id)
}

/// Appends the elements of a part of `from` in row-major order.
fn copy(from: &[f64], part: &Part, to: &mut Vec<f64>) {
    let (outer, inner) = match part.dims.as_slice() {
        [n] => (1, *n),
        [m, n] => (*m, *n),
        _ => return,
    };
    let (row, column) = match part.strides.as_slice() {
        [s] => (0, *s),
        [r, s] => (*r, *s),
        _ => return,
    };
    for i in 0..outer {
        for j in 0..inner {
            let at = part.offset.saturating_add_signed(i as i64 * row + j as i64 * column);
            to.push(usize::try_from(at).ok().and_then(|at| from.get(at)).copied().unwrap_or(0.0));
        }
    }
}

/// Names an initializer after the parameter from which it comes.
fn take_name(cx: &mut Lowering<'_, '_, '_>, id: ValueId, variable: Option<VariableId>) -> Result<(), Reason> {
    let Some(variable) = variable.filter(|_| cx.b.value_name(id).is_none()) else { return Ok(()) };
    let Some(v) = cx.value(Source::Variable(variable))? else { return Ok(()) };
    if let Some(name) = cx.b.value_name(v.id).map(str::to_owned) {
        cx.b.name_value(id, name);
    }
    Ok(())
}

fn elements(cx: &Lowering<'_, '_, '_>, variable: VariableId) -> Result<Vec<f64>, Reason> {
    let variable = cx.graph.model.variable(variable);
    let array = variable.value.as_ref().ok_or_else(|| Reason::new(variable.uid, "the parameter has no value"))?;
    Ok(literal::elements(array))
}

fn stride(n: u64) -> Result<i64, Reason> {
    i64::try_from(n).map_err(|_| too_large())
}

fn too_large() -> Reason {
    Reason::new("weights", "larger than ONNX can say")
}
