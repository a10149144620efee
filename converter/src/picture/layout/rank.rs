//! Assigns each box to a row.

use super::{Row, Shape, Wire};

/// Row numbers from 0. A box is below all its inputs; one without inputs is just above its first reader.
pub fn ranks(shapes: &[Shape], wires: &[Wire]) -> Vec<usize> {
    let count = shapes.len();
    let (mut after, mut before) = (vec![vec![]; count], vec![0usize; count]);
    for wire in wires.iter().filter(|w| !w.back) {
        after[wire.from].push(wire.to);
        before[wire.to] += 1;
    }
    let sources: Vec<bool> = before.iter().map(|n| *n == 0).collect();
    let mut rank = vec![0usize; count];
    let mut order: Vec<usize> = (0..count).filter(|i| sources[*i]).collect();
    let mut next = 0;
    while let Some(&vertex) = order.get(next) {
        next += 1;
        for &to in &after[vertex] {
            rank[to] = rank[to].max(rank[vertex] + 1);
            before[to] -= 1;
            if before[to] == 0 {
                order.push(to);
            }
        }
    }
    // A box without inputs is just above its first reader.
    for &vertex in order.iter().rev().filter(|v| sources[**v] && shapes[**v].row == Row::Free) {
        if let Some(first) = after[vertex].iter().map(|to| rank[*to]).min() {
            rank[vertex] = first.saturating_sub(1);
        }
    }
    let lowest = (0..count).filter(|i| shapes[*i].row == Row::Bottom).map(|i| rank[i]).max();
    let deepest = (0..count).filter(|i| shapes[*i].row != Row::Bottom).map(|i| rank[i] + 1).max();
    for vertex in (0..count).filter(|i| shapes[*i].row == Row::Bottom) {
        rank[vertex] = lowest.unwrap_or(0).max(deepest.unwrap_or(0));
    }
    rank
}
