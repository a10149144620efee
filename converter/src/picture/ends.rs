//! The values that enter and leave a picture.

use super::{Edge, Node, Picture, Role, build::Builder};
use cntk_parser::model::{FunctionId, Source};
use hashbrown::{HashMap, HashSet};

impl Builder<'_, '_> {
    /// Inputs and outputs of the model, or of the part of it that is drawn.
    pub fn outside(&self, picture: &mut Picture, place: &HashMap<FunctionId, usize>, shown: &[usize], whole: bool) {
        let mut ends: HashMap<Source, usize> = HashMap::new();
        let mut seen = HashSet::new();
        let layers = picture.nodes.len();
        for node in 0..layers {
            for f in picture.nodes[node].functions.clone() {
                for source in self.model.inputs(f) {
                    let comes = match source {
                        Source::Variable(v) => self.model.variable(*v).value.is_none(),
                        Source::Output(g, _) => !place.contains_key(g),
                    };
                    if !comes {
                        continue;
                    }
                    let end = *ends.entry(*source).or_insert_with(|| {
                        picture.nodes.push(self.end(*source, if whole { Role::Input } else { Role::Enter }));
                        picture.nodes.len() - 1
                    });
                    if seen.insert((end, node)) {
                        let shape = self.axes(*source);
                        picture.edges.push(Edge { from: end, to: node, value: Some(*source), shape, back: false });
                    }
                }
            }
        }
        let given: Vec<FunctionId> = picture.nodes[..layers].iter().flat_map(|node| node.functions.clone()).collect();
        let mut give = |source: Source, node: Node| {
            let from = match source {
                Source::Output(f, _) => place.get(&f).map(|unit| shown[*unit]),
                Source::Variable(_) => ends.get(&source).copied(),
            };
            let from = from.unwrap_or_else(|| {
                // An input or parameter that is an output, too.
                let role = if whole { Role::Input } else { Role::Enter };
                picture.nodes.push(self.end(source, role));
                picture.nodes.len() - 1
            });
            let to = picture.nodes.len();
            picture.nodes.push(node);
            picture.edges.push(Edge { from, to, value: Some(source), shape: self.axes(source), back: false });
        };
        if whole {
            for output in self.model.outputs() {
                let mut node = self.end(output.source, Role::Output);
                (node.title, node.name) = if output.name.is_empty() {
                    (output.uid.to_string(), String::new())
                } else {
                    (output.name.to_string(), output.uid.to_string())
                };
                give(output.source, node);
            }
            return;
        }
        let mut left = HashSet::new();
        let functions: Vec<FunctionId> = given;
        let outputs = |f: FunctionId| (0..).take(self.model.output_types(f).len()).map(move |i| Source::Output(f, i));
        let given = functions.into_iter().flat_map(outputs);
        let given: Vec<Source> = given.filter(|s| self.leaves(*s, place) && left.insert(*s)).collect();
        for source in given {
            give(source, self.end(source, Role::Leave));
        }
    }

    /// Is a value read outside of the picture?
    fn leaves(&self, source: Source, place: &HashMap<FunctionId, usize>) -> bool {
        let takers = self.takers.get(&source).map_or(&[][..], |t| t);
        self.outputs.contains(&source) || takers.iter().any(|f| !place.contains_key(f))
    }

    /// The node of a value that enters or leaves.
    fn end(&self, source: Source, role: Role) -> Node {
        let (name, uid, criterion) = match source {
            Source::Variable(v) => {
                let variable = self.model.variable(v);
                let takers = self.takers.get(&source).map_or(&[][..], |t| t);
                let idle = takers.iter().all(|f| self.is_criterion(*f)) && !self.outputs.contains(&source);
                (variable.name, variable.uid, idle)
            }
            Source::Output(f, _) => {
                let function = self.model.function(f);
                (function.name, function.uid, self.is_criterion(f))
            }
        };
        let (title, name) = if name.is_empty() { (uid, "") } else { (name, uid) };
        Node { name: name.to_owned(), shape: self.axes(source), criterion, ..Node::new(role, title.to_owned()) }
    }
}
