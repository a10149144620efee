//! Operands: tensors whose leading dimensions are dynamic axes.

use super::{Lower, Owner};
use crate::layout::{Batch, Lead};
use crate::pytorch::python::expr::{Argument, Expr, Module, ValueId, args, keyword, of, torch, tuple};
use crate::pytorch::state::State;
use crate::pytorch::weights::{Weight, single};
use crate::report::Reason;
use crate::weights::ElemType;
use cntk_parser::model::{DataType, Dim, Dims, SequenceAxisId, Source, ValueType, VariableId, VariableKind};

/// Element types. Half precision is computed in single precision, as PyTorch does on the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elem {
    Float,
    Double,
    Half,
}

impl Elem {
    pub(crate) fn new(t: DataType) -> Option<Self> {
        match t {
            DataType::Float | DataType::Int8 | DataType::Int16 => Some(Self::Float),
            DataType::Double => Some(Self::Double),
            DataType::Float16 => Some(Self::Half),
            DataType::Unknown => None,
        }
    }

    /// Does PyTorch store it as float64?
    pub(crate) fn is_double(self) -> bool {
        self == Self::Double
    }

    /// `x` converted to this type, if there is no tensor from which to take type and device.
    fn of(self, x: Expr) -> Expr {
        x.method(if self.is_double() { "double" } else { "float" }, args![])
    }

    /// The `dtype` argument of a constructor; `None` for float32.
    pub(crate) fn dtype(self) -> Option<Argument> {
        self.is_double().then(|| keyword("dtype", Expr::Torch(Module::Torch, "float64".into())))
    }
}

/// A CNTK value in Python: `[batch, sequence, *static]`, where `lead` tells which of the first two it has.
#[derive(Clone, Debug)]
pub(crate) struct Val {
    pub(crate) id: ValueId,
    pub(crate) lead: Lead,
    /// Row-major static shape.
    pub(crate) dims: Dims,
    pub(crate) elem: Elem,
    /// Its number, if it is a constant with one element.
    pub(crate) literal: Option<f64>,
}

impl Val {
    /// Its static rank.
    pub(crate) fn rank(&self) -> usize {
        self.dims.len()
    }

    /// Another value in the same shape.
    pub(crate) fn with(&self, id: ValueId) -> Self {
        Self { id, literal: None, ..self.clone() }
    }
}

