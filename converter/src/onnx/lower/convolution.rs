//! Lowers convolutions, plain and transposed (spec 4.7).

use super::{Lowered, Lowering, Node, Val};
use crate::onnx::builder::Measured;
use crate::onnx::graph::{Attribute, Dim, Dims, ValueId};
use crate::report::Reason;
use crate::resolve::window::{Padding, Placed, Window, entry, flag, of_convolution};
use cntk_parser::ops::attributes::Convolution;
use smallvec::smallvec;

pub(super) fn convolution(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Convolution) -> Lowered {
    let unified = cx.unify(&[node.inputs[1], node.inputs[0]]);
    let (x, kernel) = (unified[0], unified[1]);
    if kernel.lead.rank() > 0 {
        return Err(Reason::new("kernel", "a kernel that differs from sample to sample has no ONNX form"));
    }
    let rank = cx.static_rank(&x);
    let mut w = kernel.id;
    let no_map_axis = cx.b.rank(w) == rank;
    if no_map_axis {
        // A kernel without an output-map axis has a single map.
        w = cx.b.unsqueeze(w, &[0]);
    }
    if cx.b.rank(w) != rank + 1 {
        return Err(Reason::new("kernel", "its rank does not fit the operand's"));
    }
    let spatial: Dims = cx.b.dims(w)[2..].into();
    let taps: Option<Vec<u64>> = spatial.iter().map(|d| if let Dim::Known(n) = d { Some(*n) } else { None }).collect();
    let taps = taps.ok_or_else(|| Reason::new("kernelShape", "a kernel of free size"))?;
    let windows = of_convolution(a, &taps, &cx.known_tail(&x));
    let mut input = cx.as_batch(&x)?;
    if spatial.is_empty() {
        // ONNX requires a spatial axis: add one of size 1.
        input = cx.b.unsqueeze(input, &[2]);
        w = cx.b.unsqueeze(w, &[2]);
    }
    let out = if a.transpose { transposed(cx, input, w, &windows, a)? } else { plain(cx, input, w, &windows, a)? };
    let out = if spatial.is_empty() { cx.b.squeeze(out, &[2]) } else { out };
    let result = cx.unbatch(out, x.lead)?;
    cx.with_rank(result, &node.types[0])
}

fn plain(
    cx: &mut Lowering<'_, '_, '_>,
    x: ValueId,
    w: ValueId,
    windows: &[Window],
    a: &Convolution,
) -> Result<ValueId, Reason> {
    let (x, pads, sizes) = pad_for(cx, x, windows, 0.0, true)?;
    let mut dims: Dims = [cx.b.dims(x)[0], cx.b.dims(w)[0]].as_slice().into();
    if windows.is_empty() {
        dims.push(Dim::Known(1));
    }
    dims.extend(sizes);
    let attributes = attributes(cx, w, windows, a.groups, [("pads", pads)])?;
    let elem = cx.b.elem(x);
    Ok(cx.b.emit("Conv", &[x, w], attributes, elem, dims))
}

