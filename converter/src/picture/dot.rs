//! Writes a picture in Graphviz's dot language.

use super::{Node, Picture, Role};
use cntk_parser::Escaped;
use std::fmt::Write;

/// A directed graph, in which a repeated part is a cluster.
pub fn dot(picture: &Picture) -> String {
    let mut text = String::from(
        "digraph model {\n  node [shape=box, style=\"rounded,filled\", fillcolor=\"#e8f0fa\", fontname=\"sans-serif\", fontsize=11];\n  \
         edge [fontname=\"sans-serif\", fontsize=9];\n",
    );
    nodes(&mut text, picture, "n");
    edges(&mut text, picture, "n");
    text.push_str("}\n");
    text
}

/// Is a node drawn as a cluster of its contents?
fn cluster(node: &Node) -> Option<&Picture> {
    node.inside.as_deref().filter(|_| node.role == Role::Repeat)
}

fn nodes(text: &mut String, picture: &Picture, prefix: &str) {
    for (i, node) in picture.nodes.iter().enumerate() {
        if let Some(inside) = cluster(node) {
            let _ =
                writeln!(text, "  subgraph cluster_{prefix}{i} {{\n  label=\"{} times\"; style=dashed;", node.count);
            nodes(text, inside, &format!("{prefix}{i}_"));
            edges(text, inside, &format!("{prefix}{i}_"));
            text.push_str("  }\n");
            continue;
        }
        let mut lines = vec![quoted(&node.title)];
        if node.role == Role::Stretch {
            lines.insert(0, format!("{} layers", node.layers));
        }
        if !node.name.is_empty() {
            lines.push(quoted(&node.name));
        }
        if node.parameters > 0 {
            lines.push(format!("{} weights", node.parameters));
        }
        let look = match node.role {
            Role::Input | Role::Output => ", shape=ellipse, fillcolor=\"#fdf3d8\"",
            Role::Enter | Role::Leave => ", shape=plaintext, style=\"\"",
            _ if node.criterion => ", fillcolor=\"#eeeeee\", fontcolor=\"#5c636b\"",
            _ => "",
        };
        let _ = writeln!(text, "  {prefix}{i} [label=\"{}\"{look}];", lines.join("\\n"));
        if node.recurrence.is_some() {
            let _ = writeln!(text, "  {prefix}{i} -> {prefix}{i} [color=\"#a8441f\"];");
        }
    }
}

fn edges(text: &mut String, picture: &Picture, prefix: &str) {
    for edge in &picture.edges {
        let (from, to) = (end(picture, edge.from, prefix, Role::Leave), end(picture, edge.to, prefix, Role::Enter));
        let back = if edge.back { ", style=dashed, color=\"#a8441f\", constraint=false" } else { "" };
        let _ = writeln!(text, "  {from} -> {to} [label=\"{}\"{back}];", quoted(&edge.shape));
    }
}

/// The name of a node. For a cluster, the name of the node in it where edges begin or end.
fn end(picture: &Picture, node: usize, prefix: &str, role: Role) -> String {
    let inner = cluster(&picture.nodes[node]);
    let inner = inner.and_then(|inside| inside.nodes.iter().position(|node| node.role == role));
    match inner {
        Some(i) => format!("{prefix}{node}_{i}"),
        None => format!("{prefix}{node}"),
    }
}

/// Escapes text for a quoted string: it can neither end the string nor begin an escape sequence.
fn quoted(text: &str) -> String {
    Escaped(text).to_string().replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_file_stays_in_its_quotes() {
        assert_eq!(quoted("a\"];\nb\\"), "a\\\"];\\\\u{a}b\\\\");
    }
}
