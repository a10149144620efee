//! A picture as SVG.

use super::{
    Direction, Picture, Role,
    layout::Piece,
    scene::{Drawn, Placed, Rect, Scene, Text},
};
use crate::page::text::{Text as Safe, name};
use std::fmt::Write;

/// The style sheet that a [`fragment`] needs. [`svg`] includes it.
pub const STYLE: &str = include_str!("picture.css");

/// Room around the picture.
const MARGIN: f64 = 16.0;

/// A complete SVG document, light or dark as the reader's system asks. Text from the file is never markup in it.
pub fn svg(picture: &Picture) -> String {
    let scene = Scene::of(picture);
    let mut text = String::with_capacity(4096);
    open(&mut text, &scene, "role=\"img\" aria-label=\"the layers of the model\"");
    let _ = write!(text, "<style>{STYLE}</style>");
    let _ = writeln!(
        text,
        "<rect class=\"under\" width=\"{}\" height=\"{}\"/>",
        Num(scene.width + 2.0 * MARGIN),
        Num(scene.height + 2.0 * MARGIN)
    );
    draw(&mut text, &scene, (MARGIN, MARGIN), None);
    text.push_str("</svg>\n");
    text
}

/// The same for a page that has the [`STYLE`]. Each box is a button with `data-node`, the index of its node; in a repeated
/// stretch, `7-2` is node 2 inside of node 7. `prefix` stands before the indices; with `None` there are no buttons.
pub fn fragment(picture: &Picture, prefix: Option<&str>) -> String {
    let scene = Scene::of(picture);
    let mut text = String::with_capacity(4096);
    open(&mut text, &scene, "role=\"group\" aria-label=\"the layers of the model\"");
    draw(&mut text, &scene, (MARGIN, MARGIN), prefix);
    text.push_str("</svg>\n");
    text
}

fn open(text: &mut String, scene: &Scene<'_>, role: &str) {
    let (width, height) = (Num(scene.width + 2.0 * MARGIN), Num(scene.height + 2.0 * MARGIN));
    let _ = writeln!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"picture\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" {role}>"
    );
}

/// A length with at most one decimal.
struct Num(f64);

impl std::fmt::Display for Num {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = (self.0 * 10.0).round() as i64;
        let (mut size, tenth) = (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10);
        // From the last character to the first. A page has thousands of these, and this takes a third of the time of `write!`.
        let (mut text, mut start) = ([b'0'; 24], 24);
        let mut put = |character: u8| {
            start -= 1;
            text[start] = character;
        };
        if tenth > 0 {
            put(b'0' + tenth as u8);
            put(b'.');
        }
        while size > 0 {
            put(b'0' + (size % 10) as u8);
            size /= 10;
        }
        if tenths.unsigned_abs() < 10 {
            put(b'0');
        }
        if tenths < 0 {
            put(b'-');
        }
        f.write_str(std::str::from_utf8(&text[start..]).unwrap_or_default())
    }
}

fn draw(text: &mut String, scene: &Scene<'_>, (x, y): (f64, f64), prefix: Option<&str>) {
    let _ = writeln!(text, "<g transform=\"translate({} {})\">", Num(x), Num(y));
    // Wires first, so that labels are drawn over them.
    scene.wires.iter().for_each(|drawn| wire(text, drawn));
    for (i, placed) in scene.boxes.iter().enumerate() {
        let id = prefix.map(|prefix| format!("{prefix}{i}"));
        node(text, placed, id.as_deref());
    }
    text.push_str("</g>\n");
}

fn wire(text: &mut String, drawn: &Drawn) {
    let class = match (drawn.back, drawn.criterion) {
        (true, _) => "wire back",
        (false, true) => "wire idle",
        (false, false) => "wire",
    };
    let start = drawn.route.start;
    let _ = write!(text, "<path class=\"{class}\" d=\"M{} {}", Num(start.0), Num(start.1));
    let mut end = start;
    for piece in &drawn.route.pieces {
        match *piece {
            Piece::Line(to) => {
                if to != end {
                    let _ = write!(text, "L{} {}", Num(to.0), Num(to.1));
                }
                end = to;
            }
            Piece::Curve(a, b, to) => {
                let _ =
                    write!(text, "C{} {} {} {} {} {}", Num(a.0), Num(a.1), Num(b.0), Num(b.1), Num(to.0), Num(to.1));
                end = to;
            }
        }
    }
    text.push_str("\"/>");
    if drawn.arrow {
        // Wires enter from above.
        let _ = write!(text, "<path class=\"tip\" d=\"M{} {}l-4 -8h8z\"/>", Num(end.0), Num(end.1));
    }
    text.push('\n');
}

