//! Decides which layer a cell becomes, and where in CNTK's parameters each of the layer's tensors is.

use super::class::{Base, Class, Feature};
use crate::cells::{Activation, Block, Cell, Gate, Kind, Lstm, Segment, stabilizer};
use crate::pytorch::lower::Elem;
use crate::pytorch::python::expr::{Argument, Expr, args, keyword, nn};
use crate::pytorch::weights::{Piece, Weight};
use crate::weights::Data;
use cntk_parser::model::{Source, ValidatedModel, VariableId};
use std::collections::BTreeSet;

/// A planned layer. Loops with equal plans are one layer that is called more than once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Plan {
    pub(super) layer: Layer,
    pub(super) inputs: u64,
    pub(super) hidden: u64,
    /// The length of its result: that of `h` or of its projection.
    pub(super) outputs: u64,
    pub(super) parts: Vec<Part>,
}

/// The class of the layer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Layer {
    /// A layer of `torch.nn` and its further arguments.
    Torch(&'static str, Variant),
    /// A class that is written into the file.
    Own(Class),
}

/// Arguments of a layer of `torch.nn` after its sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Variant {
    projected: Option<u64>,
    relu: bool,
    unbiased: bool,
}

impl Variant {
    fn arguments(self) -> Vec<Argument> {
        let mut all: Vec<Argument> = Vec::new();
        all.extend(self.projected.map(|size| keyword("proj_size", size)));
        all.extend(self.relu.then(|| keyword("nonlinearity", "relu")));
        all.extend(self.unbiased.then(|| keyword("bias", false)));
        all.push(keyword("batch_first", true));
        all
    }
}

/// A tensor of the layer: its name, and the pieces of a variable that form it, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) variable: VariableId,
    pieces: Vec<Rectangle>,
    /// The number of dimensions.
    rank: usize,
}

/// Columns of some rows of a row-major matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Rectangle {
    row: u64,
    rows: u64,
    column: u64,
    columns: u64,
    width: u64,
}

impl Rectangle {
    fn overlaps(&self, other: &Self) -> bool {
        let apart = |a: u64, n: u64, b: u64, m: u64| a.saturating_add(n) <= b || b.saturating_add(m) <= a;
        !apart(self.row, self.rows, other.row, other.rows)
            && !apart(self.column, self.columns, other.column, other.columns)
    }
}

impl Part {
    /// Transposed blocks of a matrix with `columns` columns each.
    fn matrix(name: &str, blocks: &[Block], columns: u64) -> Option<Self> {
        let piece = |b: &Block| Rectangle { row: b.row, rows: b.rows, column: b.column, columns, width: b.width };
        let variable = blocks.first()?.weight;
        let alike = blocks.iter().all(|b| b.weight == variable && b.rows == blocks[0].rows);
        alike.then(|| Self { name: name.to_owned(), variable, pieces: blocks.iter().map(piece).collect(), rank: 2 })
    }

    /// Segments of a vector with `columns` elements each.
    fn vector(name: &str, segments: &[Segment], columns: u64) -> Option<Self> {
        let piece = |s: &Segment| Rectangle { row: 0, rows: 1, column: s.from, columns, width: 1 };
        let variable = segments.first()?.vector;
        let alike = segments.iter().all(|s| s.vector == variable);
        alike.then(|| Self { name: name.to_owned(), variable, pieces: segments.iter().map(piece).collect(), rank: 1 })
    }

    /// A number.
    fn number(name: &str, variable: VariableId) -> Self {
        let pieces = vec![Rectangle { row: 0, rows: 1, column: 0, columns: 1, width: 1 }];
        Self { name: name.to_owned(), variable, pieces, rank: 0 }
    }

    /// Its shape.
    pub(super) fn dims(&self) -> Vec<u64> {
        let columns = self.pieces.iter().map(|p| p.columns).sum();
        [columns, self.pieces[0].rows][..self.rank].to_vec()
    }

    /// Its elements.
    pub(super) fn data(&self, weight: &Weight) -> Data {
        let views: Vec<([u64; 2], [i64; 2], u64)> = self
            .pieces
            .iter()
            .map(|p| ([p.columns, p.rows], [1, p.width.cast_signed()], p.row * p.width + p.column))
            .collect();
        let pieces: Vec<Piece<'_>> =
            views.iter().map(|(dims, strides, offset)| Piece { offset: *offset, dims, strides }).collect();
        weight.pieces(&pieces)
    }

