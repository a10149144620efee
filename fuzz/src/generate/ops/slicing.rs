//! Generates slices and concatenations.

use crate::generate::maker::{Maker, Value};
use crate::generate::values::{double, entry, file_axis, int, list, number, row_axis};
use crate::mutate::Choice;
use cntk_parser::ops::Op;

fn whole(v: &Value) -> bool {
    !v.shape.is_empty() && v.known().is_some()
}

pub(super) fn slice(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(whole)?;
    let dims = x.known()?;
    let mut shape = x.shape.clone();
    let several = dims.len() > 1 && m.choice.one_in(2);
    let rows: Vec<usize> = if several { vec![0, dims.len() - 1] } else { vec![m.choice.below(dims.len())] };
    let (mut axes, mut begins, mut ends, mut strides) = (vec![], vec![], vec![], vec![]);
    for row in rows {
        let n = dims[row] as i32;
        let begin = m.choice.below(n as usize) as i32;
        let end = begin + 1 + m.choice.below((n - begin) as usize) as i32;
        let stride: i32 = [1, 1, 2, -1][m.choice.below(4)];
        // No step is longer than what is cut out.
        let stride = stride.min(end - begin);
        shape[row] = Some(((end - begin) as u64).div_ceil(stride.unsigned_abs().into()));
        // Counted from the end now and then.
        let begin = if m.choice.one_in(3) { begin - n } else { begin };
        let end = if m.choice.one_in(3) { end - n } else { end };
        axes.push(row_axis(row, dims.len()));
        begins.push(int(begin));
        ends.push(int(end));
        strides.push(int(stride));
    }
    let attributes = if several {
        vec![
            entry("axisVec", list(axes)),
            entry("beginIndexVec", list(begins)),
            entry("endIndexVec", list(ends)),
            entry("sliceStridesVec", list(strides)),
        ]
    } else {
        vec![
            entry("axis", axes.remove(0)),
            entry("beginIndex", begins.remove(0)),
            entry("endIndex", ends.remove(0)),
            entry("sliceStrides", strides.remove(0)),
        ]
    };
    m.function(Op::Slice, &[&x], attributes, x.shaped(shape));
    Some(())
}

pub(super) fn splice(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| whole(v) && v.shape.len() < 5)?;
    let mut dims = x.known()?;
    let rank = dims.len();
    let mut made = dims.clone();
    let other;
    let axis = if m.choice.one_in(4) {
        // A new outer axis.
        other = dims.clone();
        made.insert(0, 2);
        file_axis(rank as i32)
    } else {
        let row = m.choice.below(rank);
        dims[row] = m.size();
        made[row] += dims[row];
        other = dims;
        row_axis(row, rank)
    };
    let suits = |v: &Value| v.known().as_ref() == Some(&other) && v.elem == x.elem && v.same_axes(&x);
    let y = match m.pick(suits) {
        Some(y) if m.choice.one_in(2) => y,
        _ => m.tensor_of(&other, false, x.elem, None),
    };
    let made = x.shaped(made.into_iter().map(Some).collect());
    m.function(Op::Splice, &[&x, &y], vec![entry("axis", axis)], made);
    Some(())
}

pub(super) fn pad(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(whole)?;
    let dims = x.known()?;
    let mode = m.choice.below(3) as u64;
    let (mut shape, mut head, mut foot) = (vec![], vec![], vec![]);
    for n in &dims {
        let most = match mode {
            0 => 2,
            1 => (n - 1).min(2),
            _ => (*n).min(2),
        } as usize;
        let (before, after) = (m.choice.below(most + 1) as u64, m.choice.below(most + 1) as u64);
        shape.push(Some(n + before + after));
        head.insert(0, number(before));
        foot.insert(0, number(after));
    }
    let attributes = vec![
        entry("paddingHead", list(head)),
        entry("paddingFoot", list(foot)),
        entry("paddingMode", number(mode)),
        entry("paddingConstantValue", double(0.5)),
    ];
    m.function(Op::Pad, &[&x], attributes, x.shaped(shape));
    Some(())
}

pub(super) fn crop(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.shape.len() == 3 && v.known().is_some() && v.batch && v.sequence.is_none())?;
    let dims = x.known()?;
    let part = |m: &mut Maker<'_, '_>, n: u64| {
        let size = 1 + m.choice.below(n as usize) as u64;
        (size, m.choice.below((n - size + 1) as usize) as u64)
    };
    let ((h, y), (w, left)) = (part(m, dims[1]), part(m, dims[2]));
    let reference = m.tensor_of(&[dims[0], h, w], false, x.elem, None);
    let attributes = vec![entry("offset", list(vec![number(left), number(y)]))];
    m.function(Op::Crop, &[&x, &reference], attributes, x.shaped(vec![x.shape[0], Some(h), Some(w)]));
    Some(())
}
