//! How modules with arguments that change from one to the next are written: a number of times, with arguments that rise or
//! double, or once for each of several.

use crate::pytorch::python::expr::{Binary, Expr};
use crate::pytorch::python::print::constant;

/// Fewer equal modules in a row are written one by one.
const FEWEST: usize = 2;

/// How an argument changes from one module to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    None,
    /// By the same number each time.
    By(i128),
    Doubles,
    /// It doubles and starts again after so many.
    Cycles(usize),
    /// All but the last one are true.
    Below(usize),
}

/// The modules with these arguments, runs of them as `*[… for i in range(n)]`.
pub(super) fn pieces(all: &[Vec<Expr>], call: &impl Fn(Vec<Expr>) -> Expr) -> Vec<Expr> {
    let mut items = Vec::new();
    let mut rest = all;
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|u| *u == first).count();
        let (changes, changing) = changes(rest);
        let below = changes.iter().any(|c| matches!(c, Change::Below(_)));
        if same >= FEWEST && same + 1 >= changing && !below {
            items.push(repeat(call(first.clone()), "_", same));
            rest = &rest[same..];
        } else if changing > FEWEST {
            let values = first.iter().zip(changes).map(|(a, change)| match (a, change) {
                (Expr::Int(a), Change::By(step)) => stepped(*a, step),
                (Expr::Int(a), Change::Doubles) => doubled(*a, Expr::local("i")),
                (Expr::Int(a), Change::Cycles(length)) => {
                    doubled(*a, Expr::binary(Binary::Modulo, Expr::local("i"), Expr::from(length)))
                }
                (_, Change::Below(count)) => Expr::binary(Binary::Less, Expr::local("i"), Expr::from(count)),
                _ => a.clone(),
            });
            items.push(repeat(call(values.collect()), "i", changing));
            rest = &rest[changing..];
        } else {
            items.push(call(first.clone()));
            rest = &rest[1..];
        }
    }
    items
}

/// `*[Block(8, n) for n in (4, 8, 16)]`, where there is a variable for each argument that changes.
pub(super) fn each(all: &[Vec<Expr>], variables: &[&str], call: &impl Fn(Vec<Expr>) -> Expr) -> Option<Expr> {
    let first = all.first()?;
    let changing = changing(all);
    let row = |u: &Vec<Expr>| -> Vec<Expr> { changing.iter().map(|i| u[*i].clone()).collect() };
    let values = match changing.len() {
        1 => all.iter().flat_map(row).collect(),
        n if n > 0 && n <= variables.len() => all.iter().map(|u| Expr::Tuple(row(u))).collect(),
        _ => return None,
    };
    let arguments = first.iter().enumerate().map(|(i, value)| match changing.iter().position(|k| *k == i) {
        Some(place) => Expr::local(variables[place]),
        None => value.clone(),
    });
    let call = call(arguments.collect());
    let variables = variables[..changing.len()].join(", ");
    Some(Expr::Repeat(Box::new(call), variables, Box::new(sequence(values))))
}

/// The arguments of modules in a table.
pub(super) struct Table {
    /// Either a row for each module, or, as a chain, `(8, 16, 4)` where each takes what the one before it gives.
    pub(super) sizes: Expr,
    pub(super) chain: bool,
    /// What makes the modules from it.
    pub(super) made: Expr,
}

/// The arguments of modules in a table with this name.
pub(super) fn table(all: &[Vec<Expr>], name: &str, call: &impl Fn(Vec<Expr>) -> Expr) -> Option<Table> {
    let table = Expr::local(name);
    let changing = changing(all);
    if let [a, b] = changing[..]
        && all.windows(2).all(|u| u[0] != u[1] && u[0][b] == u[1][a])
    {
        let sizes = std::iter::once(&all[0][a]).chain(all.iter().map(|u| &u[b])).cloned().collect();
        let mut row = all[0].clone();
        (row[a], row[b]) = (table.clone().at(Expr::local("i")), table.at(Expr::local("i") + Expr::Int(1)));
        return Some(Table { sizes: Expr::Tuple(sizes), chain: true, made: repeat(call(row), "i", all.len()) });
    }
    if let Some(Expr::Repeat(item, variables, rows)) = each(all, &["n", "m"], call) {
        return Some(Table { sizes: *rows, chain: false, made: Expr::Repeat(item, variables, Box::new(table)) });
    }
    let sizes = sequence(all.iter().map(|u| Expr::Tuple(u.clone())).collect());
    let made = Expr::Repeat(Box::new(call(vec![Expr::local("*size")])), "size".to_owned(), Box::new(table));
    (changing.len() > 2).then_some(Table { sizes, chain: false, made })
}

