//! Crop and ROIPooling (spec 4.12).

use super::{Lowered, Lowering, Node};
use crate::layout::Lead;
use crate::onnx::graph::{Attribute, Dim, Dims};
use crate::report::Reason;
use cntk_parser::ops::attributes::{Crop, PoolingType, RoiPooling};
use smallvec::smallvec;

/// A window of the operand with the reference's two inner axes.
pub(super) fn crop(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Crop) -> Lowered {
    let (x, reference) = (node.inputs[0], node.inputs[1]);
    let Some([left, top]) = a.offset.as_deref() else {
        return Err(Reason::new("offset", "automatic offsets are not converted yet"));
    };
    let (rank, size) = (cx.static_rank(&x), cx.tail(&reference));
    if rank < 2 || size.len() < 2 {
        return Err(Reason::new("", "needs two inner axes"));
    }
    let mut id = x.id;
    for (back, offset) in [(2, *top), (1, *left)] {
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
                let n = cx.b.dim_value(free);
                let from = cx.b.ints(&[start]);
                let to = cx.b.add(n, from);
                id = cx.b.slice_dynamic(id, axis, from, to, free);
            }
        }
    }
    Ok(smallvec![cx.with(id, &x)])
}

/// Max over the bins of each region: Caffe's rule, which ONNX's MaxRoiPool shares.
pub(super) fn roi_pooling(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &RoiPooling) -> Lowered {
    if a.kind == PoolingType::Average {
        return Err(Reason::new("poolingType", "average pooling of regions is not converted yet"));
    }
    let (x, rois) = (node.inputs[0], node.inputs[1]);
    let lead = x.lead.union(rois.lead);
    if lead.sequence.is_some() {
        return Err(Reason::new("", "regions of sequences are not supported"));
    }
    let (map, boxes) = (cx.as_batch(&x), cx.as_batch(&rois));
    let [width, height] = a.output_shape.0.as_slice() else {
        return Err(Reason::new("roiOutputShape", "needs two entries"));
    };
    let (batch, count) = (cx.b.dims(boxes)[0], cx.b.dims(boxes)[1]);
    let elem = cx.b.elem(boxes);
    // Each region is preceded by the index of its image.
    let index = cx.b.range(batch);
    let index = cx.b.cast(index, elem);
    let index = cx.b.unsqueeze(index, &[1, 2]);
    let index = cx.b.expand(index, &[batch, count, Dim::Known(1)]);
    let rows = cx.b.concat(&[index, boxes], 2);
    let all = cx.b.product(&[batch, count]);
    let rows = cx.b.reshape(rows, &[all, Dim::Known(5)]);
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
    let id = cx.b.reshape(pooled, &dims);
    Ok(smallvec![cx.from_batch(id, Lead { batch: lead.batch, sequence: None })])
}
