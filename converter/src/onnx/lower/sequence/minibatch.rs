//! The order of CNTK's minibatch: columns, step by step, of rows in which several short sequences may stand one behind the other (spec
//! 4.14, CosDistanceWithNegativeSamples).

use super::super::Lowering;
use crate::onnx::builder::{Measured, ScanPart};
use crate::onnx::graph::{Dim, Dims, ElemType, ValueId};
use cntk_parser::model::SequenceAxisId;
use smallvec::smallvec;

/// The columns of a ragged batch, and the frames in them. Frames are counted time step by time step: [sequence, batch].
pub(in crate::onnx::lower) struct Minibatch {
    /// The column of each frame: int64 [frames]. A frame that is not valid has the number of columns.
    pub(in crate::onnx::lower) column: ValueId,
    /// The frame in each column: int64 [columns + 1]. A gap has the number of frames.
    pub(in crate::onnx::lower) frame: ValueId,
    /// The number of columns: int64 [1].
    pub(in crate::onnx::lower) count: ValueId,
}

impl Minibatch {
    pub(in crate::onnx::lower) fn new(cx: &mut Lowering<'_, '_, '_>, axis: SequenceAxisId) -> Measured<Self> {
        let lengths = cx.lengths(axis)?;
        let longest = cx.b.reduce("ReduceMax", lengths, &[0], true);
        let (time, batch) = (cx.time(axis), cx.batch(axis));
        let (row, start) = rows(cx, lengths, longest, batch)?;
        let one = cx.b.ints(&[1]);
        let last = cx.b.reduce("ReduceMax", row, &[0], true);
        let rows = cx.b.add(last, one);
        let count = cx.b.mul(longest, rows);

        let steps = cx.steps(time)?;
        let steps = cx.b.unsqueeze(steps, &[1]);
        let step = cx.b.add(steps, start);
        let first = cx.b.mul(step, rows);
        let column = cx.b.add(first, row);
        let mask = cx.mask(axis)?;
        let mask = cx.b.transpose(mask, &[1, 0]);
        let column = cx.b.choose(mask, column, count);
        let frames = cx.b.product(&[time, batch]);
        let column = cx.b.reshape(column, &[frames])?;

        let slots = cx.b.add(count, one);
        let size = cx.b.fresh_dim();
        cx.b.measure(size, slots);
        let gap = cx.b.dim_value(frames)?;
        let gaps = cx.b.expand(gap, &[size])?;
        let all = cx.b.range(frames)?;
        let frame = cx.b.emit("ScatterElements", &[gaps, column, all], vec![], ElemType::Int64, smallvec![size]);
        Ok(Self { column, frame, count })
    }
}

/// The row of each sequence, the first that has room for it, and its first step there: both int64 [batch].
fn rows(cx: &mut Lowering<'_, '_, '_>, lengths: ValueId, longest: ValueId, batch: Dim) -> Measured<(ValueId, ValueId)> {
    let empty = cx.b.filled(ElemType::Int64, &[batch], 0.0)?;
    let all = cx.b.range(batch)?;
    cx.b.open();
    let used = cx.b.value(None, ElemType::Int64, &[batch][..]);
    let length = cx.b.value(None, ElemType::Int64, Dims::new());
    let filled = cx.b.add(used, length);
    let fits = cx.b.compare("LessOrEqual", filled, longest);
    let fits = cx.b.cast(fits, ElemType::Int32);
    let row = cx.b.arg_reduce("ArgMax", fits, 0, false);
    let start = cx.b.gather(used, row, 0);
    let here = cx.b.compare("Equal", all, row);
    let next = cx.b.choose(here, filled, used);
    let body = cx.b.close();
    let state = (ScanPart { inner: used, outer: empty, axis: 0 }, next);
    let scanned = [ScanPart { inner: length, outer: lengths, axis: 0 }];
    let produced = [(row, 0, smallvec![batch]), (start, 0, smallvec![batch])];
    let made = cx.b.scan(body, &[state], &scanned, &produced, false);
    Ok((made[1], made[2]))
}
