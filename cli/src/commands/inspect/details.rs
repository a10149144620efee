//! `--nodes` and `--tree`: lists nodes and parameters by name and path.

use super::Args;
use crate::{json::Json, terminal};
use cntk_parser::model::{FunctionKind, Source, ValidatedModel, VariableKind};
use cntk2onnx::{Paths, Symbols};

/// The lists; `None` for one that was not asked for.
#[derive(Default)]
pub struct Details {
    nodes: Option<Vec<Node>>,
    /// Paths of parameters and constants, sorted, with their types.
    tree: Option<Vec<(String, String)>>,
}

struct Node {
    uid: String,
    name: String,
    op: String,
    kind: String,
    path: String,
}

impl Details {
    pub fn of(model: &ValidatedModel<'_>, args: &Args) -> Self {
        let paths = Paths::new(model);
        let mut symbols = Symbols::default();
        Self {
            nodes: args.nodes.then(|| nodes(model, &paths, &mut symbols)),
            tree: args.tree.then(|| tree(model, &paths, &mut symbols)),
        }
    }

    pub fn text(&self) -> String {
        let mut lines = vec![];
        if let Some(nodes) = &self.nodes {
            lines.push(format!("nodes       {}", nodes.len()));
            for Node { uid, name, op, kind, path } in nodes {
                let name = if name.is_empty() { "-" } else { name };
                lines.push(format!("  {uid} {name} {op} {kind} {path}"));
            }
        }
        if let Some(tree) = &self.tree {
            lines.push("tree".to_owned());
            let mut open: Vec<&str> = vec![];
            for (path, kind) in tree {
                let parts: Vec<&str> = path.split('/').collect();
                let (last, layers) = parts.split_last().unwrap_or((&"", &[]));
                let same = open.iter().zip(layers).take_while(|(a, b)| a == b).count();
                for (depth, layer) in layers.iter().enumerate().skip(same) {
                    lines.push(format!("{:1$}{layer}/", "", 2 * depth + 2));
                }
                lines.push(format!("{:1$}{last} {kind}", "", 2 * layers.len() + 2));
                open = layers.to_vec();
            }
        }
        lines.iter().map(|line| terminal::printable(line) + "\n").collect()
    }

    pub fn json(&self) -> Vec<(&'static str, Json)> {
        let node = |node: &Node| {
            Json::Object(vec![
                ("uid", Json::text(&node.uid)),
                ("name", Json::text(&node.name)),
                ("op", Json::text(&node.op)),
                ("type", Json::text(&node.kind)),
                ("path", Json::text(&node.path)),
            ])
        };
        let parameter = |(path, kind): &(String, String)| {
            Json::Object(vec![("path", Json::text(path)), ("type", Json::text(kind))])
        };
        let nodes = self.nodes.as_ref().map(|nodes| ("nodes", Json::list(nodes, node)));
        let tree = self.tree.as_ref().map(|tree| ("tree", Json::list(tree, parameter)));
        nodes.into_iter().chain(tree).collect()
    }
}

/// All functions and blocks in file order. Of several outputs, those after the first are listed with the uid of the
/// function and `_Output_1`, and so on.
fn nodes(model: &ValidatedModel<'_>, paths: &Paths<'_, '_>, symbols: &mut Symbols) -> Vec<Node> {
    let node = |id| {
        let function = model.function(id);
        let op = match &function.kind {
            FunctionKind::Primitive(op) => op.name(),
            FunctionKind::Block(block) => block.op_name,
            FunctionKind::Foreign(foreign) => foreign.name,
            FunctionKind::User(_) => "user-defined",
        };
        let kind = model.output_of(id, 0).map(|output| symbols.text(model, output.source));
        Node {
            uid: function.uid.to_owned(),
            name: function.name.to_owned(),
            op: op.to_owned(),
            kind: kind.unwrap_or_default(),
            path: paths.function(id),
        }
    };
    model.function_ids().map(node).collect()
}

fn tree(model: &ValidatedModel<'_>, paths: &Paths<'_, '_>, symbols: &mut Symbols) -> Vec<(String, String)> {
    let is_stored = |kind| matches!(kind, VariableKind::Parameter | VariableKind::Constant);
    let ids = model.variable_ids().map(|id| (id, model.variable(id))).filter(|(_, v)| is_stored(v.kind));
    let mut all: Vec<_> = ids.map(|(id, _)| (paths.variable(id), symbols.text(model, Source::Variable(id)))).collect();
    all.sort();
    all
}
