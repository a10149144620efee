//! A layered layout after Sugiyama: boxes are placed in rows, and every wire leads down from row to row, with few crossings and few
//! bends. It deals with boxes and wires only, not with models.
//!
//! All boxes of a row have its height, a wire that passes a row has a column of its own there, and there are only wires between the
//! rows. So no two boxes overlap, and no wire runs through a box.

mod order;
mod place;
mod rank;
mod route;

/// The row in which a box is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// In the first row.
    Top,
    /// Where its wires place it.
    Free,
    /// In the last row.
    Bottom,
}

/// A box to be placed.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The width of its column.
    pub width: f64,
    /// Its height, including the text below it.
    pub height: f64,
    /// Its row.
    pub row: Row,
    /// The point where all wires enter, relative to its middle, if it is one point.
    pub enter: Option<f64>,
}

/// A wire between two boxes.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Index of a box.
    pub from: usize,
    /// Index of a box.
    pub to: usize,
    /// Where it leaves the box, relative to the middle.
    pub leave: f64,
    /// Does it lead back up? Without these wires there is no cycle.
    pub back: bool,
}

/// A part of a wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Piece {
    /// A straight line to here.
    Line((f64, f64)),
    /// A Bézier curve with two control points and an end point.
    Curve((f64, f64), (f64, f64), (f64, f64)),
}

impl Piece {
    /// Where it ends.
    pub fn end(&self) -> (f64, f64) {
        match self {
            Self::Line(to) | Self::Curve(_, _, to) => *to,
        }
    }
}

/// The path of a wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The start.
    pub start: (f64, f64),
    /// The parts after the start, in order.
    pub pieces: Vec<Piece>,
}

/// The positions of all boxes and wires.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// The size of the whole drawing.
    pub width: f64,
    /// The size of the whole drawing.
    pub height: f64,
    /// For each box, the middle of its upper edge.
    pub places: Vec<(f64, f64)>,
    /// For each wire, its path from box to box.
    pub routes: Vec<Route>,
}

/// Places boxes and wires, in time near-linear in the number of boxes and of rows that wires pass.
pub fn layout(shapes: &[Shape], wires: &[Wire]) -> Drawing {
    let ranks = rank::ranks(shapes, wires);
    let mut mesh = Mesh::new(shapes, wires, &ranks);
    order::order(&mut mesh);
    let xs = place::place(&mesh);
    route::draw(shapes, wires, &mesh, &xs)
}

/// The total number of rows that wires pass.
pub fn passed(shapes: &[Shape], wires: &[Wire]) -> usize {
    let ranks = rank::ranks(shapes, wires);
    wires.iter().map(|w| ranks[w.from].abs_diff(ranks[w.to])).sum()
}

/// The vertices: boxes, and for each wire one bend in each row that it passes.
struct Mesh {
    /// Box `i` is vertex `i`; the bends follow.
    width: Vec<f64>,
    rank: Vec<usize>,
    /// For each vertex, its neighbours in the row above and in the row below.
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
    /// For each vertex, a vertex of the same row that should be beside it.
    beside: Vec<Option<usize>>,
    /// For each wire, its bends from top to bottom.
    bends: Vec<Vec<usize>>,
    /// For each wire: does it lead up?
    returns: Vec<bool>,
    /// For each row, its vertices from left to right.
    rows: Vec<Vec<usize>>,
    boxes: usize,
}

/// Room around a wire that passes a row.
const BEND: f64 = 10.0;

impl Mesh {
    fn new(shapes: &[Shape], wires: &[Wire], ranks: &[usize]) -> Self {
        let mut mesh = Self {
            width: shapes.iter().map(|s| s.width).collect(),
            rank: ranks.to_vec(),
            above: vec![vec![]; shapes.len()],
            below: vec![vec![]; shapes.len()],
            beside: vec![None; shapes.len()],
            bends: vec![],
            returns: vec![],
            rows: vec![],
            boxes: shapes.len(),
        };
        for wire in wires {
            let returns = wire.back && ranks[wire.from] >= ranks[wire.to];
            let bends = if returns { mesh.bend_back(wire) } else { mesh.bend(wire) };
            mesh.bends.push(bends);
            mesh.returns.push(returns);
        }
        let rows = mesh.rank.iter().max().map_or(0, |r| r + 1);
        mesh.rows = vec![vec![]; rows];
        for (vertex, rank) in mesh.rank.iter().enumerate() {
            mesh.rows[*rank].push(vertex);
        }
        mesh
    }

    fn is_bend(&self, vertex: usize) -> bool {
        vertex >= self.boxes
    }

    fn vertex(&mut self, rank: usize) -> usize {
        self.width.push(BEND);
        self.rank.push(rank);
        self.above.push(vec![]);
        self.below.push(vec![]);
        self.beside.push(None);
        self.width.len() - 1
    }

    fn connect(&mut self, upper: usize, lower: usize) {
        self.below[upper].push(lower);
        self.above[lower].push(upper);
    }

    fn bend(&mut self, wire: &Wire) -> Vec<usize> {
        let bends: Vec<usize> = (self.rank[wire.from] + 1..self.rank[wire.to]).map(|r| self.vertex(r)).collect();
        let mut last = wire.from;
        for next in bends.iter().copied().chain([wire.to]) {
            self.connect(last, next);
            last = next;
        }
        bends
    }

    /// A wire that leads back up passes the rows of both its ends, too, beside the boxes.
    fn bend_back(&mut self, wire: &Wire) -> Vec<usize> {
        let (top, bottom) = (self.rank[wire.to], self.rank[wire.from]);
        let bends: Vec<usize> = (top..=bottom).map(|r| self.vertex(r)).collect();
        for pair in bends.windows(2) {
            self.connect(pair[0], pair[1]);
        }
        self.beside[bends[0]] = Some(wire.to);
        self.beside[bends[bends.len() - 1]] = Some(wire.from);
        bends
    }
}

#[cfg(test)]
mod tests;
