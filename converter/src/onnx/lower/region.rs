//! Lowers Crop and ROIPooling (spec 4.12).

use super::{Lowered, Lowering, Node};
use crate::onnx::graph::{Attribute, Dim, Dims, ValueId};
use crate::report::Reason;
use crate::resolve::crop::automatic_offsets;
use cntk_parser::ops::attributes::{Crop, RoiPooling};
use smallvec::smallvec;

/// A part of the operand, with the sizes of the reference's two inner axes.
pub(super) fn crop(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Crop) -> Lowered {
    let (x, reference) = (node.inputs[0], node.inputs[1]);
    let [left, top] = match a.offset.as_deref() {
        Some([left, top]) => [*left, *top],
        _ => automatic_offsets(cx.graph.model, node.id).map_err(|why| Reason::new("offset", why))?,
    };
    let (rank, size) = (cx.static_rank(&x), cx.tail(&reference));
    if rank < 2 || size.len() < 2 {
        return Err(Reason::new("", "needs two inner axes"));
    }
    let mut id = x.id;
    for (back, offset) in [(2, top), (1, left)] {
        let axis = x.lead.rank() + rank - back;
        let start = i64::try_from(offset).map_err(|_| Reason::new("offset", "out of range"))?;
        match size[size.len() - back] {
            Dim::Known(n) => {
                let end = start + i64::try_from(n).map_err(|_| Reason::new("offset", "out of range"))?;
                if cx.b.dims(id)[axis] != Dim::Known(n) || start != 0 {
                    id = cx.b.slice(id, axis, start, end, 1, Dim::Known(n));
                }
            }
            free => {
                let n = cx.b.dim_value(free)?;
                let from = cx.b.ints(&[start]);
                let to = cx.b.add(n, from);
                id = cx.b.slice_dynamic(id, axis, from, to, free);
            }
        }
    }
    Ok(smallvec![cx.with(id, &x)])
}

/// The most bins along an axis. They are listed one by one, and a number in a file must not cause gigabytes of output.
const MOST_BINS: u64 = 1000;

/// The maximum over each bin of each region. ONNX's MaxRoiPool follows the same rule, Caffe's.
pub(super) fn roi_pooling(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &RoiPooling) -> Lowered {
    let (x, rois) = (node.inputs[0], node.inputs[1]);
    let lead = x.lead.union(rois.lead);
    if lead.sequence.is_some() {
        return Err(Reason::new("", "regions of sequences are not supported"));
    }
    if a.output_shape.0.iter().any(|n| *n > MOST_BINS) {
        return Err(Reason::new("roiOutputShape", "more than a thousand bins along an axis are not supported"));
    }
    let (map, boxes) = (cx.as_batch(&x)?, cx.as_batch(&rois)?);
    let [width, height] = a.output_shape.0.as_slice() else {
        return Err(Reason::new("roiOutputShape", "needs two entries"));
    };
    let (batch, count) = (cx.b.dims(boxes)[0], cx.b.dims(boxes)[1]);
    let elem = cx.b.elem(boxes);
    // Each region is preceded by the index of its image.
    let index = cx.b.range(batch)?;
    let index = cx.b.cast(index, elem);
    let index = cx.b.unsqueeze(index, &[1, 2]);
    let index = cx.b.expand(index, &[batch, count, Dim::Known(1)])?;
    let rows = cx.b.concat(&[index, boxes], 2);
    let all = cx.b.product(&[batch, count]);
    let rows = cx.b.reshape(rows, &[all, Dim::Known(5)])?;
    let channels = cx.b.dims(map)[1];
    #[expect(clippy::cast_possible_truncation, reason = "ONNX stores the scale as a float")]
    let attributes = vec![
        ("pooled_shape", Attribute::Ints(vec![*height as i64, *width as i64])),
        ("spatial_scale", Attribute::Float(a.spatial_scale as f32)),
    ];
    let out: Dims = [all, channels, Dim::Known(*height), Dim::Known(*width)].as_slice().into();
    let elem = cx.b.elem(map);
    let pooled = cx.b.emit("MaxRoiPool", &[map, rows], attributes, elem, out);
    let dims: Dims = [batch, count, channels, Dim::Known(*height), Dim::Known(*width)].as_slice().into();
    let id = cx.b.reshape(pooled, &dims)?;
    // In CNTK, a bin that starts before the map is empty.
    let down = bin_starts(cx, boxes, [1, 3], *height, a.spatial_scale);
    let across = bin_starts(cx, boxes, [0, 2], *width, a.spatial_scale);
    let down = cx.b.unsqueeze(down, &[2, 4]);
    let across = cx.b.unsqueeze(across, &[2, 3]);
    let first = cx.b.binary("Min", down, across);
    let zero = cx.b.scalar_like(first, 0.0);
    let outside = cx.b.compare("Less", first, zero);
    let empty = cx.b.scalar_like(id, 0.0);
    let id = cx.b.choose(outside, empty, id);
    Ok(smallvec![cx.unbatch(id, lead.per_sample())?])
}

/// Where each of `bins` bins starts along one axis: (B, R, bins).
fn bin_starts(cx: &mut Lowering<'_, '_, '_>, boxes: ValueId, [from, to]: [i64; 2], bins: u64, scale: f64) -> ValueId {
    let elem = cx.b.elem(boxes);
    let edge = |cx: &mut Lowering<'_, '_, '_>, i: i64| {
        let one = cx.b.slice(boxes, 2, i, i + 1, 1, Dim::Known(1));
        let factor = cx.b.scalar(elem, scale);
        let scaled = cx.b.mul(one, factor);
        // Round half away from zero: floor(|v| + 0.5) with the sign of v.
        let (half, sign) = (cx.b.scalar(elem, 0.5), cx.b.unary("Sign", scaled));
        let distance = cx.b.unary("Abs", scaled);
        let up = cx.b.add(distance, half);
        let whole = cx.b.unary("Floor", up);
        cx.b.mul(whole, sign)
    };
    let (start, end) = (edge(cx, from), edge(cx, to));
    let one = cx.b.scalar(elem, 1.0);
    let length = cx.b.sub(end, start);
    let length = cx.b.add(length, one);
    let length = cx.b.binary("Max", length, one);
    let count = cx.b.scalar(elem, bins as f64);
    let step = cx.b.div(length, count);
    let bin: Vec<f64> = (0..bins).map(|i| i as f64).collect();
    let bin = cx.b.tensor(elem, &[bins], &bin);
    let low = cx.b.mul(bin, step);
    let low = cx.b.unary("Floor", low);
    cx.b.add(low, start)
}
