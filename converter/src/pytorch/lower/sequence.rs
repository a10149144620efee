//! Lengths and masks of sequence axes, and the operators that read sequence axes (spec 4.10, 4.13).

mod pick;

use super::{Lengths, Lower, Lowered, Node, Val};
use crate::pytorch::python::expr::{Binary, Expr, Subscript, ValueId, args, functional, helper, keyword, of};
use crate::report::Reason;
use cntk_parser::model::{SequenceAxisId, Source, VariableId};
use cntk_parser::ops::Operator;
use smallvec::smallvec;
use std::collections::HashSet;

impl Lower<'_, '_, '_> {
    /// The lengths of a sequence axis: int64 [batch]. The first call adds the argument.
    pub(crate) fn lengths(&mut self, axis: SequenceAxisId) -> Result<ValueId, Reason> {
        if let Some(id) = self.length_values.get(&axis) {
            return Ok(*id);
        }
        let variable = self
            .first_argument(axis)
            .ok_or_else(|| Reason::new("", "the lengths of its sequence axis are not known"))?;
        let model = self.graph.model;
        let axes: HashSet<SequenceAxisId> = self
            .graph
            .arguments
            .iter()
            .filter_map(|a| model.type_of(Source::Variable(a.variable)).axes.sequence)
            .collect();
        let wanted = match self.graph.arguments.iter().position(|a| a.variable == variable) {
            Some(i) if axes.len() > 1 => format!("{}_lengths", self.arguments[i]),
            _ => "lengths".to_owned(),
        };
        let name = self.names.unique(&wanted);
        let id = self.body.atom(Expr::local(name.clone()));
        self.lengths.push(Lengths { axis, name, variable });
        self.length_values.insert(axis, id);
        Ok(id)
    }

    /// Removes lengths that no output needs, and sorts the others in the order of the arguments.
    pub(crate) fn settle_lengths(&mut self, outputs: &[ValueId]) {
        if self.lengths.is_empty() {
            return;
        }
        let uses = self.body.uses(outputs);
        let ids = &self.length_values;
        self.lengths.retain(|l| ids.get(&l.axis).is_some_and(|id| uses.needs(*id)));
        let arguments = &self.graph.arguments;
        self.lengths.sort_by_key(|l| arguments.iter().position(|a| a.variable == l.variable));
    }

    /// The first argument, in file order, that has this axis.
    pub(super) fn first_argument(&self, axis: SequenceAxisId) -> Option<VariableId> {
        let has = |v| self.graph.model.type_of(Source::Variable(v)).axes.sequence == Some(axis);
        self.graph.arguments.iter().map(|a| a.variable).find(|v| has(*v))
    }

    /// Declares the lengths of an axis that an operator creates.
    fn set_lengths(&mut self, axis: SequenceAxisId, lengths: ValueId) {
        if self.first_argument(axis).is_none() {
            self.length_values.entry(axis).or_insert(lengths);
        }
    }

    /// The mask of valid frames: bool [batch, sequence].
    pub(crate) fn mask(&mut self, axis: SequenceAxisId) -> Result<ValueId, Reason> {
        if let Some(id) = self.scopes.iter().rev().find_map(|s| s.masks.get(&axis)) {
            return Ok(*id);
        }
        let (timed, lengths) = (self.timed(axis)?, self.lengths(axis)?);
        let id = self.compute(helper("valid_steps", args![timed, lengths]));
        self.body.hint(id, "valid".to_owned());
        if let Some(scope) = self.scopes.last_mut() {
            scope.masks.insert(axis, id);
        }
        Ok(id)
    }

    /// `v` with everything beyond each sequence's length replaced by `fill`, even NaN.
    pub(crate) fn mask_fill(&mut self, v: &Val, fill: f64) -> Result<Val, Reason> {
        let Some(axis) = v.lead.sequence else { return Ok(v.clone()) };
        let mask = self.mask(axis)?;
        let mut index = vec![Subscript::ALL; 2];
        index.extend(std::iter::repeat_n(Subscript::New, v.rank()));
        let valid = if v.rank() == 0 { of(mask) } else { of(mask).index(index) };
        let fill = Expr::number(fill, !v.elem.is_double());
        let id = self.compute(of(v.id).method("masked_fill", args![!valid, fill]));
        Ok(v.with(id))
    }

    /// `v` with the steps of each sequence in reverse order. Padding stays at the end.
    pub(crate) fn flip_steps(&mut self, v: &Val) -> Result<Val, Reason> {
        let axis = v.lead.sequence.ok_or_else(|| Reason::new("", "is no sequence"))?;
        let lengths = self.lengths(axis)?;
        let id = self.compute(helper("flip_steps", args![v.id, lengths]));
        Ok(v.with(id))
    }

    /// Inside of a loop, the current step of a value with the loop's axis.
    pub(crate) fn at_step(&mut self, source: Source, v: Val) -> Val {
        let Some((axis, step)) = self.running.last().cloned() else { return v };
        if v.lead.sequence != Some(axis) {
            return v;
        }
        let id = self.compute(of(v.id).index(vec![Subscript::ALL, Subscript::At(Expr::local(step))]));
        let read = Val { lead: v.lead.per_sample(), ..v.with(id) };
        self.bind(source, read.clone());
        read
    }

    /// The last frame of each sequence.
    pub(crate) fn last_step(&mut self, v: &Val) -> Result<Val, Reason> {
        let axis = v.lead.sequence.ok_or_else(|| Reason::new("", "is no sequence"))?;
        let lengths = self.lengths(axis)?;
        let id = self.compute(helper("last_step", args![v.id, lengths]));
        Ok(Val { lead: v.lead.per_sample(), ..v.with(id) })
    }
}

