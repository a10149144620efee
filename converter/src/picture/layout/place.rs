//! Horizontal positions after Brandes and Köpf: vertices are aligned with their median neighbours in four ways, and each vertex
//! takes the mean of the middle two of its four positions. Wires are straight where they pass rows.

use super::Mesh;
use hashbrown::HashSet;

/// Room between two boxes, and between a box and a wire.
const GAP: f64 = 24.0;

/// The horizontal middle of each vertex.
pub fn place(mesh: &Mesh) -> Vec<f64> {
    let conflicts = conflicts(mesh);
    let mut ways: Vec<Vec<f64>> = vec![];
    for down in [true, false] {
        for right in [false, true] {
            let mut rows = mesh.rows.clone();
            if !down {
                rows.reverse();
            }
            if right {
                rows.iter_mut().for_each(|row| row.reverse());
            }
            let near = if down { &mesh.above } else { &mesh.below };
            let root = line_up(mesh, &rows, near, &conflicts);
            let mut xs = compact(mesh, &rows, &root);
            if right {
                xs.iter_mut().for_each(|x| *x = -*x);
            }
            ways.push(xs);
        }
    }
    balance(mesh, &mut ways);
    (0..mesh.width.len())
        .map(|vertex| {
            let mut four = [ways[0][vertex], ways[1][vertex], ways[2][vertex], ways[3][vertex]];
            four.sort_by(f64::total_cmp);
            (four[1] + four[2]) / 2.0
        })
        .collect()
}

/// Marks wires that cross a wire between two bends: the latter stays straight.
fn conflicts(mesh: &Mesh) -> HashSet<(usize, usize)> {
    let mut found = HashSet::new();
    let mut places = vec![0; mesh.rank.len()];
    for pair in mesh.rows.windows(2) {
        for row in pair {
            row.iter().enumerate().for_each(|(place, vertex)| places[*vertex] = place);
        }
        let inner = |v: usize| mesh.above[v].iter().copied().find(|u| mesh.is_bend(v) && mesh.is_bend(*u));
        let (mut low, mut scanned) = (0, 0);
        for (i, vertex) in pair[1].iter().enumerate() {
            let upper = inner(*vertex);
            if upper.is_none() && i + 1 < pair[1].len() {
                continue;
            }
            let high = upper.map_or(usize::MAX, |u| places[u]);
            for lower in &pair[1][scanned..=i] {
                for &u in &mesh.above[*lower] {
                    let straight = mesh.is_bend(u) && mesh.is_bend(*lower);
                    if (places[u] < low || places[u] > high) && !straight {
                        found.insert((u, *lower));
                    }
                }
            }
            scanned = i + 1;
            low = if upper.is_some() { high } else { low };
        }
    }
    found
}

/// Chains of vertices that are aligned vertically: for each vertex, the first one of its chain.
fn line_up(mesh: &Mesh, rows: &[Vec<usize>], near: &[Vec<usize>], conflicts: &HashSet<(usize, usize)>) -> Vec<usize> {
    let count = mesh.width.len();
    let (mut root, mut align): (Vec<usize>, Vec<usize>) = ((0..count).collect(), (0..count).collect());
    let mut places = vec![0; count];
    rows.iter().for_each(|row| row.iter().enumerate().for_each(|(place, v)| places[*v] = place));
    for row in rows {
        let mut free = 0;
        for &vertex in row {
            let mut sorted: Vec<usize> = near[vertex].clone();
            sorted.sort_unstable_by_key(|v| places[*v]);
            sorted.dedup();
            if sorted.is_empty() {
                continue;
            }
            let last = sorted.len() - 1;
            for middle in [last / 2, last.div_ceil(2)] {
                let other = sorted[middle];
                let crosses = conflicts.contains(&(vertex, other)) || conflicts.contains(&(other, vertex));
                if align[vertex] == vertex && places[other] >= free && !crosses {
                    align[other] = vertex;
                    root[vertex] = root[other];
                    align[vertex] = root[vertex];
                    free = places[other] + 1;
                }
            }
        }
    }
    root
}

/// Moves each chain as far to the left as possible, and then as close as possible to its right neighbours.
fn compact(mesh: &Mesh, rows: &[Vec<usize>], root: &[usize]) -> Vec<f64> {
    let count = mesh.width.len();
    let mut after: Vec<Vec<(usize, f64)>> = vec![vec![]; count];
    let mut before = vec![0usize; count];
    for row in rows {
        for pair in row.windows(2) {
            after[root[pair[0]]].push((root[pair[1]], apart(mesh, pair[0], pair[1])));
            before[root[pair[1]]] += 1;
        }
    }
    let mut order: Vec<usize> = (0..count).filter(|v| root[*v] == *v && before[*v] == 0).collect();
    let mut xs = vec![0.0f64; count];
    let mut next = 0;
    while let Some(&chain) = order.get(next) {
        next += 1;
        for &(to, distance) in &after[chain] {
            xs[to] = xs[to].max(xs[chain] + distance);
            before[to] -= 1;
            if before[to] == 0 {
                order.push(to);
            }
        }
    }
    for &chain in order.iter().rev() {
        let room = after[chain].iter().map(|(to, distance)| xs[*to] - distance).fold(f64::INFINITY, f64::min);
        if room.is_finite() {
            xs[chain] = xs[chain].max(room);
        }
    }
    (0..count).map(|v| xs[root[v]]).collect()
}

/// The least distance between the middles of two neighbours.
fn apart(mesh: &Mesh, left: usize, right: usize) -> f64 {
    let gap = if mesh.is_bend(left) && mesh.is_bend(right) { GAP / 3.0 } else { GAP };
    (mesh.width[left] + mesh.width[right]) / 2.0 + gap
}

/// Shifts the four layouts so that each is aligned with the narrowest.
fn balance(mesh: &Mesh, ways: &mut [Vec<f64>]) {
    let ends = |xs: &Vec<f64>| {
        let half = |v: usize| mesh.width[v] / 2.0;
        let low = xs.iter().enumerate().map(|(v, x)| x - half(v)).fold(f64::INFINITY, f64::min);
        let high = xs.iter().enumerate().map(|(v, x)| x + half(v)).fold(f64::NEG_INFINITY, f64::max);
        (low, high)
    };
    let all: Vec<(f64, f64)> = ways.iter().map(ends).collect();
    let Some(narrow) = all.iter().copied().min_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0))) else { return };
    for (i, xs) in ways.iter_mut().enumerate() {
        let shift = if i % 2 == 0 { narrow.0 - all[i].0 } else { narrow.1 - all[i].1 };
        if shift.is_finite() {
            xs.iter_mut().for_each(|x| *x += shift);
        }
    }
}
