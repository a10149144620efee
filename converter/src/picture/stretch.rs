//! Draws a repeated part as one node.

use super::{
    Edge, Node, Picture, Role,
    build::Builder,
    overview,
    repeat::{self, Run},
    title,
    units::Link,
};
use cntk_parser::model::{FunctionId, Source};
use hashbrown::{HashMap, HashSet};

impl Builder<'_, '_> {
    pub fn runs(&self, nodes: &[Node], links: &[Link], place: &HashMap<FunctionId, usize>) -> Vec<Run> {
        let marks = nodes.iter().map(|node| {
            let shapes = node.weights.iter().map(|v| &self.model.variable(*v).shape);
            let comes: Vec<_> = node
                .functions
                .iter()
                .flat_map(|f| self.model.inputs(*f))
                .filter(|source| match source {
                    Source::Variable(v) => self.model.variable(*v).value.is_none(),
                    Source::Output(g, _) => !place.contains_key(g),
                })
                .collect();
            let outputs = (node.functions.iter())
                .flat_map(|f| (0..).take(self.model.output_types(*f).len()).map(|i| Source::Output(*f, i)));
            let shown = outputs.filter(|source| self.outputs.contains(source)).count();
            repeat::mark(&(&node.title, &node.shape, node.criterion, shapes.collect::<Vec<_>>(), comes, shown))
        });
        repeat::runs(&marks.collect::<Vec<_>>(), links)
    }

    /// One node for a run of equal parts. The picture inside is that of the first part.
    pub fn repeated(&self, mut nodes: Vec<Node>, start: usize, links: &[Link], run: &Run) -> Node {
        let (shape, criterion) = nodes.last().map(|node| (node.shape.clone(), node.criterion)).unwrap_or_default();
        let title = title::list(nodes[..run.period].iter().map(|node| node.title.as_str()));
        let new = Node::new(Role::Repeat, title);
        let mut node = Node { shape, criterion, count: run.count, layers: nodes.len(), ..new };
        for part in &nodes {
            node.functions.extend_from_slice(&part.functions);
            node.weights.extend_from_slice(&part.weights);
            node.parameters = node.parameters.saturating_add(part.parameters);
            node.multiply_adds.add(part.multiply_adds);
        }
        nodes.truncate(run.period);
        let end = start + run.period;
        let within = |i: usize| (start..end).contains(&i);
        let links: Vec<Link> = links
            .iter()
            .filter(|l| within(l.from) && within(l.to))
            .map(|l| Link { from: l.from - start, to: l.to - start, ..*l })
            .collect();
        let mut place = HashMap::new();
        for (i, node) in nodes.iter().enumerate() {
            place.extend(node.functions.iter().map(|f| (*f, i)));
        }
        let mut inside = Picture { layers: nodes.len(), nodes, edges: vec![] };
        let mut seen = HashSet::new();
        for link in links.iter().filter(|l| seen.insert((l.from, l.to, l.value))) {
            let (shape, value) = (self.axes(link.value), Some(link.value));
            inside.edges.push(Edge { from: link.from, to: link.to, value, shape, back: link.back });
        }
        let shown: Vec<usize> = (0..inside.nodes.len()).collect();
        self.outside(&mut inside, &place, &shown, false);
        overview::fold(&mut inside);
        node.inside = Some(Box::new(inside));
        node
    }
}
