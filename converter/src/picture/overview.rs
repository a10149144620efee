//! Overviews of models with very many layers, with a node for each stretch of the model.

use super::{Edge, Node, Picture, Role, scene, title};
use hashbrown::HashMap;

/// The most layers that are shown one by one.
const MOST: usize = 500;
/// The most inputs or outputs that are shown one by one.
const MOST_ENDS: usize = 60;
/// The most rows that wires pass in a picture that is shown completely.
const MOST_PASSED: usize = 40_000;
/// About how many stretches an overview has. There are fewer if too many edges lead from one to another.
const STRETCHES: [usize; 3] = [80, 30, 10];

/// Makes an overview of a picture that is too large. Stretches are runs of nodes in their order, so there are no cycles among them
/// but those of recurrences.
pub fn fold(picture: &mut Picture) {
    for (role, what) in
        [(Role::Input, "inputs"), (Role::Enter, "values"), (Role::Output, "outputs"), (Role::Leave, "values")]
    {
        let ends: Vec<usize> = (0..picture.nodes.len()).filter(|i| picture.nodes[*i].role == role).collect();
        if ends.len() > MOST_ENDS {
            let mut node = stretch(ends.iter().map(|i| &picture.nodes[*i]));
            (node.role, node.title) = (role, format!("{} {what}", ends.len()));
            group(picture, &[(ends, node)]);
        }
    }
    let layers: Vec<usize> = (0..picture.nodes.len()).filter(|i| picture.nodes[*i].layers > 0).collect();
    let mut sizes = STRETCHES.iter().map(|count| layers.len().div_ceil(*count));
    if layers.len() <= MOST && scene::passed(picture) <= MOST_PASSED {
        return;
    }
    let whole = picture.clone();
    for size in &mut sizes {
        let groups = layers.chunks(size.max(1)).map(|group| {
            let node = stretch(group.iter().map(|i| &whole.nodes[*i]));
            (group.to_vec(), node)
        });
        picture.clone_from(&whole);
        group(picture, &groups.collect::<Vec<_>>());
        if scene::passed(picture) <= MOST_PASSED {
            break;
        }
    }
}

/// Makes one node of each group of nodes.
fn group(picture: &mut Picture, groups: &[(Vec<usize>, Node)]) {
    let mut target = vec![usize::MAX; picture.nodes.len()];
    let mut nodes = vec![];
    for (members, node) in groups {
        members.iter().for_each(|i| target[*i] = nodes.len());
        nodes.push(node.clone());
    }
    for (i, node) in std::mem::take(&mut picture.nodes).into_iter().enumerate() {
        if target[i] == usize::MAX {
            target[i] = nodes.len();
            nodes.push(node);
        }
    }
    let mut edges: Vec<Edge> = vec![];
    let mut seen: HashMap<(usize, usize), usize> = HashMap::new();
    for edge in std::mem::take(&mut picture.edges) {
        let (from, to) = (target[edge.from], target[edge.to]);
        if from == to {
            continue;
        }
        match seen.get(&(from, to)) {
            Some(known) => {
                edges[*known].shape.clear();
                edges[*known].value = None;
            }
            None => {
                seen.insert((from, to), edges.len());
                edges.push(Edge { from, to, ..edge });
            }
        }
    }
    picture.nodes = nodes;
    picture.edges = edges;
}

fn stretch<'n>(nodes: impl Iterator<Item = &'n Node> + Clone) -> Node {
    let title = title::list(nodes.clone().map(|node| node.title.as_str()));
    let mut whole = Node { criterion: true, ..Node::new(Role::Stretch, title) };
    for node in nodes {
        whole.functions.extend_from_slice(&node.functions);
        whole.weights.extend_from_slice(&node.weights);
        whole.parameters = whole.parameters.saturating_add(node.parameters);
        whole.multiply_adds.add(node.multiply_adds);
        whole.layers += node.layers;
        whole.criterion &= node.criterion;
        whole.shape.clone_from(&node.shape);
    }
    whole
}