    /// Its layout in CNTK's parameter, in words.
    pub(super) fn layout(&self) -> &'static str {
        match (self.rank, self.pieces.len()) {
            (_, 2..) => "gates in PyTorch's order",
            (2, _) => "transposed",
            _ => "as in CNTK",
        }
    }
}

/// The parts found so far; `None` once one of them is impossible.
struct Parts(Option<Vec<Part>>);

impl Parts {
    fn push(&mut self, part: Option<Part>) {
        self.0 = match (self.0.take(), part) {
            (Some(mut parts), Some(part)) => {
                parts.push(part);
                Some(parts)
            }
            _ => None,
        };
    }
}

impl Plan {
    /// The layer for a cell that reads vectors of `inputs` elements. `states` tells whether an LSTM's cell states are
    /// also read.
    pub(super) fn new(model: &ValidatedModel<'_>, cell: &Cell, inputs: u64, states: bool) -> Option<Self> {
        let mut parts = Parts(Some(Vec::new()));
        let layer = match torch_layer(cell, states, &mut parts) {
            Some(layer) => layer,
            None => Layer::Own(own_layer(model, cell, states, &mut parts)?),
        };
        let outputs = cell.projection.map_or(cell.hidden, |p| p.size);
        let plan = Self { layer, inputs, hidden: cell.hidden, outputs, parts: parts.0? };
        // Refuse a weight that two gates share, because the layer would store it twice.
        let pieces: Vec<(VariableId, Rectangle)> =
            plan.parts.iter().flat_map(|p| p.pieces.iter().map(|r| (p.variable, *r))).collect();
        let tied = |i: usize| pieces[..i].iter().any(|(v, r)| *v == pieces[i].0 && r.overlaps(&pieces[i].1));
        (!(0..pieces.len()).any(tied)).then_some(plan)
    }

    /// The call that creates the layer. `class` is the name of its own class.
    pub(super) fn constructor(&self, class: &str, double: bool) -> Expr {
        let Self { inputs, hidden, outputs, .. } = self;
        match &self.layer {
            Layer::Torch(class, variant) => {
                let mut arguments = args![*inputs, *hidden];
                arguments.extend(variant.arguments());
                arguments.extend(if double { Elem::Double } else { Elem::Float }.dtype());
                nn(*class, arguments)
            }
            Layer::Own(kind) => {
                let mut arguments = args![*inputs, *hidden];
                arguments.extend(kind.features.contains(&Feature::Projection).then(|| Argument::from(*outputs)));
                let layer = Expr::Class(class.to_owned()).call(arguments);
                if double { layer.method("double", args![]) } else { layer }
            }
        }
    }

    /// The number of gates, for the second bias of PyTorch's own layers.
    pub(super) fn gates(&self) -> u64 {
        match &self.layer {
            Layer::Torch("LSTM", _) => 4,
            Layer::Torch("GRU", _) => 3,
            Layer::Torch(..) => 1,
            Layer::Own(class) => match class.base {
                Base::Lstm => 4,
                Base::Gru => 3,
                Base::Rnn => 1,
            },
        }
    }
}

/// A layer of `torch.nn` that computes the cell.
fn torch_layer(cell: &Cell, states: bool, parts: &mut Parts) -> Option<Layer> {
    let narrow = cell.projection.is_none_or(|p| p.scale.is_none() && p.size < cell.hidden);
    if cell.scale.is_some() || states || !narrow {
        return None;
    }
    let mut variant = Variant::default();
    let (class, gates) = match &cell.kind {
        Kind::Lstm(l) if l.peepholes.is_none() && activations(l) == [Activation::Tanh; 2] => {
            variant.projected = cell.projection.map(|p| p.size);
            ("LSTM", vec![&l.input, &l.forget, &l.candidate, &l.output])
        }
        Kind::Rnn { gate, activation: Activation::Tanh } => ("RNN", vec![gate]),
        Kind::Rnn { gate, activation: Activation::Relu } => {
            variant.relu = true;
            ("RNN", vec![gate])
        }
        Kind::Gru(g) if g.activation == Activation::Tanh && g.reset_after.is_some() => {
            ("GRU", vec![&g.reset, &g.update, &g.candidate])
        }
        _ => return None,
    };
    if cell.projection.is_some() && class != "LSTM" {
        return None;
    }
    let biases = biases(&cell.kind, &gates)?;
    parts.push(input(&gates, "weight_ih_l0", cell.hidden));
    parts.push(recurrent(&gates, "weight_hh_l0", cell.hidden));
    for (segments, name) in biases.iter().zip(["bias_ih_l0", "bias_hh_l0"]) {
        parts.push(Part::vector(name, segments, cell.hidden));
    }
    if let Some(p) = &cell.projection {
        parts.push(Part::matrix("weight_hr_l0", &[p.weight], p.size));
    }
    variant.unbiased = biases.is_empty();
    Some(Layer::Torch(class, variant))
}

