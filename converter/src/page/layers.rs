//! The table of layers: outputs of each, and its share of the weights and of the work.

use super::text::name;
use crate::{Amount, picture::Node};
use cntk_parser::model::FunctionId;
use hashbrown::HashMap;
use std::fmt::Write;

/// `boxes`: the box of the picture that shows each function.
pub fn write(html: &mut String, layers: &[Node], boxes: &HashMap<FunctionId, String>) {
    if layers.is_empty() {
        return;
    }
    let parameters: u64 = layers.iter().fold(0, |sum, node| sum.saturating_add(node.parameters));
    let work: u64 = layers.iter().fold(0, |sum, node| sum.saturating_add(weight(&node.multiply_adds)));
    let _ = write!(
        html,
        "<section aria-labelledby=\"layers-title\">\n<h2 id=\"layers-title\">Layers</h2>\n<p>{} layers, {} weights, {} \
         multiply-adds for one sample, or one step of it.</p>\n<div class=\"wide\" tabindex=\"0\" role=\"group\" \
         aria-label=\"Layers, scrolls\"><table>\n<thead><tr><th scope=\"col\">Layer</th><th scope=\"col\">Name</th>\
         <th scope=\"col\">Gives</th><th scope=\"col\">Weights</th><th scope=\"col\">Share</th>\
         <th scope=\"col\">Multiply-adds</th><th scope=\"col\">Share</th></tr></thead>\n<tbody>\n",
        layers.len(),
        grouped(parameters),
        grouped(work),
    );
    for node in layers {
        row(html, node, parameters, work, boxes);
    }
    html.push_str("</tbody>\n</table></div>\n</section>\n");
}

fn row(html: &mut String, node: &Node, parameters: u64, work: u64, boxes: &HashMap<FunctionId, String>) {
    let class = if node.criterion { " class=\"criterion\"" } else { "" };
    let title = name(&node.title);
    let shown = node.functions.first().and_then(|f| boxes.get(f));
    let title = match shown {
        Some(id) => format!("<button type=\"button\" class=\"link\" data-show=\"{id}\">{title}</button>"),
        None => title,
    };
    let _ = writeln!(
        html,
        "<tr{class}><td>{title}</td><td>{}</td><td><code>{}</code></td><td class=\"number\">{}</td><td>{}</td>\
         <td class=\"number\">{}</td><td>{}</td></tr>",
        name(&node.name),
        node.shape,
        grouped(node.parameters),
        bar(node.parameters, parameters),
        work_of(&node.multiply_adds),
        bar(weight(&node.multiply_adds), work),
    );
}

/// Multiply-adds in words.
pub fn work_of(amount: &Amount) -> String {
    let parts = [(amount.fixed, ""), (amount.per_sample, " per sample"), (amount.per_step, " per step")];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, of)| format!("{}{of}", grouped(*count)));
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { "0".to_owned() } else { parts.join(", ") }
}

/// The cost for one sample of one step.
fn weight(amount: &Amount) -> u64 {
    amount.at(1, 1)
}

/// A share as a bar and in words; empty for zero.
fn bar(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return String::new();
    }
    let share = part as f64 / whole as f64;
    format!(
        "<svg class=\"bar\" width=\"64\" height=\"8\" aria-hidden=\"true\"><rect width=\"{:.1}\" height=\"8\"/></svg> {:.1} %",
        share * 64.0,
        share * 100.0
    )
}

/// A number with its digits in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1\u{a0}000", "1\u{a0}234\u{a0}567"]);
    }
}
