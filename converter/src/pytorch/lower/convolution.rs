//! Lowers convolutions, plain and transposed (spec 4.7), to `nn.Conv…` if the kernel is a weight.

use super::value::stored;
use super::{Lower, Lowered, Node, Owner, Val};
use crate::layout::Lead;
use crate::pytorch::python::expr::{
    Argument, Expr, StateId, Subscript, ValueId, args, functional, helper, keyword, list, nn, numbers, of, torch, tuple,
};
use crate::pytorch::state::{State, dtype};
use crate::pytorch::weights::Weight;
use crate::report::Reason;
use crate::resolve::window::{Padding, Placed, Window, entry, flag, of_convolution};
use cntk_parser::model::{Dim, Dims, FunctionId, Source, VariableId, VariableKind};
use cntk_parser::ops::attributes::Convolution;
use smallvec::smallvec;

/// The arguments of a convolution.
struct Call<'c> {
    windows: &'c [Window],
    groups: u64,
    transposed: bool,
    /// Padding that is equal on both sides. Other padding is added by `F.pad` before.
    padding: Vec<i64>,
    output_padding: Vec<i64>,
}

pub(super) fn convolution(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &Convolution) -> Lowered {
    let x = cx.tensor(&node.inputs[1]);
    if node.inputs[0].lead.rank() > 0 {
        return Err(Reason::new("kernel", "a kernel that differs from sample to sample has no PyTorch form"));
    }
    let (rank, mut kernel) = (x.rank(), node.inputs[0].dims.clone());
    if kernel.len() == rank {
        // A kernel without an output-map axis has a single map.
        kernel.insert(0, Dim::Known(1));
    }
    if kernel.len() != rank + 1 || rank == 0 {
        return Err(Reason::new("kernel", "its rank does not fit the operand's"));
    }
    let taps: Option<Vec<u64>> = kernel[2..].iter().map(|d| d.known()).collect();
    let taps = taps.ok_or_else(|| Reason::new("kernelShape", "a kernel of free size"))?;
    let mut windows = of_convolution(a, &taps, &known(&x.dims));
    let mut input = cx.as_batch(&x);
    let flat = windows.is_empty();
    let mut tail: Dims = x.dims[1..].into();
    if flat {
        // PyTorch requires a spatial axis: add one of size 1.
        input = cx.compute(of(input).method("unsqueeze", args![2]));
        kernel.push(Dim::Known(1));
        tail.push(Dim::Known(1));
        windows.push(Window { kernel: 1, stride: 1, dilation: 1, padding: Padding::Explicit(0, 0), ceil: false });
    }
    if windows.len() > 3 {
        return Err(Reason::new("kernel", "PyTorch convolves over at most three axes"));
    }
    let (call, after) = if a.transpose {
        transposed(a, &windows, &tail)?
    } else {
        let (padded, padding) = pad(cx, input, &windows, &tail, 0.0, None)?;
        input = padded;
        (
            Call { windows: &windows, groups: a.groups.max(1), transposed: false, padding, output_padding: vec![] },
            vec![],
        )
    };
    let (mut id, mut plus) = apply(cx, node, &x, &kernel, input, &call, !after.iter().any(|(b, c)| *b > 0 || *c > 0))?;
    if after.iter().any(|p| *p != (0, 0)) {
        id = cx.compute(functional("pad", args![id, pads(&after)]));
    }
    if flat {
        id = cx.compute(of(id).method("squeeze", args![2]));
    }
    let mut out: Dims = node.types[0].shape.clone();
    let made =
        if out.len() == rank { out.clone() } else { [Dim::Known(1)].into_iter().chain(out.iter().copied()).collect() };
    let y = cx.spread_batch(id, &x, made);
    let y = cx.reshape(&y, &std::mem::take(&mut out))?;
    if let Some(plus) = plus.take() {
        cx.take(plus);
        cx.bind_outputs(plus, smallvec![y.clone()]);
    }
    Ok(smallvec![y])
}

/// The sizes; `None` for one that is not known.
pub(super) fn known(dims: &Dims) -> Vec<Option<u64>> {
    dims.iter().map(|d| d.known()).collect()
}

/// The arguments of `F.pad` for amounts in row-major order.
pub(super) fn pads(amounts: &[(i64, i64)]) -> Expr {
    let list: Vec<i64> = amounts.iter().rev().flat_map(|(b, a)| [*b, *a]).collect();
    tuple(&list)
}