/// The operators that read a sequence axis.
pub(super) fn lower(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    match node.op {
        Operator::PastValue(d) => delay(cx, node, d.offset, false),
        Operator::FutureValue(d) => delay(cx, node, d.offset, true),
        Operator::ReconcileDynamicAxis => reconcile(cx, node),
        Operator::UnpackSequence(a) => unpack(cx, node, a.padding_value),
        Operator::ToSequence(_) => to_sequence(cx, node),
        Operator::ToSequenceLike(_) => to_sequence_like(cx, node),
        Operator::Where(_) => pick::positions(cx, node),
        Operator::PackedIndex => Ok(smallvec![node.inputs[1].clone()]),
        Operator::GatherPacked => pick::gather(cx, node),
        Operator::ScatterPacked => pick::scatter(cx, node),
        _ => Err(Reason::new("", "has no PyTorch form")),
    }
}

/// A delay outside of a loop, which shifts the sequence.
fn delay(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, steps: u64, future: bool) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let Some(axis) = x.lead.sequence else {
        return Err(Reason::new("", "the operand is not a sequence"));
    };
    let out = &node.types[0].shape;
    let x = cx.expand(&x, x.lead, out)?;
    let initial = &node.inputs[1];
    if let (false, Some(value)) = (future, initial.literal) {
        let mut arguments = args![x.id, pad_amounts(x.rank(), steps.into(), 0.into())];
        if value != 0.0 {
            arguments.push(keyword("value", Expr::number(value, !x.elem.is_double())));
        }
        let but_last = Subscript::Range(None, Some(Expr::Int(-i128::from(steps))), None);
        let id = cx.compute(functional("pad", arguments).index(vec![Subscript::ALL, but_last]));
        return Ok(smallvec![x.with(id)]);
    }
    if initial.lead.sequence.is_some() {
        return delay_after_sequence(cx, &x, initial, steps, future);
    }
    let initial = match initial.literal {
        Some(v) => {
            let id = cx
                .compute(of(x.id).method("new_full", args![Expr::Tuple(vec![]), Expr::number(v, !x.elem.is_double())]));
            initial.with(id)
        }
        None => cx.cast(initial, x.elem),
    };
    let placed = cx.place(&initial, x.lead, x.rank());
    let id = if future {
        let lengths = cx.lengths(axis)?;
        cx.compute(helper("future_value", args![x.id, placed, steps, lengths]))
    } else {
        cx.compute(helper("past_value", args![x.id, placed, steps]))
    };
    Ok(smallvec![x.with(id)])
}

/// A delay whose initial state is a sequence. PastValue puts its last frames before, FutureValue its first frames
/// after.
fn delay_after_sequence(cx: &mut Lower<'_, '_, '_>, x: &Val, initial: &Val, steps: u64, future: bool) -> Lowered {
    let initial = cx.expand(initial, initial.lead, &x.dims)?;
    if future {
        let flipped = cx.flip_steps(x)?;
        let after = initial_steps(cx, &initial, steps, true)?;
        let id = cx.compute(helper("past_value", args![flipped.id, after, steps]));
        return Ok(smallvec![cx.flip_steps(&x.with(id))?]);
    }
    let before = initial_steps(cx, &initial, steps, false)?;
    let id = cx.compute(helper("past_value", args![x.id, before, steps]));
    Ok(smallvec![x.with(id)])
}

/// The frames of a sequence that is the initial state of a delay, in the order in which the delay reads them: for PastValue the last
/// frames; FutureValue reads the first frames backwards. A sequence of one frame gives it for all of them; CNTK refuses other
/// sequences that are shorter than the delay.
pub(super) fn initial_steps(
    cx: &mut Lower<'_, '_, '_>,
    initial: &Val,
    steps: u64,
    future: bool,
) -> Result<ValueId, Reason> {
    let axis = initial.lead.sequence.ok_or_else(|| Reason::new("", "the initial state is not a sequence"))?;
    let turned = if future { cx.flip_steps(initial)? } else { initial.clone() };
    let lengths = cx.lengths(axis)?;
    Ok(cx.compute(helper("last_steps", args![turned.id, lengths, steps])))
}