impl Lower<'_, '_, '_> {
    /// Computes an expression.
    pub(crate) fn compute(&mut self, expr: Expr) -> ValueId {
        self.body.compute(expr)
    }

    /// A literal number.
    pub(crate) fn number(&mut self, value: f64, elem: Elem) -> Val {
        let id = self.body.atom(Expr::number(value, !elem.is_double()));
        Val { id, lead: Lead::default(), dims: Dims::new(), elem, literal: Some(value) }
    }

    /// The value of a parameter or constant. A single number that is not trained becomes a literal.
    pub(crate) fn constant(&mut self, id: VariableId) -> Result<Val, Reason> {
        let model = self.graph.model;
        let variable = model.variable(id);
        let ty = model.type_of(Source::Variable(id));
        let elem = Elem::new(ty.data_type)
            .ok_or_else(|| Reason::new(variable.uid, "the parameter's element type is not known"))?;
        if variable.kind == VariableKind::Constant
            && let Some(value) = single(variable)
        {
            let mut v = self.number(value, elem);
            v.dims = ty.shape.clone();
            return Ok(v);
        }
        if Weight::new(variable).is_none() {
            return Err(Reason::new(variable.uid, "the parameter has no value"));
        }
        let value = self.body.atom(Expr::Weight(id));
        Ok(Val { id: value, lead: Lead::default(), dims: ty.shape.clone(), elem, literal: None })
    }

    /// Decides where each weight is held: in the layer that holds it, or else as a parameter or buffer of its own.
    pub(crate) fn place_weights(&mut self, outputs: &[ValueId]) {
        for v in self.body.uses(outputs).needed() {
            let Expr::Weight(id) = *self.body.expr(v) else { continue };
            let owner = match self.owners.get(&id) {
                Some(owner) => owner.clone(),
                None => {
                    let Some(weight) = Weight::new(self.graph.model.variable(id)) else { continue };
                    let wanted = self.parameter_name(id);
                    let state = self.hold(State::plain(id, &weight, wanted));
                    let owner = Owner::alone(state);
                    self.owners.insert(id, owner.clone());
                    owner
                }
            };
            let Some(array) = owner.array else {
                let uid = self.graph.model.variable(id).uid.to_owned();
                let reason = Reason::new("", "is stored rearranged inside a layer, and another node needs it as it is");
                self.reasons.push(Reason { uid, ..reason });
                continue;
            };
            self.body.values[v.0 as usize].expr = array.into();
        }
    }

    /// The value as a tensor, even if it is a literal number.
    pub(crate) fn tensor(&mut self, v: &Val) -> Val {
        let Some(value) = v.literal else { return v.clone() };
        let dims: Vec<u64> = v.dims.iter().map(|d| d.known().unwrap_or(1)).collect();
        let id = match self.like(v.elem) {
            Some(like) => {
                self.compute(of(like).method("new_full", args![tuple(&dims), Expr::number(value, !v.elem.is_double())]))
            }
            None => {
                let state = self.hold(State::number(stored(v.elem), &dims, value));
                self.body.atom(Expr::State(state))
            }
        };
        v.with(id)
    }

    /// A tensor from which new tensors of type `elem` take type and device, so that the module keeps working under
    /// `.double()`, `.half()` and `.to(...)`.
    pub(crate) fn like(&self, elem: Elem) -> Option<ValueId> {
        self.likes[usize::from(elem.is_double())]
    }

    /// Records a value that [`Self::like`] may return. Values computed in a loop are not recorded, because they may not
    /// exist after it.
    pub(crate) fn offer_like(&mut self, v: &Val, ty: DataType) {
        let floating = matches!(ty, DataType::Float | DataType::Double | DataType::Float16);
        if floating && v.literal.is_none() && self.running.is_empty() {
            self.likes[usize::from(v.elem.is_double())].get_or_insert(v.id);
        }
    }

    /// A tensor filled with one number. `timed` gives the device if no tensor has the element type yet.
    pub(crate) fn full(&mut self, elem: Elem, sizes: Expr, value: f64, timed: ValueId) -> ValueId {
        let number = Expr::number(value, !elem.is_double());
        let made = match (self.like(elem), value) {
            (Some(like), 0.0) => of(like).method("new_zeros", args![sizes]),
            (Some(like), 1.0) => of(like).method("new_ones", args![sizes]),
            (Some(like), _) => of(like).method("new_full", args![sizes, number]),
            (None, _) => {
                let mut arguments = args![sizes, number];
                arguments.extend(elem.dtype());
                arguments.push(of(timed).device());
                torch("full", arguments)
            }
        };
        self.compute(made)
    }

    /// Bools, counts or indices as numbers of the element type of the tensor `x`.
    pub(crate) fn numeric(&mut self, counts: Expr, x: &Val) -> ValueId {
        let like = self.like(x.elem).unwrap_or(x.id);
        self.compute(counts.method("type_as", args![like]))
    }

    /// Converts inputs in half precision to the type of the weights, which is single unless the user converts the
    /// module. Must be called after [`Self::place_weights`].
    pub(crate) fn widen_halves(&mut self, outputs: &[ValueId]) {
        if self.halves.is_empty() && self.hot.is_empty() {
            return;
        }
        let states = self.body.states(outputs);
        let weight = states.iter().find_map(|id| {
            let held = self.states[id.0 as usize].tensors.iter().find(|h| h.elem == ElemType::Float)?;
            Some(
                held.suffix
                    .split('.')
                    .filter(|s| !s.is_empty())
                    .fold(Expr::State(*id), |e, s| e.attribute(s.to_owned())),
            )
        });
        let hot = std::mem::take(&mut self.hot);
        let Some(weight) = weight else { return self.one_hot_as_input(&hot) };
        for (widened, given) in std::mem::take(&mut self.halves).into_iter().chain(hot) {
            self.body.values[widened.0 as usize].expr =
                of(given).method("to", args![weight.clone().attribute("dtype")]).into();
        }
    }

    /// One-hot rows in the type of the first input in single precision, where there is no weight to tell it.
    fn one_hot_as_input(&mut self, hot: &[(ValueId, ValueId)]) {
        let single = self.graph.arguments.iter().position(|a| {
            let ty = self.graph.model.type_of(Source::Variable(a.variable));
            a.classes.is_none() && ty.data_type == DataType::Float
        });
        let Some(name) = single.and_then(|i| self.arguments.get(i)) else { return };
        let like = Expr::local(name.clone());
        for (rows, truth) in hot {
            self.body.values[rows.0 as usize].expr = of(*truth).method("type_as", args![like.clone()]).into();
        }
    }

    /// Records where sizes can be read that are only known at run time.
    pub(crate) fn remember(&mut self, v: &Val) {
        if v.literal.is_some() || !self.running.is_empty() {
            return;
        }
        if let Some(batch) = v.lead.batch {
            self.batched.entry(batch).or_insert(v.id);
        }
        if let Some(axis) = v.lead.sequence {
            self.timed.entry(axis).or_insert(v.id);
        }
        for (i, d) in v.dims.iter().enumerate() {
            if let Dim::Free(id) = d {
                self.free.entry(*id).or_insert((v.id, v.lead.rank() + i));
            }
        }
    }

    /// The size of a batch.
    pub(crate) fn batch(&self, batch: Batch) -> Result<Expr, Reason> {
        let unknown = || Reason::new("", "the size of the batch is not known here");
        Ok(of(*self.batched.get(&batch).ok_or_else(unknown)?).size(0))
    }

    /// A value whose second dimension is this sequence axis.
    pub(crate) fn timed(&self, axis: SequenceAxisId) -> Result<ValueId, Reason> {
        self.timed.get(&axis).copied().ok_or_else(|| Reason::new("", "no value has this sequence axis yet"))
    }

    /// Declares a value that has a sequence axis.
    pub(crate) fn set_timed(&mut self, axis: SequenceAxisId, id: ValueId) {
        self.timed.entry(axis).or_insert(id);
    }

    /// Declares a value that has a sequence axis and is shorter to write than others.
    pub(crate) fn retime(&mut self, axis: SequenceAxisId, id: ValueId) {
        self.timed.insert(axis, id);
    }

    /// The size of a dimension.
    pub(crate) fn size(&self, d: Dim) -> Result<Expr, Reason> {
        match d {
            Dim::Known(n) => Ok(n.into()),
            Dim::Free(id) => {
                if let Some((v, axis)) = self.free.get(&id).copied() {
                    return Ok(of(v).size(axis));
                }
                let batch = self.layout.batch_of_size(id).ok_or_else(|| Reason::new("", "a size is not known here"))?;
                self.batch(batch)
            }
        }
    }

    /// `v` in the element type `elem`.
    pub(crate) fn cast(&mut self, v: &Val, elem: Elem) -> Val {
        if v.elem.is_double() == elem.is_double() {
            return Val { elem, ..v.clone() };
        }
        if let Some(value) = v.literal {
            // Its digits depend on the type.
            return Val { dims: v.dims.clone(), ..self.number(value, elem) };
        }
        let id = self.converted(v.id, elem);
        Val { elem, ..v.with(id) }
    }

    /// A tensor of the other precision in the element type `elem`.
    pub(crate) fn converted(&mut self, id: ValueId, elem: Elem) -> ValueId {
        match self.like(elem) {
            Some(like) => self.compute(of(id).method("type_as", args![like])),
            None => self.compute(elem.of(of(id))),
        }
    }

    /// Operands in the type of the first that is no constant.
    pub(crate) fn unify(&mut self, operands: &[Val], sources: &[Source]) -> Vec<Val> {
        let is_constant = |s: &Source| matches!(s, Source::Variable(v) if self.graph.model.variable(*v).kind == VariableKind::Constant);
        let first = sources.iter().position(|s| !is_constant(s)).unwrap_or(0);
        let elem = operands.get(first).map_or(Elem::Float, |v| v.elem);
        operands.iter().map(|v| self.cast(v, elem)).collect()
    }

    /// The result's axes where CNTK's inference gave it more than the expression has.
    pub(crate) fn with_rank_of(&mut self, v: Val, ty: &ValueType) -> Val {
        let missing = ty.shape.len().saturating_sub(v.rank());
        if missing == 0 || v.literal.is_some() || ty.shape.iter().take(missing).any(|d| *d != Dim::Known(1)) {
            return v;
        }
        let axes: Vec<usize> = (0..missing).map(|i| v.lead.rank() + i).collect();
        let id = self.unsqueeze(v.id, &axes, v.lead.rank() + v.rank());
        Val { dims: ty.shape.clone(), ..v.with(id) }
    }
}

/// The storage of an element type.
pub(crate) fn stored(elem: Elem) -> ElemType {
    if elem.is_double() { ElemType::Double } else { ElemType::Float }
}