fn node(text: &mut String, placed: &Placed<'_>, id: Option<&str>) {
    let (node, Rect { x, y, width, height }) = (placed.node, placed.rect);
    if height == 0.0 {
        return;
    }
    let role = match node.role {
        Role::Input => "input",
        Role::Output => "output",
        Role::Layer if !node.weights.is_empty() && node.multiply_adds != crate::Amount::default() => "layer product",
        Role::Layer => "layer",
        Role::Repeat => "repeat",
        Role::Stretch => "stretch",
        Role::Enter => "enter",
        Role::Leave => "leave",
    };
    let _ = write!(text, "<g class=\"node {role}{}\"", if node.criterion { " criterion" } else { "" });
    let spoken = spoken(placed);
    if let Some(id) = id {
        let _ = write!(text, " tabindex=\"0\" role=\"button\" data-node=\"{id}\" aria-label=\"{spoken}\"");
    }
    let _ = write!(text, "><title>{spoken}</title>");
    let round =
        if matches!(node.role, Role::Input | Role::Output | Role::Enter | Role::Leave) { height / 2.0 } else { 6.0 };
    let _ = write!(
        text,
        "<rect class=\"box\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
        Num(x),
        Num(y),
        Num(width),
        Num(height),
        Num(round)
    );
    for line in &placed.lines {
        let class = match (line.title, line.begins) {
            (true, true) => " class=\"title head\"",
            (true, false) => " class=\"title\"",
            (false, true) => " class=\"head\"",
            (false, false) => "",
        };
        write_line(text, line, class);
    }
    if let Some(direction) = node.recurrence {
        recurrence(text, placed.rect, direction);
    }
    for label in &placed.labels {
        let Rect { x, y, width, height } = label.rect();
        let _ = write!(
            text,
            "<rect class=\"under\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            Num(x - 2.0),
            Num(y),
            Num(width + 4.0),
            Num(height)
        );
        write_line(text, label, " class=\"shape\"");
    }
    text.push_str("</g>\n");
    if let Some((x, y, scene)) = &placed.inside {
        text.push_str("<g class=\"within\">");
        draw(text, scene, (*x, *y), id.map(|id| format!("{id}-")).as_deref());
        text.push_str("</g>\n");
    }
}

fn write_line(text: &mut String, line: &Text, class: &str) {
    let _ = write!(text, "<text{class} x=\"{}\" y=\"{}\">{}</text> ", Num(line.x), Num(line.y), Safe(&line.text));
}

/// A loop beside the box: on its right over past steps, on its left over future ones.
fn recurrence(text: &mut String, rect: Rect, direction: Direction) {
    let (side, out) = match direction {
        Direction::Forward => (rect.x + rect.width, 18.0),
        Direction::Backward => (rect.x, -18.0),
    };
    let (low, high) = (rect.y + rect.height * 0.75, rect.y + rect.height * 0.25);
    let _ = write!(
        text,
        "<path class=\"loop\" d=\"M{0} {low}C{1} {low} {1} {high} {0} {high}\"/><path class=\"tip\" d=\"M{0} {high}l{2} -4v8z\"/>",
        Num(side),
        Num(side + out * 1.2),
        Num(out / 2.2),
        low = Num(low),
        high = Num(high),
    );
}

/// A box in words, for screen readers and as a tooltip: its text, and what its look stands for.
fn spoken(placed: &Placed<'_>) -> String {
    let node = placed.node;
    let written: Vec<String> =
        placed.lines.iter().chain(&placed.labels).map(|line| Safe(&line.text).to_string()).collect();
    let mut parts = vec![written.join(" ")];
    if placed.lines.iter().any(|line| line.text.ends_with('…')) || node.role == Role::Repeat {
        parts.push(name(&node.title));
    }
    match node.role {
        Role::Input => parts.push("input".to_owned()),
        Role::Output => parts.push("output".to_owned()),
        _ => {}
    }
    match node.recurrence {
        Some(Direction::Forward) => parts.push("recurrence over past steps".to_owned()),
        Some(Direction::Backward) => parts.push("recurrence over future steps".to_owned()),
        None => {}
    }
    if node.criterion {
        parts.push("for training only".to_owned());
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::Num;

    #[test]
    fn lengths_have_at_most_one_decimal() {
        let shown = [0.0, -0.04, 0.1, -0.25, 9.96, 100.04, -12.5, 1e6].map(|length| Num(length).to_string());
        assert_eq!(shown, ["0", "0", "0.1", "-0.3", "10", "100", "-12.5", "1000000"]);
    }
}
