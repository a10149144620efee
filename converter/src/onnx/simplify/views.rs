//! Merges chains of Reshape, Squeeze and Unsqueeze, and of Transpose, into one node or none.

use super::super::graph::{Attribute, Dim, Dims, ValueId};
use super::{Pass, ints_attribute};

const VIEWS: &[&str] = &["Reshape", "Squeeze", "Unsqueeze"];

pub(super) fn collapse(pass: &mut Pass<'_>) {
    for i in 0..pass.model.nodes.len() {
        let node = &pass.model.nodes[i];
        if VIEWS.contains(&node.op) {
            keep_dimensions(pass, i);
            collapse_view(pass, i);
        } else if node.op == "Transpose" {
            collapse_transpose(pass, i);
        }
        skip_no_ops(pass, i);
    }
}

/// Makes a view of a view a view of the first operand.
fn collapse_view(pass: &mut Pass<'_>, i: usize) {
    let (Some(x), Some(Some(out))) = (pass.input(i, 0), pass.model.nodes[i].outputs.first().copied()) else { return };
    let Some((before, maker)) = pass.maker(x) else { return };
    if !VIEWS.contains(&maker.op) {
        return;
    }
    let Some(source) = pass.input(before, 0) else { return };
    let (from, to) = (pass.dims(source).clone(), pass.dims(out).clone());
    if from == to {
        // `skip_no_ops` makes the other nodes read `source`; an output of the graph keeps the Identity.
        pass.become_unary(i, "Identity", source, vec![]);
        return;
    }
    if pass.uses[x.0 as usize] != 1 {
        return;
    }
    let Some(entries) = entries(&from, &to) else { return };
    let shape = pass.ints(&entries);
    pass.set_input(i, 0, source);
    pass.set_input(i, 1, shape);
    pass.model.nodes[i].op = "Reshape";
}

/// Makes a reduction keep its dimensions if the next node adds them again.
fn keep_dimensions(pass: &mut Pass<'_>, i: usize) {
    let (Some(x), Some(Some(out))) = (pass.input(i, 0), pass.model.nodes[i].outputs.first().copied()) else { return };
    if pass.uses[x.0 as usize] != 1 {
        return;
    }
    let Some((reduce, node)) = pass.maker(x).filter(|(_, n)| n.op.starts_with("Reduce")) else { return };
    if super::int_attribute(node, "keepdims") != Some(0) {
        return;
    }
    let axes = match pass.input(reduce, 1) {
        Some(id) => pass.literal_ints(id),
        None => ints_attribute(node, "axes").map(<[i64]>::to_vec),
    };
    let (Some(axes), Some(source)) = (axes, pass.input(reduce, 0)) else { return };
    let kept: Dims = pass
        .dims(source)
        .iter()
        .enumerate()
        .map(|(i, d)| if axes.contains(&(i as i64)) { Dim::Known(1) } else { *d })
        .collect();
    if *pass.dims(out) != kept {
        return;
    }
    pass.model.nodes[reduce].attributes.retain(|(name, _)| *name != "keepdims");
    pass.model.values[x.0 as usize].dims = kept;
}

/// The literal entries of a Reshape between these dimensions, if it can be expressed in literals.
fn entries(from: &Dims, to: &Dims) -> Option<Vec<i64>> {
    let mut spare = true;
    to.iter()
        .enumerate()
        .map(|(i, d)| match d {
            Dim::Known(0) => None,
            Dim::Known(n) => i64::try_from(*n).ok(),
            Dim::Symbol(_) if from.get(i) == Some(d) => Some(0),
            Dim::Symbol(_) if spare => {
                spare = false;
                Some(-1)
            }
            Dim::Symbol(_) => None,
        })
        .collect()
}

fn collapse_transpose(pass: &mut Pass<'_>, i: usize) {
    let Some(x) = pass.input(i, 0) else { return };
    let Some((before, maker)) = pass.maker(x).filter(|(_, n)| n.op == "Transpose") else { return };
    let (Some(first), Some(second)) = (ints_attribute(maker, "perm"), ints_attribute(&pass.model.nodes[i], "perm"))
    else {
        return;
    };
    let composed: Option<Vec<i64>> = second.iter().map(|p| first.get(usize::try_from(*p).ok()?).copied()).collect();
    let (Some(composed), Some(source)) = (composed, pass.input(before, 0)) else { return };
    pass.set_input(i, 0, source);
    pass.model.nodes[i].attributes = vec![("perm", Attribute::Ints(composed))];
}

/// Makes consumers of a view that changes nothing read its operand.
fn skip_no_ops(pass: &mut Pass<'_>, i: usize) {
    for k in 0..pass.model.nodes[i].inputs.len() {
        while let Some(x) = pass.input(i, k) {
            let Some(source) = same_as(pass, x) else { break };
            pass.set_input(i, k, source);
        }
    }
}

/// The operand of a view that changes nothing.
fn same_as(pass: &Pass<'_>, id: ValueId) -> Option<ValueId> {
    let (i, maker) = pass.maker(id)?;
    let source = pass.input(i, 0)?;
    let same = if maker.op == "Identity" {
        true
    } else if VIEWS.contains(&maker.op) {
        pass.dims(source) == pass.dims(id)
    } else {
        maker.op == "Transpose"
            && ints_attribute(maker, "perm").is_some_and(|p| p.iter().enumerate().all(|(i, p)| i as i64 == *p))
    };
    same.then_some(source)
}