/// Pads or crops `x` (batch, channel, spatial...) so that only equal padding on both sides remains, which is returned.
/// `most` is the largest padding that the operator accepts; `None` means any.
pub(super) fn pad(
    cx: &mut Lower<'_, '_, '_>,
    x: ValueId,
    windows: &[Window],
    tail: &[Dim],
    fill: f64,
    most: Option<u64>,
) -> Result<(ValueId, Vec<i64>), Reason> {
    let mut amounts = Vec::new();
    let (mut even, mut at_run_time) = (true, false);
    for (w, n) in windows.iter().zip(tail) {
        let k = w.extent().cast_signed();
        let (before, after) = match (n, w.padding) {
            (Dim::Known(size), _) => {
                let Placed { size: out, before, after } =
                    w.place(*size).ok_or_else(|| Reason::new("kernel", "larger than its input"))?;
                // Elements that no window reads need not be padded or cut off.
                let reach = size.cast_signed() + 2 * before - k;
                let same =
                    before >= 0 && reach >= 0 && (reach / w.stride.max(1).cast_signed()) + 1 == out.cast_signed();
                even &= same;
                if same { (before, before) } else { (before, after.max(0)) }
            }
            (Dim::Free(_), Padding::Auto) if w.stride == 1 => ((k - 1) / 2, k - 1 - (k - 1) / 2),
            (Dim::Free(_), Padding::Auto) if w.ceil => {
                // CNTK itself reads beyond the map there.
                return Err(Reason::new("ceilOutDim", "sizes rounded up on a padded axis of free size"));
            }
            // By what the strides leave over.
            (Dim::Free(_), Padding::Auto) => {
                at_run_time = true;
                amounts.push((0, 0));
                continue;
            }
            (Dim::Free(_), Padding::Explicit(lo, hi)) => {
                let more = if w.ceil { w.stride - 1 } else { 0 };
                (lo.cast_signed(), (hi + more).cast_signed())
            }
        };
        even &= before == after && most.is_none_or(|_| before * 2 <= w.kernel.cast_signed());
        amounts.push((before, after));
    }
    let none = vec![0; windows.len()];
    if amounts.iter().all(|p| *p == (0, 0)) && !at_run_time {
        return Ok((x, none));
    }
    if even && !at_run_time {
        return Ok((x, amounts.iter().map(|p| p.0).collect()));
    }
    // Nothing is left to the operator, so use exact amounts.
    for ((w, n), p) in windows.iter().zip(tail).zip(&mut amounts) {
        if let Dim::Known(n) = n
            && let Some(placed) = w.place(*n)
        {
            *p = (placed.before, placed.after.max(0));
        }
    }
    let mut x = x;
    if amounts.iter().any(|p| *p != (0, 0)) {
        let mut arguments = args![x, pads(&amounts)];
        arguments.extend((fill != 0.0).then(|| keyword("value", Expr::number(fill, true))));
        x = cx.compute(functional("pad", arguments));
    }
    Ok((if at_run_time { dynamic(cx, x, windows, tail, fill) } else { x }, none))
}

/// Pads the axes whose amounts depend on a size that only the run tells; a window of one element leaves the others as they are.
fn dynamic(cx: &mut Lower<'_, '_, '_>, x: ValueId, windows: &[Window], tail: &[Dim], fill: f64) -> ValueId {
    let all = || windows.iter().zip(tail);
    let kernel: Vec<u64> = all().map(|(w, n)| if by_leftover(w, *n) { w.extent() } else { 1 }).collect();
    let stride: Vec<u64> = all().map(|(w, n)| if by_leftover(w, *n) { w.stride } else { 1 }).collect();
    let mut arguments = args![x, list(&kernel), list(&stride)];
    arguments.extend((fill != 0.0).then(|| Expr::number(fill, true).into()));
    cx.compute(helper("auto_pad", arguments))
}

/// Do the pads of a window depend on what its strides leave over of an axis of free size?
pub(super) fn by_leftover(w: &Window, n: Dim) -> bool {
    n.known().is_none() && w.padding == Padding::Auto && w.stride != 1
}

