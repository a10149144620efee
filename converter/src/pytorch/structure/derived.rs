//! Arguments of a constructor that follow from others, as a person would write them: a width that is always four times
//! another one, a projection where the widths before and after it differ.

use super::form::default;
use crate::pytorch::python::expr::{Binary, Expr};

/// How an argument follows from others, which are given by their places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Derived {
    /// It is a multiple of another one.
    Times(usize, i128),
    /// It is another one divided by a number.
    Over(usize, i128),
    /// It is half of another one: the padding that a kernel needs.
    Half(usize),
    /// Two others differ.
    Differ(usize, usize),
    /// Another one is not this width.
    Not(usize, i128),
    /// Another one is not what it is where it is left out.
    Given(usize, &'static str),
}

impl Derived {
    /// The expression, where `argument` gives those of others.
    pub(super) fn expr(self, argument: &impl Fn(usize) -> Expr) -> Expr {
        match self {
            Self::Times(p, n) => Expr::Int(n) * argument(p),
            Self::Over(p, n) => Expr::binary(Binary::Floor, argument(p), Expr::Int(n)),
            Self::Half(p) => Expr::binary(Binary::Floor, argument(p), Expr::Int(2)),
            Self::Differ(p, q) => Expr::binary(Binary::NotEqual, argument(p), argument(q)),
            Self::Not(p, n) => Expr::binary(Binary::NotEqual, argument(p), Expr::Int(n)),
            Self::Given(p, name) => Expr::binary(Binary::NotEqual, argument(p), default(name).unwrap_or(Expr::Nothing)),
        }
    }
}

/// Which arguments follow from others, from what layers call them and their values unit by unit.
pub(super) fn find(labels: &[Vec<&'static str>], values: &[Vec<Expr>]) -> Vec<Option<Derived>> {
    let mut found: Vec<Option<Derived>> = Vec::new();
    for p in 0..labels.len() {
        let multiple = || {
            let mut before = (0..p).filter(|q| found[*q].is_none() && made(&labels[*q]));
            before.find_map(|q| ratio(q, &values[q], &values[p]))
        };
        found.push(if made(&labels[p]) { multiple() } else { None });
    }
    for p in 0..labels.len() {
        let is = |p: usize, label: &str| labels[p].iter().all(|l| *l == label);
        if is(p, "padding") {
            let half = |q: &usize| is(*q, "kernel_size") && halves(&values[*q], &values[p]);
            found[p] = (0..labels.len()).find(half).map(Derived::Half);
        }
        if matches!(values[p][0], Expr::Bool(_)) {
            found[p] = condition(labels, values, p);
        }
    }
    found
}

/// Is it the width of what a layer makes?
fn made(labels: &[&'static str]) -> bool {
    labels.iter().any(|l| l.starts_with("out_"))
}

/// Is it the width of what a block takes?
fn taken(labels: &[&'static str]) -> bool {
    labels.iter().any(|l| l.starts_with("in_")) && !made(labels)
}

/// The numbers of `p` from those of `q`.
fn ratio(q: usize, base: &[Expr], p: &[Expr]) -> Option<Derived> {
    let of = |a: &Expr, b: &Expr| match (a, b) {
        (Expr::Int(a), Expr::Int(b)) if *a > *b && *b > 0 && a % b == 0 => Some(a / b),
        _ => None,
    };
    let all = |a: &[Expr], b: &[Expr]| {
        let n = of(&a[0], &b[0])?;
        a.iter().zip(b).all(|(a, b)| of(a, b) == Some(n)).then_some(n)
    };
    let times = all(p, base).map(|n| Derived::Times(q, n));
    times.or_else(|| all(base, p).map(|n| Derived::Over(q, n)))
}

/// Are numbers halves of others, rounded down?
fn halves(whole: &[Expr], half: &[Expr]) -> bool {
    whole.iter().zip(half).all(|(a, b)| matches!((a, b), (Expr::Int(a), Expr::Int(b)) if *a >= 0 && a / 2 == *b))
}

/// When a part is there.
fn condition(labels: &[Vec<&'static str>], values: &[Vec<Expr>], part: usize) -> Option<Derived> {
    let holds = |f: &dyn Fn(usize) -> bool| values[part].iter().enumerate().all(|(u, v)| *v == Expr::Bool(f(u)));
    let all = || 0..labels.len();
    for p in all().filter(|p| taken(&labels[*p])) {
        let differ = |q: &usize| holds(&|u| values[p][u] != values[*q][u]);
        if let Some(q) = all().filter(|q| made(&labels[*q])).find(differ) {
            return Some(Derived::Differ(p, q));
        }
    }
    // The width of what all make is no argument.
    let fixed = !all().any(|q| made(&labels[q]));
    for p in all().filter(|p| fixed && taken(&labels[*p])) {
        let without = values[part].iter().position(|v| *v == Expr::Bool(false));
        if let Some(Expr::Int(n)) = without.map(|u| &values[p][u])
            && holds(&|u| values[p][u] != Expr::Int(*n))
        {
            return Some(Derived::Not(p, *n));
        }
    }
    let strided = all().find(|p| labels[*p].contains(&"stride") && holds(&|u| values[*p][u] != Expr::Int(1)));
    strided.map(|p| Derived::Given(p, "stride"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(all: &[i128]) -> Vec<Expr> {
        all.iter().map(|n| Expr::Int(*n)).collect()
    }

    #[test]
    fn widths_and_projections_follow() {
        let labels =
            [vec!["in_channels"], vec!["out_channels"], vec!["stride"], vec!["out_channels"], vec!["shortcut"]];
        let flags = |all: [bool; 3]| all.map(Expr::Bool).to_vec();
        let mut values = vec![
            numbers(&[8, 16, 16]),
            numbers(&[4, 4, 8]),
            numbers(&[1, 1, 2]),
            numbers(&[16, 16, 32]),
            flags([true, false, true]),
        ];
        let found = find(&labels, &values);
        let widths = [None, None, None, Some(Derived::Times(1, 4)), Some(Derived::Differ(0, 3))];
        assert_eq!(found, widths);
        values[4] = flags([false, false, true]);
        assert_eq!(find(&labels, &values)[4], Some(Derived::Given(2, "stride")));
        values[4] = flags([true, false, false]);
        assert_eq!(find(&labels, &values)[4], None);
        values[3] = numbers(&[2, 2, 4]);
        assert_eq!(find(&labels, &values)[3], Some(Derived::Over(1, 2)));
        values[3] = numbers(&[16, 16, 24]);
        assert_eq!(find(&labels, &values)[3], None);
        let kernels = find(&[vec!["kernel_size"], vec!["padding"]], &[numbers(&[1, 3, 5]), numbers(&[0, 1, 2])]);
        assert_eq!(kernels, [None, Some(Derived::Half(0))]);
        let labels = [vec!["in_channels"], vec!["shortcut"]];
        let values = [numbers(&[8, 32, 32]), flags([true, false, false])];
        assert_eq!(find(&labels, &values)[1], Some(Derived::Not(0, 32)));
    }
}
