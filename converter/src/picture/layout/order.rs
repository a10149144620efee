//! Orders the boxes within each row: sweeps that sort by the mean position of neighbours (barycenter), then exchanges of
//! adjacent boxes that reduce crossings.

use super::Mesh;

/// The most sweeps; fewer if they no longer reduce crossings.
const SWEEPS: usize = 16;
/// Drawings with more vertices are not improved by exchanges.
const EXCHANGED: usize = 3000;

pub fn order(mesh: &mut Mesh) {
    start(mesh);
    let mut places = places(mesh);
    let mut best = (crossings(mesh, &places), mesh.rows.clone());
    let mut idle = 0;
    for sweep in 0..SWEEPS {
        if best.0 == 0 || idle == 4 {
            break;
        }
        let down = sweep % 2 == 0;
        let count = mesh.rows.len();
        for i in 0..count {
            let row = if down { i } else { count - 1 - i };
            sort(mesh, row, down, &mut places);
        }
        if mesh.rank.len() <= EXCHANGED {
            exchange(mesh, &mut places);
        }
        let now = crossings(mesh, &places);
        idle += 1;
        if now < best.0 {
            best = (now, mesh.rows.clone());
            idle = 0;
        }
    }
    mesh.rows = best.1;
}

/// The initial order: depth first from the top, so that connected boxes are close together.
fn start(mesh: &mut Mesh) {
    let mut seen = vec![false; mesh.rank.len()];
    let mut rows = vec![vec![]; mesh.rows.len()];
    for root in mesh.rows.iter().flatten() {
        let mut stack = vec![*root];
        while let Some(vertex) = stack.pop() {
            if std::mem::replace(&mut seen[vertex], true) {
                continue;
            }
            rows[mesh.rank[vertex]].push(vertex);
            stack.extend(mesh.below[vertex].iter().rev().filter(|v| !seen[**v]));
        }
    }
    mesh.rows = rows;
}

fn places(mesh: &Mesh) -> Vec<usize> {
    let mut places = vec![0; mesh.rank.len()];
    for row in &mesh.rows {
        for (place, vertex) in row.iter().enumerate() {
            places[*vertex] = place;
        }
    }
    places
}

/// Sorts a row by the mean position of each vertex's neighbours in the previous row.
fn sort(mesh: &mut Mesh, row: usize, down: bool, places: &mut [usize]) {
    let mean = |vertex: usize| {
        let near = if down { &mesh.above[vertex] } else { &mesh.below[vertex] };
        let sum: usize = near.iter().map(|v| places[*v]).sum();
        (!near.is_empty()).then(|| sum as f64 / near.len() as f64)
    };
    let key = |vertex: usize| {
        let own = mean(vertex);
        let beside = || mesh.beside[vertex].and_then(|other| mean(other).map(|m| m + 0.25));
        own.or_else(beside).unwrap_or(places[vertex] as f64)
    };
    let mut keyed: Vec<(f64, usize)> = mesh.rows[row].iter().map(|v| (key(*v), *v)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (place, (_, vertex)) in keyed.iter().enumerate() {
        places[*vertex] = place;
    }
    mesh.rows[row] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
}

fn exchange(mesh: &mut Mesh, places: &mut [usize]) {
    for _ in 0..4 {
        let mut better = false;
        for row in 0..mesh.rows.len() {
            for i in 1..mesh.rows[row].len() {
                let (left, right) = (mesh.rows[row][i - 1], mesh.rows[row][i]);
                if pair(mesh, places, right, left) < pair(mesh, places, left, right) {
                    mesh.rows[row].swap(i - 1, i);
                    places.swap(left, right);
                    better = true;
                }
            }
        }
        if !better {
            break;
        }
    }
}

/// Crossings between the wires of two adjacent vertices. For vertices with few wires only.
fn pair(mesh: &Mesh, places: &[usize], left: usize, right: usize) -> usize {
    const MOST: usize = 64;
    let count = |l: &[usize], r: &[usize]| {
        if l.len() > MOST || r.len() > MOST {
            return 0;
        }
        l.iter().map(|a| r.iter().filter(|b| places[*a] > places[**b]).count()).sum()
    };
    count(&mesh.above[left], &mesh.above[right]) + count(&mesh.below[left], &mesh.below[right])
}

/// The number of all crossings, by counting inversions.
fn crossings(mesh: &Mesh, places: &[usize]) -> usize {
    let mut total = 0;
    for pair in mesh.rows.windows(2) {
        let mut ends = vec![];
        for upper in &pair[0] {
            let from = ends.len();
            ends.extend(mesh.below[*upper].iter().map(|lower| places[*lower]));
            ends[from..].sort_unstable();
        }
        let mut tree = vec![0usize; pair[1].len() + 1];
        for (seen, end) in ends.iter().enumerate() {
            // Earlier wires that end at the same place or further left do not cross it.
            let (mut sum, mut i) = (0, end + 1);
            while i > 0 {
                sum += tree[i];
                i &= i - 1;
            }
            total += seen - sum;
            let mut i = end + 1;
            while i < tree.len() {
                tree[i] += 1;
                i += i & i.wrapping_neg();
            }
        }
    }
    total
}