/// Which arguments change.
pub(super) fn changing(all: &[Vec<Expr>]) -> Vec<usize> {
    let arguments = all.first().map_or(0, Vec::len);
    (0..arguments).filter(|i| all.iter().any(|u| u[*i] != all[0][*i])).collect()
}

/// How many modules may stand before the stages of a network.
const BEFORE: usize = 1;

/// Stages of equally many modules, of which those after the first are equal.
pub(super) struct Stages {
    /// How many modules stand before them.
    pub(super) before: usize,
    /// What changes from stage to stage, and its values.
    pub(super) variables: String,
    pub(super) over: Expr,
    /// The arguments of a stage's first module, and of the others.
    pub(super) first: Vec<Expr>,
    pub(super) next: Vec<Expr>,
    /// How many others there are.
    pub(super) others: usize,
}

/// The stages that modules with these arguments make up, the fewest, from the first module on or after one that is like no other.
pub(super) fn stages(all: &[Vec<Expr>], names: &[&str]) -> Option<Stages> {
    let after = |before: usize| {
        let (single, rest) = all.split_at_checked(before)?;
        let apart = single.iter().all(|unit| !rest.contains(unit));
        apart.then(|| equal_stages(rest, names)).flatten().map(|s| Stages { before, ..s })
    };
    (0..=BEFORE).find_map(after)
}

fn equal_stages(all: &[Vec<Expr>], names: &[&str]) -> Option<Stages> {
    (2..=all.len() / 2).filter(|count| all.len().is_multiple_of(*count)).find_map(|count| {
        let stages: Vec<&[Vec<Expr>]> = all.chunks(all.len() / count).collect();
        if stages.iter().any(|s| s[1..].iter().any(|u| *u != s[1])) {
            return None;
        }
        let column = |of: usize, i: usize| stages.iter().map(move |s| &s[of][i]);
        let is_constant = |of: usize, i: usize| column(of, i).all(|v| *v == stages[0][of][i]);
        let changing: Vec<usize> = (0..names.len()).filter(|i| !is_constant(0, *i)).collect();
        if changing.is_empty() {
            return None;
        }
        let argument = |of: usize, i: usize| {
            if is_constant(of, i) {
                return Some(stages[0][of][i].clone());
            }
            let candidates = changing.iter().filter_map(|j| Some((times(column(of, i), column(0, *j))?, *j)));
            let (n, j) = candidates.min_by_key(|(n, j)| (*n != 1, (*j == i) != (*n == 1)))?;
            let variable = Expr::local(names[j]);
            Some(if n == 1 { variable } else { Expr::Int(n) * variable })
        };
        let arguments = |of: usize| (0..names.len()).map(|i| argument(of, i)).collect::<Option<Vec<Expr>>>();
        let row = |s: &&[Vec<Expr>]| match changing.as_slice() {
            [one] => s[0][*one].clone(),
            several => Expr::Tuple(several.iter().map(|i| s[0][*i].clone()).collect()),
        };
        Some(Stages {
            before: 0,
            variables: changing.iter().map(|i| names[*i]).collect::<Vec<_>>().join(", "),
            over: Expr::Tuple(stages.iter().map(row).collect()),
            first: arguments(0)?,
            next: arguments(1)?,
            others: stages[0].len() - 1,
        })
    })
}

/// How many times the values of a variable others are.
fn times<'e>(values: impl Iterator<Item = &'e Expr>, variable: impl Iterator<Item = &'e Expr>) -> Option<i128> {
    let mut found = None;
    for (value, variable) in values.zip(variable) {
        let n = match (value, variable) {
            (a, b) if a == b => 1,
            (Expr::Int(a), Expr::Int(b)) if *b > 0 && a % b == 0 => a / b,
            _ => return None,
        };
        if *found.get_or_insert(n) != n {
            return None;
        }
    }
    found
}

/// `(4, 8, 16)`, or `[8] + [16] * 5` where that is shorter.
fn sequence(values: Vec<Expr>) -> Expr {
    let mut sum: Option<Expr> = None;
    let mut add = |part: Expr| {
        sum = Some(match sum.take() {
            Some(sum) => sum + part,
            None => part,
        });
    };
    let mut single: Vec<Expr> = Vec::new();
    for equal in values.chunk_by(|a, b| a == b) {
        if equal.len() == 1 {
            single.push(equal[0].clone());
            continue;
        }
        if !single.is_empty() {
            add(Expr::List(std::mem::take(&mut single)));
        }
        add(Expr::List(vec![equal[0].clone()]) * Expr::from(equal.len()));
    }
    if !single.is_empty() {
        add(Expr::List(single));
    }
    let all = Expr::Tuple(values);
    match sum {
        Some(sum) if constant(&sum).len() < constant(&all).len() => sum,
        _ => all,
    }
}

