//! The heights of the rows, and the paths of the wires.

use super::{Drawing, Mesh, Piece, Route, Shape, Wire};

/// Room between two rows, which grows where wires lead far to the side.
const ROOM: f64 = 30.0;
/// The distance between wires that enter one box, if it is wide enough.
const APART: f64 = 18.0;

pub fn draw(shapes: &[Shape], wires: &[Wire], mesh: &Mesh, xs: &[f64]) -> Drawing {
    let half = |v: usize| mesh.width[v] / 2.0;
    let left = (0..xs.len()).map(|v| xs[v] - half(v)).fold(f64::INFINITY, f64::min);
    let left = if left.is_finite() { left } else { 0.0 };
    let xs: Vec<f64> = xs.iter().map(|x| x - left).collect();
    let width = (0..xs.len()).map(|v| xs[v] + half(v)).fold(0.0, f64::max);
    let rows = Rows::new(shapes, wires, mesh, &xs);
    let enter = entries(shapes, wires, mesh, &xs);
    let routes = wires.iter().enumerate().map(|(i, wire)| {
        let down = (xs[wire.from] + wire.leave, rows.top[mesh.rank[wire.from]] + shapes[wire.from].height);
        let end = (xs[wire.to] + enter[i], rows.top[mesh.rank[wire.to]]);
        let bends: Vec<(f64, f64, f64)> = mesh.bends[i]
            .iter()
            .map(|bend| (xs[*bend], rows.top[mesh.rank[*bend]], rows.bottom[mesh.rank[*bend]]))
            .collect();
        if mesh.returns[i] {
            back(down, end, &bends, rows.bottom[mesh.rank[wire.from]])
        } else {
            forth(down, end, &bends, rows.bottom[mesh.rank[wire.from]])
        }
    });
    let routes = routes.collect();
    let places = (0..shapes.len()).map(|i| (xs[i], rows.top[mesh.rank[i]])).collect();
    Drawing { width, height: rows.height, places, routes }
}

/// The upper and lower edges of the rows.
struct Rows {
    top: Vec<f64>,
    bottom: Vec<f64>,
    height: f64,
}

impl Rows {
    fn new(shapes: &[Shape], wires: &[Wire], mesh: &Mesh, xs: &[f64]) -> Self {
        let count = mesh.rows.len();
        let mut heights = vec![0.0f64; count];
        for (i, shape) in shapes.iter().enumerate() {
            heights[mesh.rank[i]] = heights[mesh.rank[i]].max(shape.height);
        }
        // Wires that turn around need room above the first row and below the last.
        let (mut above, mut below) = (vec![0.0f64; count + 1], vec![0.0f64; count + 1]);
        for (wire, _) in wires.iter().zip(&mesh.returns).filter(|(_, returns)| **returns) {
            above[mesh.rank[wire.to]] = ROOM;
            below[mesh.rank[wire.from] + 1] = ROOM;
        }
        let (mut top, mut bottom) = (vec![0.0; count], vec![0.0; count]);
        let mut y = above.first().copied().unwrap_or(0.0);
        for row in 0..count {
            top[row] = y;
            bottom[row] = y + heights[row];
            let aside = mesh.rows[row].iter().flat_map(|v| mesh.below[*v].iter().map(|to| (xs[*to] - xs[*v]).abs()));
            let aside = aside.fold(0.0, f64::max);
            let room = if row + 1 < count { ROOM + (aside / 14.0).min(40.0) } else { 0.0 };
            y = bottom[row] + room.max(above[row + 1]).max(below[row + 1]);
        }
        Self { top, bottom, height: y }
    }
}

/// The offset from the middle at which each wire enters its box: side by side, in the order of their origins.
fn entries(shapes: &[Shape], wires: &[Wire], mesh: &Mesh, xs: &[f64]) -> Vec<f64> {
    let mut by_box: Vec<Vec<usize>> = vec![vec![]; shapes.len()];
    for (i, wire) in wires.iter().enumerate() {
        by_box[wire.to].push(i);
    }
    let from = |wire: usize| {
        let bend = if mesh.returns[wire] { mesh.bends[wire].first() } else { mesh.bends[wire].last() };
        bend.map_or(xs[wires[wire].from] + wires[wire].leave, |bend| xs[*bend])
    };
    let mut enter = vec![0.0; wires.len()];
    for (i, mut incoming) in by_box.into_iter().enumerate() {
        if let Some(place) = shapes[i].enter {
            incoming.iter().for_each(|wire| enter[*wire] = place);
            continue;
        }
        incoming.sort_by(|a, b| from(*a).total_cmp(&from(*b)));
        let last = incoming.len().saturating_sub(1).max(1) as f64;
        let apart = APART.min(shapes[i].width * 0.7 / last);
        for (place, wire) in incoming.iter().enumerate() {
            enter[*wire] = (place as f64 - (incoming.len() - 1) as f64 / 2.0) * apart;
        }
    }
    enter
}

/// The path of a wire down from row to row.
fn forth(start: (f64, f64), end: (f64, f64), bends: &[(f64, f64, f64)], bottom: f64) -> Route {
    let mut pieces = vec![];
    let mut at = (start.0, bottom);
    pieces.push(Piece::Line(at));
    for (x, upper, lower) in bends {
        pieces.push(between(at, (*x, *upper)));
        at = (*x, *lower);
        pieces.push(Piece::Line(at));
    }
    pieces.push(between(at, end));
    Route { start, pieces }
}

/// The path of a wire that leads back: out of the box from below, up past the rows, and into the box from above.
fn back(start: (f64, f64), end: (f64, f64), bends: &[(f64, f64, f64)], bottom: f64) -> Route {
    let turn = ROOM * 0.8;
    let mut at = (start.0, bottom);
    let mut pieces = vec![Piece::Line(at)];
    for (i, (x, upper, lower)) in bends.iter().rev().enumerate() {
        let next = (*x, *lower);
        pieces.push(match i {
            0 => Piece::Curve((at.0, at.1 + turn), (next.0, next.1 + turn), next),
            _ => between(at, next),
        });
        at = (*x, *upper);
        pieces.push(Piece::Line(at));
    }
    pieces.push(Piece::Curve((at.0, at.1 - turn), (end.0, end.1 - turn), end));
    Route { start, pieces }
}

fn between(from: (f64, f64), to: (f64, f64)) -> Piece {
    if (from.0 - to.0).abs() < 0.5 {
        return Piece::Line(to);
    }
    let middle = (from.1 + to.1) / 2.0;
    Piece::Curve((from.0, middle), (to.0, middle), to)
}