/// The attributes of a convolution with the kernel `w`. `amounts` are named; they are written where they are not all 0.
fn attributes<const N: usize>(
    cx: &Lowering<'_, '_, '_>,
    w: ValueId,
    windows: &[Window],
    groups: u64,
    amounts: [(&'static str, Vec<i64>); N],
) -> Result<Vec<(&'static str, Attribute)>, Reason> {
    let mut attributes = vec![];
    push_ints(&mut attributes, "dilations", windows.iter().map(|w| w.dilation), 1);
    if groups > 1 {
        attributes.push(("group", Attribute::Int(groups as i64)));
    }
    let kernel = cx.b.sizes(w).ok_or_else(|| Reason::new("kernel", "a kernel of free size"))?;
    attributes.push(("kernel_shape", Attribute::Ints(kernel[2..].iter().map(|n| *n as i64).collect())));
    let amounts = amounts.into_iter().filter(|(_, all)| all.iter().any(|n| *n != 0));
    attributes.extend(amounts.map(|(name, all)| (name, Attribute::Ints(all))));
    push_ints(&mut attributes, "strides", windows.iter().map(|w| w.stride), 1);
    Ok(attributes)
}

/// Adds an attribute list unless every entry is the default.
pub(super) fn push_ints(
    attributes: &mut Vec<(&'static str, Attribute)>,
    name: &'static str,
    values: impl Iterator<Item = u64>,
    default: u64,
) {
    let values: Vec<i64> = values.map(|v| i64::try_from(v).unwrap_or(i64::MAX)).collect();
    if values.iter().any(|v| *v != default as i64) {
        attributes.push((name, Attribute::Ints(values)));
    }
}

/// Prepares `x` (batch, channel, spatial...) for windows, with a Slice or Pad for what the operator's `pads` cannot
/// express (cropping, amounts that depend on a free size). Returns the operator's `pads` and the output's spatial
/// sizes.
pub(super) fn pad_for(
    cx: &mut Lowering<'_, '_, '_>,
    x: ValueId,
    windows: &[Window],
    fill: f64,
    asymmetric: bool,
) -> Result<(ValueId, Vec<i64>, Dims), Reason> {
    let n = windows.len();
    let dims = cx.b.dims(x).clone();
    let mut pads = vec![0; 2 * n];
    let mut sizes = Dims::new();
    let mut crops = Vec::new();
    let mut dynamic = Vec::new();
    for (i, w) in windows.iter().enumerate() {
        match dims[i + 2] {
            Dim::Known(size) => {
                let Placed { size: out, before, after } =
                    w.place(size).ok_or_else(|| Reason::new("kernel", "larger than its input"))?;
                sizes.push(Dim::Known(out));
                // Windows start at -before and need `after` more elements at the end. Elements that no window reads are
                // not cut off.
                pads[i] = before.max(0);
                pads[n + i] = after.max(0);
                if before < 0 {
                    let cropped = size - before.unsigned_abs().min(size);
                    crops.push((i + 2, -before, i64::MAX, 1, Dim::Known(cropped)));
                }
            }
            Dim::Symbol(_) => {
                let (pad, out) = free_axis(cx, w, dims[i + 2]);
                sizes.push(out);
                match pad {
                    FreePad::Fixed(lo, hi) => (pads[i], pads[n + i]) = (lo, hi),
                    FreePad::Dynamic => dynamic.push(i),
                }
            }
        }
    }
    let mut x = if crops.is_empty() { x } else { cx.b.slice_all(x, &crops) };
    if !dynamic.is_empty() {
        x = dynamic_pads(cx, x, windows, &dynamic, fill)?;
    }
    if !asymmetric && (0..n).any(|i| pads[i] != pads[n + i]) {
        let zeros = [0u64, 0];
        let lo: Vec<u64> = zeros.iter().copied().chain(pads[..n].iter().map(|p| p.unsigned_abs())).collect();
        let hi: Vec<u64> = zeros.iter().copied().chain(pads[n..].iter().map(|p| p.unsigned_abs())).collect();
        x = cx.b.pad(x, &lo, &hi, "constant", fill);
        pads = vec![0; 2 * n];
    }
    Ok((x, pads, sizes))
}

enum FreePad {
    Fixed(i64, i64),
    Dynamic,
}

/// The pads and the output size of a window on an axis whose size is only known at run time.
fn free_axis(cx: &mut Lowering<'_, '_, '_>, w: &Window, n: Dim) -> (FreePad, Dim) {
    let k = i64::try_from(w.extent()).unwrap_or(i64::MAX);
    match w.padding {
        // With stride 1 the pads do not depend on the size, and the output has the same size.
        Padding::Auto if w.stride == 1 => (FreePad::Fixed((k - 1) / 2, k - 1 - (k - 1) / 2), n),
        Padding::Auto => (FreePad::Dynamic, cx.b.fresh_dim()),
        Padding::Explicit(lo, hi) => {
            let (lo, hi) = (i64::try_from(lo).unwrap_or(0), i64::try_from(hi).unwrap_or(0));
            let same = w.stride == 1 && lo + hi == k - 1;
            // Rounding up needs at most stride - 1 more elements at the end.
            let more = if w.ceil { i64::try_from(w.stride).unwrap_or(1) - 1 } else { 0 };
            (FreePad::Fixed(lo, hi + more), if same { n } else { cx.b.fresh_dim() })
        }
    }
}

/// Pads or crops free axes by the amounts that centring needs at run time.
fn dynamic_pads(
    cx: &mut Lowering<'_, '_, '_>,
    x: ValueId,
    windows: &[Window],
    axes: &[usize],
    fill: f64,
) -> Measured<ValueId> {
    let rank = windows.len() + 2;
    let zero = cx.b.ints(&[0]);
    let mut amounts = vec![zero; 2 * rank];
    let mut dims = cx.b.dims(x).clone();
    for i in axes {
        let n = dims[i + 2];
        (amounts[i + 2], amounts[rank + i + 2]) = centred_amounts(cx, &windows[*i], n)?;
        dims[i + 2] = cx.b.fresh_dim();
    }
    let pads = cx.b.concat(&amounts, 0);
    Ok(cx.b.pad_dynamic(x, pads, "constant", fill, dims))
}

/// The run-time pads of an axis of `n` elements: `extra = (n - 1) mod s`, split in two. int64 [1] each.
fn centred_amounts(cx: &mut Lowering<'_, '_, '_>, w: &Window, n: Dim) -> Measured<(ValueId, ValueId)> {
    let k = i64::try_from(w.extent()).unwrap_or(i64::MAX);
    let n = cx.b.dim_value(n)?;
    let one = cx.b.ints(&[1]);
    let stride = cx.b.ints(&[i64::try_from(w.stride).unwrap_or(i64::MAX)]);
    let last = cx.b.sub(n, one);
    let extra = cx.b.binary("Mod", last, stride);
    let two = cx.b.ints(&[2]);
    let center = cx.b.div(extra, two);
    let low = cx.b.ints(&[(k - 1) / 2]);
    let before = cx.b.sub(low, center);
    let high = cx.b.ints(&[k - 1 - (k - 1) / 2]);
    let rest = cx.b.sub(extra, center);
    Ok((before, cx.b.sub(high, rest)))
}

/// The pads of every axis of `x` as one int64 vector, whether known or not and also negative ones, and the output's
/// spatial sizes. For padding that must be undone again; [`pad_for`] is for all other cases.
pub(super) fn reversible_pads(
    cx: &mut Lowering<'_, '_, '_>,
    x: ValueId,
    windows: &[Window],
) -> Result<(ValueId, Dims), Reason> {
    let rank = windows.len() + 2;
    let zero = cx.b.ints(&[0]);
    let mut amounts = vec![zero; 2 * rank];
    let mut sizes = Dims::new();
    for (i, w) in windows.iter().enumerate() {
        let (before, after, size) = match cx.b.dims(x)[i + 2] {
            Dim::Known(n) => {
                let p = w.place(n).ok_or_else(|| Reason::new("kernel", "larger than its input"))?;
                (cx.b.ints(&[p.before]), cx.b.ints(&[p.after.max(0)]), Dim::Known(p.size))
            }
            n => {
                let (pad, size) = free_axis(cx, w, n);
                let (before, after) = match pad {
                    FreePad::Fixed(lo, hi) => (cx.b.ints(&[lo]), cx.b.ints(&[hi])),
                    FreePad::Dynamic => centred_amounts(cx, w, n)?,
                };
                (before, after, size)
            }
        };
        amounts[i + 2] = before;
        amounts[rank + i + 2] = after;
        sizes.push(size);
    }
    Ok((cx.b.concat(&amounts, 0), sizes))
}

/// ConvTranspose with equal pads on both sides; a difference is cut off or becomes output padding.
fn transposed(
    cx: &mut Lowering<'_, '_, '_>,
    x: ValueId,
    w: ValueId,
    windows: &[Window],
    a: &Convolution,
) -> Result<ValueId, Reason> {
    let n = windows.len();
    let dims = cx.b.dims(x).clone();
    let (mut pads, mut output_padding) = (vec![0i64; 2 * n], vec![0i64; n]);
    let (mut sizes, mut cut, mut grow) = (Dims::new(), Vec::new(), (vec![0u64; n + 2], vec![0u64; n + 2]));
    for (i, win) in windows.iter().enumerate() {
        // `outputShape` is in file order, the channel last.
        let wanted =
            a.output_shape.as_ref().and_then(|s| s.0.get(n - 1 - i)).copied().filter(|d| *d > 0 && *d < u64::MAX - 3);
        let Dim::Known(size) = dims[i + 2] else {
            let k = win.extent() as i64;
            let (lo, hi) = match win.padding {
                Padding::Auto => ((k - 1) / 2, k - 1 - (k - 1) / 2),
                Padding::Explicit(lo, hi) => (lo as i64, hi as i64),
            };
            (pads[i], pads[n + i]) = (lo, hi);
            sizes.push(if win.stride == 1 && lo + hi == k - 1 { dims[i + 2] } else { cx.b.fresh_dim() });
            continue;
        };
        let p =
            win.place_transposed(size, wanted).ok_or_else(|| Reason::new("outputShape", "does not fit the operand"))?;
        let (before, after) = (p.before.max(0), p.after.max(0));
        if before == after + 1 && p.after >= 0 && win.stride > 1 {
            (pads[i], pads[n + i], output_padding[i]) = (before, before, 1);
            sizes.push(Dim::Known(p.size));
            continue;
        }
        let both = before.min(after);
        (pads[i], pads[n + i]) = (both, both);
        let kept = p.size as i64 + p.before.min(0) + p.after.min(0);
        let made = kept + (before - both) + (after - both);
        sizes.push(Dim::Known(made as u64));
        if made != kept {
            cut.push((i + 2, before - both, before - both + kept, 1, Dim::Known(kept as u64)));
        }
        grow.0[i + 2] = p.before.min(0).unsigned_abs();
        grow.1[i + 2] = p.after.min(0).unsigned_abs();
    }
    let channels = match cx.b.dims(w)[1] {
        Dim::Known(c) => Dim::Known(c * a.groups.max(1)),
        d => d,
    };
    let mut out: Dims = [dims[0], channels].as_slice().into();
    if windows.is_empty() {
        out.push(Dim::Known(1));
    }
    out.extend(sizes);
    let padded = [("output_padding", output_padding), ("pads", pads)];
    let attributes = attributes(cx, w, windows, a.groups, padded)?;
    let elem = cx.b.elem(x);
    let mut y = cx.b.emit("ConvTranspose", &[x, w], attributes, elem, out);
    if !cut.is_empty() {
        y = cx.b.slice_all(y, &cut);
    }
    Ok(cx.b.pad(y, &grow.0, &grow.1, "constant", 0.0))
}

/// The output length of a convolution along the sequence axis: one number per sample (spec 4.7).
pub(super) fn sequence_shape(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Convolution) -> Lowered {
    let (kernel, x) = (node.inputs[0], node.inputs[1]);
    let Some(axis) = x.lead.sequence else {
        return Err(Reason::new("", "the operand is not a sequence"));
    };
    let elem = cx.b.elem(x.id);
    let lengths = cx.lengths(axis)?;
    let wd = cx.tail(&kernel);
    // The time axis is the outermost spatial axis of the kernel, after the channel.
    let rank = wd.len() - 1;
    let k = match wd.get(2.min(wd.len() - 1)) {
        Some(Dim::Known(k)) => *k as i64,
        _ => return Err(Reason::new("kernel", "a kernel of free size")),
    };
    let row = 1.min(rank - 1);
    let (stride, dilation) = (entry(&a.strides, rank, row, 1) as i64, entry(&a.dilation, rank, row, 1).max(1) as i64);
    let one = cx.b.scalar(crate::onnx::graph::ElemType::Int64, 1.0);
    let step = cx.b.scalar(crate::onnx::graph::ElemType::Int64, stride as f64);
    let room = if flag(&a.auto_padding, rank, row) {
        cx.b.sub(lengths, one)
    } else {
        let pad = entry(&a.lower_pad, rank, row, 0) as i64 + entry(&a.upper_pad, rank, row, 0) as i64;
        let extent = cx.b.scalar(crate::onnx::graph::ElemType::Int64, (((k - 1) * dilation + 1) - pad) as f64);
        cx.b.sub(lengths, extent)
    };
    let steps = if stride == 1 { room } else { cx.b.div(room, step) };
    let out = cx.b.add(steps, one);
    let out = cx.b.cast(out, elem);
    let id = cx.b.unsqueeze(out, &[1]);
    Ok(smallvec![Val { id, lead: x.lead.per_sample() }])
}