pub(super) fn repeat(item: Expr, variable: &str, count: usize) -> Expr {
    let range = Expr::local("range").call(vec![count.into()]);
    Expr::Repeat(Box::new(item), variable.to_owned(), Box::new(range))
}

/// `first + step * i`
fn stepped(first: i128, step: i128) -> Expr {
    let i = Expr::local("i");
    let times = if step.abs() == 1 { i } else { Expr::Int(step.abs()) * i };
    match (first, step < 0) {
        (_, true) => Expr::Int(first) - times,
        (0, false) => times,
        (_, false) => Expr::Int(first) + times,
    }
}

/// `first * 2**exponent`
fn doubled(first: i128, exponent: Expr) -> Expr {
    let power = Expr::binary(Binary::Power, Expr::Int(2), exponent);
    if first == 1 { power } else { Expr::Int(first) * power }
}

/// How the arguments of the first units change, and for how many units they go on so.
fn changes(units: &[Vec<Expr>]) -> (Vec<Change>, usize) {
    let [a, b, ..] = units else { return (Vec::new(), 1) };
    let mut all = Vec::new();
    let mut count = units.len();
    for i in 0..a.len() {
        let last = units.len() - 1;
        let below = || (0..=last).all(|k| units[k][i] == Expr::Bool(k < last));
        let candidates: Vec<Change> = match (&a[i], &b[i]) {
            (Expr::Bool(true), Expr::Bool(true)) if below() => vec![Change::Below(last), Change::None],
            (x, y) if x == y => vec![Change::None],
            (Expr::Int(x), Expr::Int(y)) if *x > 0 && *y == 2 * x => {
                let cycle = units.iter().skip(1).position(|u| u[i] == units[0][i]).map_or(units.len(), |k| k + 1);
                vec![Change::Doubles, Change::By(*x), Change::Cycles(cycle)]
            }
            (Expr::Int(x), Expr::Int(y)) => vec![Change::By(y - x)],
            _ => return (Vec::new(), 1),
        };
        let mut best = (Change::None, 0);
        for change in candidates {
            let goes = match change {
                Change::Below(_) => count,
                Change::Cycles(length) => (0..count).take_while(|k| follows_in_cycle(units, i, *k, length)).count(),
                _ => 1 + units[..count].windows(2).take_while(|pair| follows(&pair[0][i], &pair[1][i], change)).count(),
            };
            if goes > best.1 {
                best = (change, goes);
            }
        }
        all.push(best.0);
        count = best.1;
    }
    for change in all.iter_mut().filter(|c| matches!(c, Change::Below(_)) && count < units.len()) {
        *change = Change::None;
    }
    (all, count)
}

/// Does it go on doubling and start again after so many?
fn follows_in_cycle(units: &[Vec<Expr>], i: usize, k: usize, length: usize) -> bool {
    match k % length {
        0 => units[k][i] == units[0][i],
        _ => follows(&units[k - 1][i], &units[k][i], Change::Doubles),
    }
}

