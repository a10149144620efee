//! Lowers Crop and ROIPooling (spec 4.12).

use super::{Lower, Lowered, Node, Val};
use crate::pytorch::python::expr::{Expr, Subscript, args, helper, of, tuple};
use crate::report::Reason;
use crate::resolve::crop::automatic_offsets;
use cntk_parser::model::Dim;
use cntk_parser::ops::attributes::{Crop, RoiPooling};
use smallvec::smallvec;

/// A part of the operand, with the sizes of the reference's two inner axes.
pub(super) fn crop(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &Crop) -> Lowered {
    let (x, reference) = (cx.tensor(&node.inputs[0]), node.inputs[1].clone());
    let [left, top] = match a.offset.as_deref() {
        Some([left, top]) => [*left, *top],
        _ => automatic_offsets(cx.graph.model, node.id).map_err(|why| Reason::new("offset", why))?,
    };
    if x.rank() < 2 || reference.rank() < 2 {
        return Err(Reason::new("", "needs two inner axes"));
    }
    let mut index = vec![Subscript::Ellipsis];
    for (back, offset) in [(2, top), (1, left)] {
        let size = reference.dims[reference.rank() - back];
        let end = match size {
            Dim::Known(n) => Expr::from(offset + n),
            Dim::Free(_) if offset == 0 => cx.size(size)?,
            Dim::Free(_) => Expr::from(offset) + cx.size(size)?,
        };
        index.push(Subscript::Range((offset > 0).then(|| offset.into()), Some(end), None));
    }
    let id = cx.compute(of(x.id).index(index));
    Ok(smallvec![Val { dims: node.types[0].shape.clone(), ..x.with(id) }])
}

/// The maximum over each bin of each region.
pub(super) fn roi_pooling(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &RoiPooling) -> Lowered {
    let (x, rois) = (cx.tensor(&node.inputs[0]), cx.tensor(&node.inputs[1]));
    let lead = x.lead.union(rois.lead);
    if lead.sequence.is_some() || x.lead.batch.is_none() {
        return Err(Reason::new("", "regions of sequences are not supported"));
    }
    let [width, height] = a.output_shape.0.as_slice() else {
        return Err(Reason::new("roiOutputShape", "needs two entries"));
    };
    let rois = cx.expand(&rois.clone(), lead, &rois.dims)?;
    let scale = Expr::number(a.spatial_scale, false);
    let id = cx.compute(helper("roi_pool", args![x.id, rois.id, tuple(&[*height, *width]), scale]));
    Ok(smallvec![Val { dims: node.types[0].shape.clone(), ..x.with(id) }])
}