/// The padding of a transposed convolution, and what is cut off or added after it.
fn transposed<'w>(a: &Convolution, windows: &'w [Window], tail: &[Dim]) -> Result<(Call<'w>, Vec<(i64, i64)>), Reason> {
    let n = windows.len();
    let (mut padding, mut output_padding, mut after) = (vec![0; n], vec![0; n], vec![(0, 0); n]);
    for (i, w) in windows.iter().enumerate() {
        // `outputShape` is in file order, the channel last.
        let wanted =
            a.output_shape.as_ref().and_then(|s| s.0.get(n - 1 - i)).copied().filter(|d| *d > 0 && *d < u64::MAX - 3);
        let (lo, hi) = match tail[i] {
            Dim::Known(size) => {
                let p = w
                    .place_transposed(size, wanted)
                    .ok_or_else(|| Reason::new("outputShape", "does not fit the operand"))?;
                (p.before, p.after)
            }
            Dim::Free(_) => match w.padding {
                Padding::Auto => {
                    let k = w.extent().cast_signed();
                    ((k - 1) / 2, k - 1 - (k - 1) / 2)
                }
                Padding::Explicit(lo, hi) => (lo.cast_signed(), hi.cast_signed()),
            },
        };
        if lo == hi + 1 && hi >= 0 && w.stride > 1 {
            (padding[i], output_padding[i]) = (lo, 1);
        } else {
            let both = lo.min(hi).max(0);
            padding[i] = both;
            after[i] = (both - lo, both - hi);
        }
    }
    Ok((Call { windows, groups: a.groups.max(1), transposed: true, padding, output_padding }, after))
}

impl Call<'_> {
    /// Keyword arguments that differ from their defaults.
    fn keywords(&self) -> Vec<Argument> {
        let mut all = Vec::new();
        let mut add = |name: &'static str, values: Vec<i64>, default: i64| {
            if values.iter().any(|v| *v != default) {
                all.push(keyword(name, numbers(&values)));
            }
        };
        add("stride", self.windows.iter().map(|w| w.stride.cast_signed()).collect(), 1);
        add("padding", self.padding.clone(), 0);
        add("output_padding", self.output_padding.clone(), 0);
        add("groups", vec![self.groups.cast_signed()], 1);
        add("dilation", self.windows.iter().map(|w| w.dilation.cast_signed()).collect(), 1);
        all
    }

    fn name(&self) -> &'static str {
        match (self.transposed, self.windows.len()) {
            (false, 1) => "Conv1d",
            (false, 2) => "Conv2d",
            (false, _) => "Conv3d",
            (true, 1) => "ConvTranspose1d",
            (true, 2) => "ConvTranspose2d",
            (true, _) => "ConvTranspose3d",
        }
    }
}

/// The call of the convolution, and the Plus that it includes as a bias.
fn apply(
    cx: &mut Lower<'_, '_, '_>,
    node: &Node<'_, '_>,
    x: &Val,
    kernel: &Dims,
    input: ValueId,
    call: &Call<'_>,
    may_add: bool,
) -> Result<(ValueId, Option<FunctionId>), Reason> {
    if let Source::Variable(w) = node.sources[0]
        && let Some(found) = module(cx, node, w, x, kernel, call, may_add)
    {
        return Ok((cx.compute(Expr::layer(found.0, args![input])), found.1));
    }
    let elem = x.elem;
    let w = cx.tensor(&node.inputs[0]);
    let w = cx.cast(&w, elem);
    let w = Val { lead: Lead::default(), ..w };
    let w = cx.reshape(&w, kernel)?;
    let function = match call.name() {
        "Conv1d" => "conv1d",
        "Conv2d" => "conv2d",
        "Conv3d" => "conv3d",
        "ConvTranspose1d" => "conv_transpose1d",
        "ConvTranspose2d" => "conv_transpose2d",
        _ => "conv_transpose3d",
    };
    let mut arguments = args![input, w.id];
    arguments.extend(call.keywords());
    Ok((cx.compute(functional(function, arguments)), None))
}

