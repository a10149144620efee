//! Crop and ROIPooling (spec 4.12).

use super::shape::Holes;
use super::{Lower, Lowered, Node, Val};
use crate::layout::Lead;
use crate::layout::crop::automatic_offsets;
use crate::pytorch::python::expr::number;
use crate::report::Reason;
use cntk_parser::ops::attributes::{Crop, PoolingType, RoiPooling};
use smallvec::smallvec;

/// A window of the operand with the reference's two inner axes.
pub(super) fn crop(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &Crop) -> Lowered {
    let (x, reference) = (cx.tensor(&node.inputs[0]), node.inputs[1].clone());
    let [left, top] = match a.offset.as_deref() {
        Some([left, top]) => [*left, *top],
        _ => automatic_offsets(cx.graph.model, node.id).map_err(|why| Reason::new("offset", why))?,
    };
    if x.rank() < 2 || reference.rank() < 2 {
        return Err(Reason::new("", "needs two inner axes"));
    }
    let mut holes = Holes::default();
    let own = holes.of(x.id);
    let mut index = Vec::new();
    for (back, offset) in [(2, top), (1, left)] {
        let (size, id) = cx.size(reference.dims[reference.rank() - back], 9)?;
        index.push(match id {
            Some(id) => {
                let size = size.replace("$9", &holes.of(id));
                if offset == 0 { format!(":{size}") } else { format!("{offset} : {offset} + {size}") }
            }
            None => {
                let end = offset + size.parse::<u64>().unwrap_or(0);
                let begin = if offset == 0 { String::new() } else { offset.to_string() };
                format!("{begin}:{end}")
            }
        });
    }
    let id = cx.py(&format!("{own}[..., {}]", index.join(", ")), &holes.0);
    Ok(smallvec![Val { dims: node.types[0].shape.clone(), ..x.with(id) }])
}

/// Max over the bins of each region.
pub(super) fn roi_pooling(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &RoiPooling) -> Lowered {
    if a.kind == PoolingType::Average {
        return Err(Reason::new("poolingType", "average pooling of regions is not converted yet"));
    }
    let (x, rois) = (cx.tensor(&node.inputs[0]), cx.tensor(&node.inputs[1]));
    let lead = x.lead.union(rois.lead);
    if lead.sequence.is_some() || !x.lead.batch {
        return Err(Reason::new("", "regions of sequences are not supported"));
    }
    let [width, height] = a.output_shape.0.as_slice() else {
        return Err(Reason::new("roiOutputShape", "needs two entries"));
    };
    let rois = cx.expand(&rois.clone(), Lead { batch: true, sequence: None }, &rois.dims)?;
    let scale = number(a.spatial_scale, false);
    let id = cx.py(&format!("roi_pool($0, $1, ({height}, {width}), {scale})"), &[x.id, rois.id]);
    Ok(smallvec![Val { dims: node.types[0].shape.clone(), ..x.with(id) }])
}
