//! What a network applies several times with the same weights is written once, in a loop.

use super::Network;
use super::form;
use super::segments::Segment;
use crate::pytorch::python::body::{Item, Repeat};
use crate::pytorch::python::expr::{Expr, ValueId};
use std::collections::HashMap;
use std::ops::Range;

/// The most segments that are applied again together.
const LONGEST: usize = 8;

/// The lines of a loop besides what it repeats: the first value, `for`, and the next value.
const LOOP: usize = 3;

/// Rolls up segments that follow each other with the same weights.
pub(super) fn roll(network: &mut Network<'_>, segments: &mut [Segment]) {
    let ids = identify(network, segments);
    let mut first = 0;
    let mut loops = Vec::new();
    while first < segments.len() {
        let Some((period, count)) = repeats(&ids, first) else {
            first += 1;
            continue;
        };
        if !saves(network, segments, first, (period, count)) {
            // The last unit may begin another repetition.
            first += period * (count - 1);
            continue;
        }
        let all = first..first + period * count;
        loops.extend(rolled(network, segments, all.clone(), period));
        segments[all.clone()].iter_mut().for_each(|s| (s.closed, s.alone) = (false, false));
        first = all.end;
    }
    network.body.repeat(loops);
}

/// A number for each segment that shares weights with others, equal where all is.
fn identify(network: &Network<'_>, segments: &[Segment]) -> Vec<Option<usize>> {
    let mut known: HashMap<String, usize> = HashMap::new();
    let of = |(i, s): (usize, &Segment)| {
        let may = s.closed && (!s.alone || s.states.is_empty());
        let text = may.then(|| form::exactly(network, s)).flatten()?;
        Some(*known.entry(text).or_insert(i))
    };
    segments.iter().enumerate().map(of).collect()
}

/// The shortest unit that repeats from here on, and how often it stands there.
fn repeats(ids: &[Option<usize>], first: usize) -> Option<(usize, usize)> {
    let unit = |k: usize, period: usize| ids.get(k..k + period);
    (1..=LONGEST).find_map(|period| {
        let one = unit(first, period).filter(|u| u.iter().all(Option::is_some))?;
        let count = (1..).take_while(|n| unit(first + n * period, period) == Some(one)).count() + 1;
        (count > 1).then_some((period, count))
    })
}

fn saves(network: &Network<'_>, segments: &[Segment], first: usize, (period, count): (usize, usize)) -> bool {
    let unit = &segments[first..first + period];
    let before_last = &segments[first..first + period * count - 1];
    let calls = |v: &ValueId| network.body.values[v.0 as usize].expr.calls().layers > 0;
    let lines = unit.iter().flat_map(|s| &s.values).filter(|v| calls(v)).count();
    let holds = unit.iter().any(|s| !s.states.is_empty());
    holds && unit[0].entry.is_some() && before_last.iter().all(|s| !s.shows) && lines * (count - 1) > LOOP
}

/// The loop in the place of the first unit; what follows the last one reads its variable.
fn rolled(network: &mut Network<'_>, segments: &[Segment], all: Range<usize>, period: usize) -> Option<Repeat> {
    let unit = &segments[all.start..all.start + period];
    let (entry, made) = (unit.first()?.entry?, unit.last()?.exit);
    let name = network.locals.unique("y");
    let values: Vec<ValueId> = unit.iter().flat_map(|s| s.values.iter().copied()).collect();
    for v in &values {
        let value = &mut network.body.values[v.0 as usize];
        value.expr = value.expr.rewrite(&mut |e| (*e == Expr::Value(entry)).then(|| Expr::local(name.clone()))).into();
    }
    let result = segments[all.end - 1].exit;
    let count = Expr::from(all.len() / period);
    Some(Repeat {
        values,
        place: result,
        begins: vec![(name.clone(), entry.into())],
        ends: vec![Item::set(name.clone(), made.into())],
        variables: "_".to_owned(),
        over: Expr::local("range").call(vec![count.into()]),
        result,
        name,
    })
}
