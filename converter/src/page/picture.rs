//! The picture with its tools, and the details of each box.

use super::{layers, text::name};
use crate::{
    Symbols,
    picture::{Node, Picture, Role, fragment},
};
use cntk_parser::model::{FunctionId, FunctionKind, Source, ValidatedModel};
use hashbrown::HashMap;
use std::fmt::Write;

/// The most functions, or weights, that are listed for a box.
const LISTED: usize = 24;

const TOOLS: &str = "<div class=\"tools\" role=\"group\" aria-label=\"Picture tools\">
<button type=\"button\" data-tool=\"in\">Zoom in</button> <button type=\"button\" data-tool=\"out\">Zoom out</button>
<button type=\"button\" data-tool=\"fit\">Whole</button> <button type=\"button\" data-tool=\"full\">Full size</button>
<label>Find <input type=\"search\" data-tool=\"find\" size=\"18\"></label> <span data-tool=\"found\" role=\"status\"></span>
</div>
";

const LEGEND: &str = "<p class=\"legend\">Choose a box to see what is in it. Green boxes have weights and products; a red loop is a \
recurrence, over past steps on the right and over future steps on the left; dashed red lines go back to an earlier layer of \
the next step; grey is for training only; a dashed frame is repeated as often as it says.</p>
";

pub fn write(html: &mut String, model: &ValidatedModel<'_>) {
    let (picture, layers) = Picture::with_layers(model);
    html.push_str("<section aria-labelledby=\"picture-title\">\n<h2 id=\"picture-title\">Picture</h2>\n");
    html.push_str(TOOLS);
    html.push_str(LEGEND);
    html.push_str(
        "<div class=\"stage\"><div id=\"picture\" class=\"canvas\" tabindex=\"0\" role=\"group\" aria-label=\"Picture, scrolls\">\n",
    );
    html.push_str(&fragment(&picture, Some("")));
    html.push_str("</div>\n<aside class=\"details\" aria-label=\"The chosen box\" aria-live=\"polite\">\n<p data-none>No box is chosen.</p>\n");
    let mut symbols = Symbols::default();
    details(html, model, &picture, "", &mut symbols);
    html.push_str("</aside></div>\n</section>\n");
    let mut boxes = HashMap::new();
    places(&picture, "", &mut boxes);
    layers::write(html, &layers, &boxes);
}

/// The box that shows each function. In a repeated part, it is that of the first repetition.
fn places(picture: &Picture, prefix: &str, boxes: &mut HashMap<FunctionId, String>) {
    for (i, node) in picture.nodes.iter().enumerate() {
        let id = format!("{prefix}{i}");
        if let (Role::Repeat, Some(inside)) = (node.role, &node.inside) {
            places(inside, &format!("{id}-"), boxes);
        }
        for f in &node.functions {
            boxes.entry(*f).or_insert_with(|| id.clone());
        }
    }
}

fn details(html: &mut String, model: &ValidatedModel<'_>, picture: &Picture, prefix: &str, symbols: &mut Symbols) {
    for (i, node) in picture.nodes.iter().enumerate() {
        let id = format!("{prefix}{i}");
        let _ = write!(html, "<div data-details=\"{id}\" hidden>\n<h3>{}</h3>\n<dl>", name(&node.title));
        facts(html, node);
        html.push_str("</dl>\n");
        weights(html, model, node, symbols);
        if node.role != Role::Repeat {
            inside(html, node, "<h4>Inside</h4>");
        }
        functions(html, model, node);
        html.push_str("</div>\n");
        if let (Role::Repeat, Some(inside)) = (node.role, &node.inside) {
            details(html, model, inside, &format!("{id}-"), symbols);
        }
    }
}

/// The details of the contents of a box and of each of its parts. The depth is that of the picture, which is limited.
fn inside(html: &mut String, node: &Node, head: &str) {
    let Some(picture) = &node.inside else { return };
    html.push_str(head);
    html.push_str("\n<div class=\"inside\" tabindex=\"0\" role=\"group\" aria-label=\"Inside, scrolls\">");
    html.push_str(&fragment(picture, None));
    html.push_str("</div>\n");
    for part in picture.nodes.iter().filter(|part| part.inside.is_some() && part.role != Role::Repeat) {
        let _ = write!(html, "<details><summary>Inside of {}</summary>", name(&part.title));
        inside(html, part, "");
        html.push_str("</details>\n");
    }
}

fn facts(html: &mut String, node: &Node) {
    let mut fact = |what: &str, value: &str| {
        let _ = write!(html, "<dt>{what}</dt><dd>{value}</dd>");
    };
    if node.count > 1 {
        fact("Times", &node.count.to_string());
    }
    if !node.name.is_empty() {
        fact("Name", &format!("<code>{}</code>", name(&node.name)));
    }
    if !node.shape.is_empty() {
        fact("Gives", &format!("<code>{}</code>", node.shape));
    }
    if node.parameters > 0 {
        fact("Weights", &layers::grouped(node.parameters));
    }
    if node.multiply_adds != crate::Amount::default() {
        fact("Multiply-adds", &layers::work_of(&node.multiply_adds));
    }
    if node.criterion {
        fact("Use", "training only: inference leaves it out");
    }
}

fn weights(html: &mut String, model: &ValidatedModel<'_>, node: &Node, symbols: &mut Symbols) {
    if node.weights.is_empty() {
        return;
    }
    html.push_str("<h4>Weights</h4>\n<ul>");
    for id in node.weights.iter().take(LISTED) {
        let variable = model.variable(*id);
        let called = if variable.name.is_empty() { variable.uid } else { variable.name };
        let kind = symbols.text(model, Source::Variable(*id));
        let _ = write!(html, "<li><code>{}</code> <code>{kind}</code></li>", name(called));
    }
    more(html, node.weights.len());
    html.push_str("</ul>\n");
}

fn functions(html: &mut String, model: &ValidatedModel<'_>, node: &Node) {
    if node.functions.is_empty() {
        return;
    }
    html.push_str("<h4>Functions</h4>\n<ul>");
    for id in node.functions.iter().take(LISTED) {
        let function = model.function(*id);
        let op = match &function.kind {
            FunctionKind::Primitive(op) => op.name(),
            FunctionKind::Foreign(foreign) => foreign.name,
            FunctionKind::Block(_) | FunctionKind::User(_) => "user-defined",
        };
        let _ = write!(html, "<li>{op} <code>{}</code>", name(function.uid));
        if !function.name.is_empty() && function.name != function.uid {
            let _ = write!(html, " {}", name(function.name));
        }
        html.push_str("</li>");
    }
    more(html, node.functions.len());
    html.push_str("</ul>\n");
}

fn more(html: &mut String, count: usize) {
    if count > LISTED {
        let _ = write!(html, "<li>and {} more</li>", count - LISTED);
    }
}
