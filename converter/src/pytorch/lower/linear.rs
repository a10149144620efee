//! Lowers Times and TransposeTimes (spec 4.6), to `nn.Linear` if the left operand is a weight.

use super::shape::product;
use super::value::stored;
use super::{Lower, Lowered, Node, Owner, Val};
use crate::pytorch::python::expr::{Binary, Expr, args, helper, keyword, nn, of};
use crate::pytorch::state::{State, dtype};
use crate::pytorch::weights::Weight;
use crate::report::Reason;
use cntk_parser::model::{Dim, Dims, FunctionId, Source, VariableId, VariableKind};
use cntk_parser::ops::attributes::{Times, TransposeTimes};
use smallvec::smallvec;

/// `y = tensordot(x, W)` over W's first axes: W is `(reduced..., output...)`, x is `(m..., reduced...)`.
pub(super) fn times(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &Times) -> Lowered {
    if a.reduces_sequence() {
        return super::sequence::times_over_sequence(cx, node);
    }
    let outputs = usize::try_from(a.output_rank).unwrap_or(usize::MAX);
    let w = &node.inputs[0];
    let reduced = w
        .rank()
        .checked_sub(outputs)
        .ok_or_else(|| Reason::new("outputRank", "larger than the rank of the left operand"))?;
    lower(cx, node, reduced, false)
}

/// `y = x · Wᵀ`: W is `(o, r)` or, of rank 1, a column `(r)`.
pub(super) fn transpose_times(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &TransposeTimes) -> Lowered {
    match node.inputs[0].rank() {
        1 | 2 => lower(cx, node, 1, true),
        n => Err(Reason::new(
            "outputRank",
            format!("a left operand of rank {n} (outputRank {}) is not defined by CNTK", a.output_rank),
        )),
    }
}

/// A product over `reduced` axes. If `turned`, the output axes of W come first.
fn lower(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, reduced: usize, turned: bool) -> Lowered {
    let (w, x) = (&node.inputs[0], cx.tensor(&node.inputs[1]));
    let kept =
        x.rank().checked_sub(reduced).ok_or_else(|| Reason::new("outputRank", "the right operand has too few axes"))?;
    let output: Dims = match (turned, w.rank()) {
        (true, 1) => [Dim::Known(1)].as_slice().into(),
        (true, _) => [w.dims[0]].as_slice().into(),
        (false, _) => w.dims[reduced..].into(),
    };
    if let (1, true, Some(ids)) = (reduced, w.rank() == 2 || !turned, cx.ids_of(node.sources[1]))
        && w.lead.rank() == 0
    {
        return embedding(cx, node, &ids, turned);
    }
    let mut shape: Dims = x.dims[..kept].into();
    shape.extend(output.iter().copied());
    // All reduced axes in one, the last.
    let inner: Option<Dims> = if reduced == 1 {
        Some(x.dims.clone())
    } else {
        product(&x.dims[kept..]).map(|k| x.dims[..kept].iter().copied().chain([Dim::Known(k)]).collect())
    };
    if let (Source::Variable(v), Some(inner)) = (node.sources[0], &inner)
        && let Some((y, bias)) = module(cx, node.id, v, &x, inner, &output, turned)?
    {
        let y = cx.reshape(&y, &shape)?;
        if let Some(plus) = bias {
            cx.take(plus);
            cx.bind_outputs(plus, smallvec![y.clone()]);
        }
        return Ok(smallvec![y]);
    }
    let unified = cx.unify(&[x, w.clone()], &[node.sources[1], node.sources[0]]);
    let (x, w) = (&unified[0], cx.tensor(&unified[1]));
    // The matrix: (…, K, O).
    let matrix = match (turned, w.rank()) {
        (true, 2) => {
            let id = cx.compute(of(w.id).method("transpose", args![-1, -2]));
            Val { dims: [w.dims[1], w.dims[0]].as_slice().into(), ..w.with(id) }
        }
        (true, _) => cx.reshape(&w, &[w.dims[0], Dim::Known(1)])?,
        (false, _) if reduced == 1 && output.len() == 1 => w.clone(),
        (false, _) => {
            let columns = cx.in_one(&w, reduced, w.rank())?;
            cx.in_one(&columns, 0, reduced)?
        }
    };
    let last = matrix.dims[1];
    let rows = cx.in_one(x, kept, x.rank())?;
    let mut flat: Dims = rows.dims[..kept].into();
    flat.push(last);
    if matrix.lead.rank() == 0 {
        let id = if rows.lead.rank() + rows.rank() == 0 {
            return Err(Reason::new("", "a product needs an axis to reduce"));
        } else {
            cx.compute(Expr::binary(Binary::MatMul, rows.id, matrix.id))
        };
        let y = Val { dims: flat, ..rows.with(id) };
        return Ok(smallvec![cx.reshape(&y, &shape)?]);
    }
    // A matrix per sample: (lead, M, K) · (lead, K, O).
    let lead = rows.lead.union(matrix.lead);
    let rows = cx.in_one(&rows, 0, kept)?;
    let m = rows.dims[0];
    let (a, b) = (cx.place(&rows, lead, 2), cx.place(&matrix, lead, 2));
    let id = cx.compute(Expr::binary(Binary::MatMul, a, b));
    let y = Val { lead, dims: [m, last].as_slice().into(), ..rows.with(id) };
    Ok(smallvec![cx.reshape(&y, &shape)?])
}