/// ReconcileDynamicAxis: repeats data along the axes of another value.
fn reconcile(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = node.inputs[0].clone();
    let lead = cx.lead(node.result());
    if let (Some(value), Some(axis)) = (x.literal, lead.sequence) {
        let timed = cx.timed(axis)?;
        let lead_sizes = Subscript::Range(None, Some(2.into()), None);
        let mut sizes = of(timed).attribute("shape").index(vec![lead_sizes]);
        if x.rank() > 0 {
            sizes = sizes + Expr::Tuple(vec![Expr::from(1); x.rank()]);
        }
        let id = cx.full(x.elem, sizes, value, timed);
        return Ok(smallvec![Val { lead, ..x.with(id) }]);
    }
    if let (Some(from), Some(to)) = (x.lead.sequence, lead.sequence) {
        if from == to {
            return Ok(smallvec![Val { lead, ..x }]);
        }
        let like = cx.timed(to)?;
        let id = cx.compute(helper("as_many_steps", args![x.id, like]));
        return Ok(smallvec![Val { lead, ..x.with(id) }]);
    }
    let dims = x.dims.clone();
    Ok(smallvec![cx.expand(&x, lead, &dims)?])
}

/// UnpackSequence: the sequence axis becomes the outermost static one.
fn unpack(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, padding: f64) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let axis = x.lead.sequence.ok_or_else(|| Reason::new("", "the operand is not a sequence"))?;
    let filled = cx.mask_fill(&x, padding)?;
    let lead = x.lead.per_sample();
    let mut outputs = smallvec![Val { lead, dims: node.types[0].shape.clone(), ..filled }];
    if let Some(ty) = node.types.get(1) {
        let mask = cx.mask(axis)?;
        let id = cx.numeric(of(mask), &x);
        cx.truths.insert(id, mask);
        outputs.push(Val { lead, dims: ty.shape.clone(), ..x.with(id) });
    }
    Ok(outputs)
}

/// ToSequence: the outermost static axis becomes a new sequence axis.
fn to_sequence(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let lead = cx.lead(node.result());
    let axis = lead.sequence.ok_or_else(|| Reason::new("newDynamicAxes", "names no sequence axis"))?;
    let lengths = match node.inputs.get(1) {
        Some(given) => match cx.counts.get(&given.id) {
            Some(count) => *count,
            None => {
                let given = cx.tensor(given);
                cx.compute(of(given.id).method("reshape", args![-1]).method("long", args![]))
            }
        },
        None => cx.compute(helper("full_lengths", args![x.id])),
    };
    cx.set_lengths(axis, lengths);
    cx.set_timed(axis, x.id);
    Ok(smallvec![Val { lead, dims: node.types[0].shape.clone(), ..x }])
}

/// ToSequenceLike: as [`to_sequence`], with the lengths of another sequence. Frames beyond these are dropped.
fn to_sequence_like(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let lead = cx.lead(node.result());
    let axis = lead.sequence.ok_or_else(|| Reason::new("", "the second operand is not a sequence"))?;
    let timed = cx.timed(axis)?;
    let id = cx.compute(of(x.id).index(vec![Subscript::ALL, Subscript::Range(None, Some(of(timed).size(1)), None)]));
    Ok(smallvec![Val { lead, dims: node.types[0].shape.clone(), ..x.with(id) }])
}

/// The amounts by which `F.pad` pads the sequence axis, the last axis first.
pub(super) fn pad_amounts(rank: usize, before: Expr, after: Expr) -> Expr {
    Expr::Tuple(std::iter::repeat_n(Expr::from(0), 2 * rank).chain([before, after]).collect())
}

/// Times with `inferInputRankToMap` -2: `sum_t W_t x_t` for each sample.
pub(super) fn times_over_sequence(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (w, x) = (cx.tensor(&node.inputs[0]), cx.tensor(&node.inputs[1]));
    if w.lead.sequence.is_none() || w.lead != x.lead {
        return Err(Reason::new("inferInputRankToMap", "a product over the sequence axis needs two sequences"));
    }
    let (product, dims) = if w.rank() == 1 {
        (of(w.id) * x.id, w.dims.clone())
    } else {
        // Each frame has a matrix.
        let row = of(x.id).method("unsqueeze", args![-2]);
        (Expr::binary(Binary::MatMul, row, of(w.id)).method("squeeze", args![-2]), w.dims[1..].into())
    };
    let id = cx.compute(product);
    let product = cx.mask_fill(&Val { dims, ..w.with(id) }, 0.0)?;
    let id = cx.compute(of(product.id).method("sum", args![1]));
    let made = Val { lead: w.lead.per_sample(), ..product.with(id) };
    Ok(smallvec![cx.reshape(&made, &node.types[0].shape)?])
}