/// A submodule that holds the kernel and, if a Plus adds one, the bias.
fn module(
    cx: &mut Lower<'_, '_, '_>,
    node: &Node<'_, '_>,
    w: VariableId,
    x: &Val,
    kernel: &Dims,
    call: &Call<'_>,
    may_add: bool,
) -> Option<(StateId, Option<FunctionId>)> {
    let model = cx.graph.model;
    let variable = model.variable(w);
    let weight = Weight::new(variable)?;
    if !matches!(variable.kind, VariableKind::Parameter | VariableKind::Constant) || weight.elem != stored(x.elem) {
        return None;
    }
    let sizes: Vec<u64> = kernel.iter().map(|d| d.known()).collect::<Option<_>>()?;
    let (input, output) =
        if call.transposed { (sizes[0], sizes[1] * call.groups) } else { (sizes[1] * call.groups, sizes[0]) };
    let bias = cx.bias_of(node.id).filter(|(plus, b)| {
        let ty = model.type_of(Source::Variable(*b));
        let spatial = model.output_types(*plus)[0].shape.len().saturating_sub(1);
        // (O, 1, …, 1)
        let per_map = ty.shape.len() == spatial + 1
            && ty.shape[0] == Dim::Known(output)
            && ty.shape[1..].iter().all(|d| *d == Dim::Known(1));
        may_add
            && per_map
            && spatial + 1 == x.rank()
            && node.types[0].shape.len() == x.rank()
            && cx.may_join(*b, w)
            && cx.is_bias_of(*b, w)
            && Weight::new(model.variable(*b)).is_some_and(|b| b.elem == weight.elem)
    });
    let keywords = call.keywords();
    let key = format!("{} {w:?} {:?} {keywords:?}", call.name(), bias.map(|(_, b)| b));
    if let Some(state) = cx.modules.get(&key) {
        return Some((*state, bias.map(|(plus, _)| plus)));
    }
    if cx.owners.contains_key(&w) {
        return None;
    }
    let window: Vec<u64> = call.windows.iter().map(|w| w.kernel).collect();
    let mut arguments = args![input, output, numbers(&window)];
    arguments.extend(keywords);
    arguments.extend(bias.is_none().then(|| keyword("bias", false)));
    arguments.extend(dtype(weight.elem));
    let constructor = nn(call.name(), arguments);
    let wanted = cx.layer_name(node.id).or_else(|| bias.and_then(|(plus, _)| cx.layer_name(plus)));
    let mut state =
        State::module(constructor, wanted, "conv").tensor("weight", (w, &weight), &sizes, weight.whole(), "as in CNTK");
    if let Some((_, b)) = bias
        && let Some(held) = Weight::new(model.variable(b))
    {
        state = state.tensor("bias", (b, &held), &[output], held.whole(), "as in CNTK");
        let id = cx.hold(state);
        let per_map = std::iter::once(-1).chain(std::iter::repeat_n(1, call.windows.len()));
        let array = |bias: Expr| bias.method("reshape", per_map.map(Argument::from).collect());
        cx.owners.insert(b, Owner::tensor(id, "bias").map(array));
        return Some(own(cx, w, id, &weight, &sizes, key, bias));
    }
    let id = cx.hold(state);
    Some(own(cx, w, id, &weight, &sizes, key, bias))
}

fn own(
    cx: &mut Lower<'_, '_, '_>,
    w: VariableId,
    id: StateId,
    weight: &Weight,
    sizes: &[u64],
    key: String,
    bias: Option<(FunctionId, VariableId)>,
) -> (StateId, Option<FunctionId>) {
    cx.modules.insert(key, id);
    cx.owners.insert(w, Owner::tensor(id, "weight").shaped(&weight.dims, weight.dims == sizes));
    (id, bias.map(|(plus, _)| plus))
}

/// The output length of a convolution along the sequence axis: one number per sample (spec 4.7).
pub(super) fn sequence_shape(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &Convolution) -> Lowered {
    let (kernel, x) = (&node.inputs[0], &node.inputs[1]);
    let Some(axis) = x.lead.sequence else {
        return Err(Reason::new("", "the operand is not a sequence"));
    };
    let lengths = cx.lengths(axis)?;
    // The time axis is the outermost spatial axis of the kernel, after the channel.
    let rank = kernel.rank() - 1;
    let Some(Dim::Known(k)) = kernel.dims.get(2.min(kernel.rank() - 1)) else {
        return Err(Reason::new("kernel", "a kernel of free size"));
    };
    let row = 1.min(rank - 1);
    let (stride, dilation) = (entry(&a.strides, rank, row, 1).max(1), entry(&a.dilation, rank, row, 1).max(1));
    let less = if flag(&a.auto_padding, rank, row) {
        1
    } else {
        let pad = entry(&a.lower_pad, rank, row, 0) + entry(&a.upper_pad, rank, row, 0);
        ((k - 1) * dilation + 1).cast_signed() - pad.cast_signed()
    };
    let steps = match (stride, less) {
        (1, 1) => lengths,
        (1, n) => cx.compute(of(lengths) - (n - 1)),
        (s, n) => cx.compute(torch("div", args![of(lengths) - n, s, keyword("rounding_mode", "floor")]) + 1),
    };
    let id = cx.numeric(of(steps).index(vec![Subscript::ALL, Subscript::New]), x);
    cx.counts.insert(id, steps);
    let lead = x.lead.per_sample();
    Ok(smallvec![Val { id, lead, dims: [Dim::Known(1)].as_slice().into(), elem: x.elem, literal: None }])
}