/// The segments of the bias vectors of a layer of `torch.nn`: for neither, one or both of them.
fn biases(kind: &Kind, gates: &[&Gate]) -> Option<Vec<Vec<Segment>>> {
    let mut all: Vec<Vec<Segment>> = gates.iter().map(|g| g.bias.clone()).collect();
    let inner = if let Kind::Gru(g) = kind { g.reset_after.as_ref() } else { None };
    if let (Some(inner), Some(candidate)) = (inner, all.last_mut()) {
        // The inner bias is the second one; it must not include the candidate's own.
        if candidate.len() > 1 || inner.len() > candidate.len() {
            return None;
        }
        candidate.extend(inner.iter().copied());
    }
    let count = all.first()?.len();
    if count > 2 || all.iter().any(|b| b.len() != count) {
        return None;
    }
    Some((0..count).map(|i| all.iter().map(|b| b[i]).collect()).collect())
}

/// A layer that is written into the file.
fn own_layer(model: &ValidatedModel<'_>, cell: &Cell, states: bool, parts: &mut Parts) -> Option<Class> {
    let mut features = BTreeSet::new();
    let mut scaled = Vec::new();
    let (base, gates, activations) = match &cell.kind {
        Kind::Lstm(l) => (Base::Lstm, vec![&l.input, &l.forget, &l.candidate, &l.output], activations(l)),
        Kind::Gru(g) if g.reset_after.is_none() => {
            (Base::Gru, vec![&g.update, &g.reset, &g.candidate], [g.activation; 2])
        }
        Kind::Rnn { gate, activation } => (Base::Rnn, vec![gate], [*activation; 2]),
        Kind::Gru(_) => return None,
    };
    parts.push(input(&gates, "input.weight", cell.hidden));
    match biases(&cell.kind, &gates)?.as_slice() {
        [] => {}
        [one] => parts.push(Part::vector("input.bias", one, cell.hidden)),
        _ => return None,
    }
    if base == Base::Gru {
        parts.push(recurrent(&gates[..2], "gates.weight", cell.hidden));
        parts.push(recurrent(&gates[2..], "candidate.weight", cell.hidden));
    } else {
        parts.push(recurrent(&gates, "recurrent.weight", cell.hidden));
    }
    scaled.push((Feature::StabilizedOutput, cell.scale));
    if let Kind::Lstm(l) = &cell.kind {
        if states {
            features.insert(Feature::State);
        }
        if let Some([i, f, o]) = l.peepholes {
            features.insert(Feature::Peepholes);
            for (p, name) in [(i, "peephole_i"), (f, "peephole_f"), (o, "peephole_o")] {
                parts.push(Part::vector(name, &[p.weight], cell.hidden));
            }
            if i.scale != f.scale {
                return None;
            }
            scaled.extend([(Feature::StabilizedState, i.scale), (Feature::StabilizedNewState, o.scale)]);
        }
    }
    if let Some(p) = &cell.projection {
        features.insert(Feature::Projection);
        parts.push(Part::matrix("project.weight", &[p.weight], p.size));
        scaled.push((Feature::StabilizedProjection, p.scale));
    }
    for (feature, scale) in scaled {
        let Some(scale) = scale else { continue };
        parts.push(stabilizer_part(model, feature, scale));
        features.insert(feature);
    }
    Some(Class { base, activations, features })
}

/// The number of a `Stabilizer`.
fn stabilizer_part(model: &ValidatedModel<'_>, feature: Feature, scale: Source) -> Option<Part> {
    let found = stabilizer(model, scale).filter(|s| s.steepness == super::STEEPNESS)?;
    let (_, name) = super::class::STABILIZERS.iter().find(|(f, _)| *f == feature)?;
    Some(Part::number(&format!("{name}.alpha"), found.alpha))
}

fn activations(l: &Lstm) -> [Activation; 2] {
    [l.candidate_activation, l.state_activation]
}

fn input(gates: &[&Gate], name: &str, hidden: u64) -> Option<Part> {
    Part::matrix(name, &gates.iter().map(|g| g.input[0]).collect::<Vec<_>>(), hidden)
}

fn recurrent(gates: &[&Gate], name: &str, hidden: u64) -> Option<Part> {
    Part::matrix(name, &gates.iter().map(|g| g.recurrent).collect::<Vec<_>>(), hidden)
}
