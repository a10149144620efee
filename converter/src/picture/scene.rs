//! A picture with all positions: boxes with their lines of text, wires with their labels.

use super::{
    Edge, Node, Picture, Role,
    layout::{self, Piece, Route, Row, Shape, Wire},
    measure,
};
use crate::Amount;

/// Height of titles, and of all other text.
pub const TITLE: f64 = 13.0;
pub const SMALL: f64 = 11.0;

const WIDEST: f64 = 230.0;
const NARROWEST: f64 = 84.0;
const PAD: f64 = 10.0;
const LINE: f64 = 16.0;
/// Room for the labels of a box's outputs.
const LABEL: f64 = 18.0;
/// Room for the sign of a recurrence, on each side.
const LOOP: f64 = 22.0;
/// Room for the title above the contents of a repeated part.
const HEAD: f64 = 40.0;
/// The contents of a repeated part are drawn up to this many nodes.
const DRAWN: usize = 14;
/// The most values of one box that get a label.
const LABELS: usize = 6;

/// A rectangle by its upper left corner.
#[derive(Clone, Copy, Debug)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

#[derive(Clone, Debug)]
pub struct Scene<'p> {
    pub width: f64,
    pub height: f64,
    pub boxes: Vec<Placed<'p>>,
    pub wires: Vec<Drawn>,
}

/// A box in its place.
#[derive(Clone, Debug)]
pub struct Placed<'p> {
    pub node: &'p Node,
    pub rect: Rect,
    pub lines: Vec<Text>,
    /// The contents of a repeated part, and their position.
    pub inside: Option<(f64, f64, Box<Scene<'p>>)>,
    pub labels: Vec<Text>,
}

/// A line of text, positioned by the middle or the beginning of its base line.
#[derive(Clone, Debug)]
pub struct Text {
    pub text: String,
    pub title: bool,
    pub begins: bool,
    pub x: f64,
    pub y: f64,
}

impl Text {
    /// The area that it covers.
    pub fn rect(&self) -> Rect {
        let size = if self.title { TITLE } else { SMALL };
        let width = measure::width(&self.text, size, self.title);
        let x = if self.begins { self.x } else { self.x - width / 2.0 };
        Rect { x, y: self.y - size * 0.85, width, height: size * 1.1 }
    }
}

/// A wire in its place.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub route: Route,
    pub back: bool,
    pub criterion: bool,
    /// It comes from outside of the scene.
    pub enters: bool,
    /// It ends in a box, and not where another wire begins.
    pub arrow: bool,
}

/// A box before it has a position.
struct Look<'p> {
    width: f64,
    height: f64,
    lines: Vec<(String, bool)>,
    inside: Option<Box<Scene<'p>>>,
    /// The labels of its outputs: value, text, and middle of the text.
    labels: Vec<(String, f64)>,
    /// Where wires enter it.
    enter: Option<f64>,
}

impl<'p> Scene<'p> {
    pub fn of(picture: &'p Picture) -> Self {
        Self::new(picture, false)
    }

    /// `bare`: inputs and outputs are not drawn, because the surrounding picture shows them.
    fn new(picture: &'p Picture, bare: bool) -> Self {
        let mut given: Vec<Vec<&Edge>> = vec![vec![]; picture.nodes.len()];
        picture.edges.iter().for_each(|edge| given[edge.from].push(edge));
        let looks: Vec<Look<'p>> =
            picture.nodes.iter().enumerate().map(|(i, node)| look(picture, node, &given[i], bare)).collect();
        let shapes: Vec<Shape> = picture
            .nodes
            .iter()
            .zip(&looks)
            .map(|(node, look)| {
                let reach = |(text, x): &(String, f64)| 2.0 * x.abs() + label_width(text);
                let labels = look.labels.iter().map(reach).fold(0.0, f64::max);
                let aside = if node.recurrence.is_some() { 2.0 * LOOP } else { 0.0 };
                Shape {
                    width: (look.width + aside).max(labels),
                    height: look.height + if look.labels.is_empty() { 0.0 } else { LABEL },
                    row: row(node),
                    enter: look.enter,
                }
            })
            .collect();
        let wires: Vec<Wire> = picture
            .edges
            .iter()
            .map(|edge| Wire {
                from: edge.from,
                to: edge.to,
                leave: leave(&looks[edge.from], &given[edge.from], edge),
                back: edge.back,
            })
            .collect();
        let drawing = layout::layout(&shapes, &wires);
        let boxes = picture.nodes.iter().zip(looks).zip(&drawing.places);
        let boxes = boxes.map(|((node, look), place)| placed(node, look, *place)).collect();
        let wires = picture.edges.iter().zip(drawing.routes);
        let wires = wires.map(|(edge, route)| Drawn {
            route,
            back: edge.back,
            criterion: picture.nodes[edge.to].criterion || picture.nodes[edge.from].criterion,
            enters: bare && picture.nodes[edge.from].role == Role::Enter,
            arrow: !(bare && picture.nodes[edge.to].role == Role::Leave),
        });
        Self { width: drawing.width, height: drawing.height, boxes, wires: wires.collect() }
    }
}