/// A product with one-hot rows as a look-up: `nn.Embedding`, if nothing else holds the weight.
fn embedding(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, ids: &Val, turned: bool) -> Lowered {
    let table = match node.sources[0] {
        Source::Variable(v) if !turned => embedding_layer(cx, node.id, v),
        _ => None,
    };
    let w = cx.tensor(&node.inputs[0]);
    let (table, row) = match table {
        Some(table) => (table, &w.dims[1..]),
        None if turned => (of(w.id).method("transpose", args![-1, -2]), &w.dims[..1]),
        None => (of(w.id), &w.dims[1..]),
    };
    let dims = ids.dims.iter().chain(row).copied().collect();
    let id = cx.compute(helper("embed", args![ids.id, table]));
    Ok(smallvec![Val { dims, elem: w.elem, ..ids.with(id) }])
}

/// The table of an `nn.Embedding` that holds `w`; `None` if something else holds `w`.
fn embedding_layer(cx: &mut Lower<'_, '_, '_>, f: FunctionId, w: VariableId) -> Option<Expr> {
    let variable = cx.graph.model.variable(w);
    let weight = Weight::new(variable).filter(|_| variable.kind == VariableKind::Parameter)?;
    let [k, o] = *weight.dims.as_slice() else { return None };
    let key = format!("embedding {w:?}");
    let table = |id| Expr::State(id).attribute("weight");
    if let Some(id) = cx.modules.get(&key) {
        return Some(table(*id));
    }
    if cx.owners.contains_key(&w) {
        return None;
    }
    let mut arguments = args![k, o];
    arguments.extend(dtype(weight.elem));
    let state = State::module(nn("Embedding", arguments), cx.layer_name(f), "embedding");
    let id = cx.hold(state.tensor("weight", (w, &weight), &[k, o], weight.whole(), "as in CNTK"));
    cx.modules.insert(key, id);
    cx.owners.insert(w, Owner::tensor(id, "weight"));
    Some(table(id))
}

/// A call of an `nn.Linear` that holds `w`, and the Plus that it includes as a bias; `None` if something else holds
/// `w`.
fn module(
    cx: &mut Lower<'_, '_, '_>,
    f: FunctionId,
    w: VariableId,
    x: &Val,
    inner: &Dims,
    output: &Dims,
    turned: bool,
) -> Result<Option<(Val, Option<FunctionId>)>, Reason> {
    let model = cx.graph.model;
    let variable = model.variable(w);
    let (Some(weight), Some(Dim::Known(k)), Some(o)) = (Weight::new(variable), inner.last().copied(), product(output))
    else {
        return Ok(None);
    };
    if !matches!(variable.kind, VariableKind::Parameter | VariableKind::Constant)
        || weight.elem != stored(x.elem)
        || k * o != weight.count()
        || cx.owners.get(&w).is_some_and(|owner| owner.tensor != "weight")
    {
        return Ok(None);
    }
    let bias = cx.bias_of(f).filter(|(plus, b)| {
        let ty = model.type_of(Source::Variable(*b));
        let of_plus = &model.output_types(*plus)[0];
        ty.shape == *output
            && of_plus.shape.len() == inner.len() - 1 + output.len()
            && cx.may_join(*b, w)
            && cx.is_bias_of(*b, w)
            && Weight::new(model.variable(*b)).is_some_and(|b| b.elem == weight.elem)
    });
    let key = format!("linear {w:?} {:?} {turned}", bias.map(|(_, b)| b));
    let state = match cx.modules.get(&key) {
        Some(state) => *state,
        // Another layer holds the weight already, with another bias.
        None if cx.owners.contains_key(&w) => return Ok(None),
        None => {
            let wanted = cx.layer_name(f).or_else(|| bias.and_then(|(plus, _)| cx.layer_name(plus)));
            let mut arguments = args![k, o];
            arguments.extend(bias.is_none().then(|| keyword("bias", false)));
            arguments.extend(dtype(weight.elem));
            let constructor = nn("Linear", arguments);
            let (data, layout) =
                if turned { (weight.whole(), "as in CNTK") } else { (weight.transposed(k), "transposed") };
            let mut state =
                State::module(constructor, wanted, "linear").tensor("weight", (w, &weight), &[o, k], data, layout);
            if let Some((_, b)) = bias
                && let Some(held) = Weight::new(model.variable(b))
            {
                state = state.tensor("bias", (b, &held), &[o], held.whole(), "as in CNTK");
            }
            let sparse = matches!(model.inputs(f).get(1), Some(Source::Variable(i)) if model.variable(*i).is_sparse);
            if sparse && bias.is_none() {
                state.remark =
                    Some(format!("Takes one-hot rows; for word ids, nn.Embedding({k}, {o}) with weight.t()."));
            }
            let id = cx.hold(state);
            cx.modules.insert(key, id);
            let turn = |w: Expr| if turned { w } else { w.method("t", args![]) };
            let owner = Owner::tensor(id, "weight").map(turn);
            cx.owners.insert(w, owner.shaped(&weight.dims, weight.dims.len() == 2));
            if let Some((_, b)) = bias {
                let shape: Vec<u64> = output.iter().map(|d| d.known().unwrap_or(1)).collect();
                cx.owners.insert(b, Owner::tensor(id, "bias").shaped(&shape, shape.len() == 1));
            }
            id
        }
    };
    let rows = cx.reshape(x, inner)?;
    let id = cx.compute(Expr::layer(state, args![rows.id]));
    let mut dims: Dims = inner[..inner.len() - 1].into();
    dims.push(Dim::Known(o));
    Ok(Some((Val { dims, ..rows.with(id) }, bias.map(|(plus, _)| plus))))
}