fn follows(x: &Expr, y: &Expr, change: Change) -> bool {
    match (x, y, change) {
        (Expr::Int(x), Expr::Int(y), Change::By(step)) => y - x == step,
        (Expr::Int(x), Expr::Int(y), Change::Doubles) => *y == 2 * x,
        (x, y, Change::None) => x == y,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pytorch::python::expr::Argument;

    fn call(values: Vec<Expr>) -> Expr {
        Expr::Class("B".to_owned()).call(values.into_iter().map(Argument::from).collect())
    }

    fn units(rows: &[&[i64]]) -> Vec<Vec<Expr>> {
        rows.iter().map(|row| row.iter().map(|n| (*n).into()).collect()).collect()
    }

    fn text(rows: &[&[i64]]) -> String {
        let written = pieces(&units(rows), &call);
        written.iter().map(constant).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn what_is_equal_is_counted() {
        assert_eq!(text(&[&[4], &[8], &[8], &[8]]), "B(4), *[B(8) for _ in range(3)]");
        assert_eq!(text(&[&[4], &[8]]), "B(4), B(8)");
    }

    #[test]
    fn what_rises_or_doubles_is_computed() {
        assert_eq!(text(&[&[8, 4], &[12, 4], &[16, 4]]), "*[B(8 + 4 * i, 4) for i in range(3)]");
        assert_eq!(text(&[&[3], &[2], &[1]]), "*[B(3 - i) for i in range(3)]");
        assert_eq!(text(&[&[1], &[2], &[4], &[8]]), "*[B(2**i) for i in range(4)]");
        assert_eq!(text(&[&[1], &[2], &[3], &[4]]), "*[B(1 + i) for i in range(4)]");
        assert_eq!(text(&[&[6], &[12], &[24]]), "*[B(6 * 2**i) for i in range(3)]");
        assert_eq!(text(&[&[3], &[6], &[3], &[6], &[3]]), "*[B(3 * 2 ** (i % 2)) for i in range(5)]");
        let last = |last: bool| vec![Expr::Int(4), Expr::Bool(last)];
        let written = pieces(&[last(true), last(true), last(false)], &call);
        assert_eq!(written.iter().map(constant).collect::<Vec<_>>(), ["*[B(4, i < 2) for i in range(3)]"]);
    }

    #[test]
    fn stages_begin_otherwise_than_they_go_on() {
        let text = |rows: &[&[i64]]| {
            let s = stages(&units(rows), &["width", "channels", "stride"])?;
            let over = constant(&s.over);
            Some(format!(
                "{} in {over}: {}, {} {}",
                s.variables,
                constant(&call(s.first)),
                s.others,
                constant(&call(s.next))
            ))
        };
        let rows: [&[i64]; 6] = [&[8, 4, 1], &[16, 4, 1], &[16, 4, 1], &[16, 8, 1], &[32, 8, 1], &[32, 8, 1]];
        let found = "width, channels in ((8, 4), (16, 8)): B(width, channels, 1), 2 B(4 * channels, channels, 1)";
        assert_eq!(text(&rows).as_deref(), Some(found));
        let rows: [&[i64]; 4] = [&[8, 4, 1], &[8, 4, 1], &[8, 8, 1], &[8, 8, 1]];
        assert_eq!(text(&rows).as_deref(), Some("channels in (4, 8): B(8, channels, 1), 1 B(8, channels, 1)"));
        let rows: [&[i64]; 5] = [&[3, 4, 2], rows[0], rows[1], rows[2], rows[3]];
        assert_eq!(stages(&units(&rows), &["width", "channels", "stride"]).map(|s| s.before), Some(1));
        let rows = &rows[1..];
        // Stages of other lengths, and what does not follow from the first module's arguments.
        assert_eq!(text(&rows[..3]), None);
        assert_eq!(text(&[&[8, 4, 1], &[8, 4, 1], &[8, 8, 1], &[8, 9, 1]]), None);
        assert_eq!(text(&[&[1, 1, 1], &[2, 1, 1], &[1, 1, 1], &[2, 1, 1]]), None);
    }

    #[test]
    fn sizes_stand_in_a_table() {
        let text = |rows: &[&[i64]]| {
            let t = table(&units(rows), "sizes", &call)?;
            Some(format!("{} {} {}", constant(&t.sizes), t.chain, constant(&t.made)))
        };
        let chain = "(8, 16, 12, 4) true *[B(sizes[i], sizes[i + 1], 1) for i in range(3)]";
        assert_eq!(text(&[&[8, 16, 1], &[16, 12, 1], &[12, 4, 1]]).as_deref(), Some(chain));
        let rows = "((8, 4), (12, 6)) false *[B(n, m) for n, m in sizes]";
        assert_eq!(text(&[&[8, 4], &[12, 6]]).as_deref(), Some(rows));
        let rows = "[(8, 4, 1)] * 3 + [(4, 2, 3)] false *[B(*size) for size in sizes]";
        assert_eq!(text(&[&[8, 4, 1], &[8, 4, 1], &[8, 4, 1], &[4, 2, 3]]).as_deref(), Some(rows));
        assert_eq!(text(&[&[8, 4], &[8, 4]]), None);
    }

    #[test]
    fn what_changes_otherwise_is_listed() {
        let rows = units(&[&[8, 3], &[8, 5], &[8, 1]]);
        assert_eq!(
            each(&rows, &["n", "m"], &call).map(|e| constant(&e)).as_deref(),
            Some("*[B(8, n) for n in (3, 5, 1)]")
        );
        let rows = units(&[&[1, 2], &[4, 5]]);
        assert_eq!(
            each(&rows, &["n", "m"], &call).map(|e| constant(&e)).as_deref(),
            Some("*[B(n, m) for n, m in ((1, 2), (4, 5))]")
        );
        let rows = units(&[&[3], &[8], &[16], &[16], &[16], &[16], &[2]]);
        let listed = each(&rows, &["n", "m"], &call).map(|e| constant(&e));
        assert_eq!(listed.as_deref(), Some("*[B(n) for n in [3, 8] + [16] * 4 + [2]]"));
        let rows = units(&[&[1, 2, 3], &[4, 5, 6]]);
        assert_eq!(each(&rows, &["n", "m"], &call), None);
    }
}