impl Scene<'_> {
    /// Extends wires from and to the outside up to the frame around the scene.
    fn join(&mut self, above: f64, below: f64) {
        for drawn in &mut self.wires {
            if drawn.enters {
                drawn.route.start.1 -= above;
            }
            if !drawn.arrow {
                let end = drawn.route.pieces.last().map_or(drawn.route.start, Piece::end);
                drawn.route.pieces.push(Piece::Line((end.0, end.1 + below)));
            }
        }
    }

    /// The offset from the middle at which the only value enters or leaves.
    fn end(&self, role: Role) -> Option<f64> {
        let mut ends = self.boxes.iter().filter(|placed| placed.node.role == role);
        match (ends.next(), ends.next()) {
            (Some(end), None) => Some(end.rect.x + end.rect.width / 2.0 - self.width / 2.0),
            _ => None,
        }
    }
}

/// The total number of rows that wires pass: a measure of the work of the layout.
pub fn passed(picture: &Picture) -> usize {
    let shape = |node: &Node| Shape { width: 0.0, height: 0.0, row: row(node), enter: None };
    let wire = |edge: &Edge| Wire { from: edge.from, to: edge.to, leave: 0.0, back: edge.back };
    layout::passed(
        &picture.nodes.iter().map(shape).collect::<Vec<_>>(),
        &picture.edges.iter().map(wire).collect::<Vec<_>>(),
    )
}

fn row(node: &Node) -> Row {
    match node.role {
        // Inputs that only criteria read are placed beside them.
        Role::Input | Role::Enter if !node.criterion => Row::Top,
        Role::Output | Role::Leave => Row::Bottom,
        _ => Row::Free,
    }
}

/// The values among the edges that leave a node, each once.
fn values<'e>(given: &[&'e Edge]) -> Vec<&'e Edge> {
    let mut values: Vec<&Edge> = vec![];
    for edge in given {
        if values.len() < LABELS && !values.iter().any(|known| known.value == edge.value) {
            values.push(edge);
        }
    }
    values
}

fn look<'p>(picture: &Picture, node: &'p Node, given: &[&Edge], bare: bool) -> Look<'p> {
    if bare && matches!(node.role, Role::Enter | Role::Leave) {
        let nothing = (vec![], None, vec![], None);
        return Look {
            width: 1.0,
            height: 0.0,
            lines: nothing.0,
            inside: nothing.1,
            labels: nothing.2,
            enter: nothing.3,
        };
    }
    let leaves = given.iter().all(|edge| picture.nodes[edge.to].role == Role::Leave);
    let mut labels = vec![];
    if !(bare && leaves) {
        let texts: Vec<String> =
            values(given).iter().map(|edge| measure::fit(&edge.shape, SMALL, false, WIDEST)).collect();
        if texts.iter().any(|text| !text.is_empty()) {
            let total: f64 = texts.iter().map(|text| label_width(text)).sum();
            let mut at = -total / 2.0;
            for text in texts {
                let width = label_width(&text);
                labels.push((text, at + width / 2.0));
                at += width;
            }
        }
    }
    let lines = lines(node);
    let widest = lines.iter().map(|(text, title)| measure::width(text, if *title { TITLE } else { SMALL }, *title));
    let mut width = widest.fold(NARROWEST, f64::max) + 2.0 * PAD;
    let mut height = lines.len() as f64 * LINE + 10.0;
    let (mut inside, mut enter) = (None, None);
    if let Some(picture) = node.inside.as_deref().filter(|p| node.role == Role::Repeat && p.layers <= DRAWN) {
        let scene = Scene::new(picture, true);
        enter = scene.end(Role::Enter);
        // Its title is at the left of the incoming wire.
        let head = width - PAD;
        width = width.max(scene.width + 4.0 * PAD).max(2.0 * (head + PAD - enter.unwrap_or(head)));
        height = HEAD + scene.height + PAD;
        if let (Some(leave), [label]) = (scene.end(Role::Leave), &mut *labels) {
            label.1 = leave;
        }
        inside = Some(Box::new(scene));
    }
    Look { width, height, lines, inside, labels, enter }
}

/// Where an edge leaves its node: under the label of its value.
fn leave(look: &Look<'_>, given: &[&Edge], edge: &Edge) -> f64 {
    let index = values(given).iter().position(|known| known.value == edge.value);
    index.and_then(|i| look.labels.get(i)).map_or(0.0, |(_, x)| *x)
}

fn label_width(text: &str) -> f64 {
    measure::width(text, SMALL, false) + 8.0
}

/// The lines of text in a box, and whether each is a title.
fn lines(node: &Node) -> Vec<(String, bool)> {
    let room = WIDEST - 2.0 * PAD;
    let mut lines: Vec<(String, bool)> = match node.role {
        Role::Repeat => vec![(format!("{} times", node.count), true)],
        Role::Stretch => vec![(format!("{} layers", node.layers), true)],
        Role::Input | Role::Output | Role::Enter | Role::Leave => {
            return vec![(measure::fit(&node.title, TITLE, true, room), true)];
        }
        Role::Layer => measure::lines(&node.title, TITLE, true, room).into_iter().map(|line| (line, true)).collect(),
    };
    let folded = node.inside.as_deref().is_none_or(|p| p.layers > DRAWN);
    if node.role == Role::Stretch || (node.role == Role::Repeat && folded) {
        lines.extend(measure::lines(&node.title, SMALL, false, room).into_iter().map(|line| (line, false)));
    }
    if !node.name.is_empty() {
        lines.push((measure::fit(&node.name, SMALL, false, room), false));
    }
    let figures = figures(node);
    if !figures.is_empty() {
        lines.push((measure::fit(&figures, SMALL, false, room), false));
    }
    lines
}

/// `9.4 k weights · 1.2 M mult-adds`.
fn figures(node: &Node) -> String {
    let mut parts = vec![];
    if node.parameters > 0 {
        parts.push(format!("{} weight{}", short(node.parameters), if node.parameters == 1 { "" } else { "s" }));
    }
    if let Some(count) = per_unit(&node.multiply_adds) {
        parts.push(format!("{} mult-adds", short(count)));
    }
    parts.join(" · ")
}

/// Multiply-adds for one sample, or for one step of it.
fn per_unit(amount: &Amount) -> Option<u64> {
    let count = amount.fixed.saturating_add(amount.per_sample).saturating_add(amount.per_step);
    (count > 0).then_some(count)
}

/// A number in at most four digits.
pub fn short(number: u64) -> String {
    let mut value = number as f64;
    for unit in ["", " k", " M", " G", " T"] {
        if value < 999.5 {
            return if unit.is_empty() || value >= 99.5 {
                format!("{value:.0}{unit}")
            } else {
                format!("{value:.1}{unit}")
            };
        }
        value /= 1000.0;
    }
    format!("{value:.0} P")
}

fn placed<'p>(node: &'p Node, look: Look<'p>, (x, y): (f64, f64)) -> Placed<'p> {
    let rect = Rect { x: x - look.width / 2.0, y, width: look.width, height: look.height };
    let mut base = y + 5.0 + LINE * 0.75;
    let mut lines = vec![];
    for (text, title) in look.lines {
        let begins = look.inside.is_some();
        lines.push(Text { text, title, begins, x: if begins { rect.x + PAD } else { x }, y: base });
        base += LINE;
    }
    let label = |(text, at): (String, f64)| Text {
        text,
        title: false,
        begins: false,
        x: x + at,
        y: y + look.height + LABEL * 0.75,
    };
    let labels = look.labels.into_iter().map(label).collect();
    let inside = look.inside.map(|mut scene| {
        scene.join(HEAD, PAD);
        (x - scene.width / 2.0, y + HEAD, scene)
    });
    Placed { node, rect, lines, inside, labels }
}

/// The points of a wire, close enough to one another to be measured.
#[cfg(test)]
pub fn points(route: &Route) -> Vec<(f64, f64)> {
    let mut points = vec![route.start];
    for piece in &route.pieces {
        let from = *points.last().unwrap();
        match piece {
            Piece::Line(to) => points.extend((1..=8).map(|i| {
                let t = f64::from(i) / 8.0;
                (from.0 + (to.0 - from.0) * t, from.1 + (to.1 - from.1) * t)
            })),
            Piece::Curve(a, b, to) => points.extend((1..=16).map(|i| {
                let t = f64::from(i) / 16.0;
                let (p, q, r, s) = ((1.0 - t).powi(3), 3.0 * (1.0 - t).powi(2) * t, 3.0 * (1.0 - t) * t * t, t.powi(3));
                (p * from.0 + q * a.0 + r * b.0 + s * to.0, p * from.1 + q * a.1 + r * b.1 + s * to.1)
            })),
        }
    }
    points
}
