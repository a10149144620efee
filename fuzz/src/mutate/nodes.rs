//! Edits a file of CNTK 1 in one place: a part of a body, a node, a relation, a group, or the version.

use super::Choice;
use super::attribute::{double, int};
use crate::nodes::{File, Group, Matrix, Node, Value, marker, ops, parts};

/// Changes something.
pub fn edit(file: &mut File, choice: &mut dyn Choice) {
    match choice.below(16) {
        0..=5 => body(file, choice),
        6..=8 => insert(file, choice),
        9 => remove(file, choice),
        10 => operator(file, choice),
        11 | 12 => relation(file, choice),
        13 => group(file, choice),
        14 => rename(file, choice),
        _ => head(file, choice),
    }
}

/// The version, the precision of a node, or what follows the end.
fn head(file: &mut File, choice: &mut dyn Choice) {
    match choice.below(6) {
        0 => file.version = Some(choice.number()),
        1 => {
            let at = choice.below(file.nodes.len());
            let precision = ["float", "double", "half", "", "Float"][choice.below(5)];
            if let Some(node) = file.nodes.get_mut(at) {
                node.precision = precision.to_owned();
            }
        }
        2 if choice.one_in(4) => file.rest.push(choice.below(256) as u8),
        _ => {
            let version = choice.below(32) as u64;
            file.version = (version > 0).then_some(version);
            file.nodes.iter_mut().for_each(keep_shape);
        }
    }
}

/// A parameter's shape for versions before 3.
fn keep_shape(node: &mut Node) {
    if let [_, shape @ Value::Shape(_), _, rows, columns, old, Value::Matrix(_)] = node.body.as_mut_slice() {
        *old = shape.clone();
        (*rows, *columns) = (Value::Size(0), Value::Size(0));
    }
}

fn body(file: &mut File, choice: &mut dyn Choice) {
    let parts: usize = file.nodes.iter().map(|node| node.body.len()).sum();
    let mut place = choice.below(parts);
    for node in &mut file.nodes {
        match node.body.get_mut(place) {
            Some(value) => return change(value, choice),
            None => place -= node.body.len(),
        }
    }
}

/// Adds a node that reads nodes of the file, in place of one of them.
fn insert(file: &mut File, choice: &mut dyn Choice) {
    const MOST_NODES: usize = 128;
    if file.nodes.len() >= MOST_NODES {
        return;
    }
    let all: Vec<_> = ops().collect();
    let name = format!("n{}", file.nodes.len());
    let precision = file.nodes.first().map_or("float", |node| &node.precision).to_owned();
    let node = Node::new(all[choice.below(all.len())], &name, &precision);
    let children: Vec<_> = (0..choice.below(5)).filter_map(|_| some_name(file, choice)).collect();
    if let (Some(child), true) = (children.first().cloned(), choice.one_in(2)) {
        let readers = file.relations.iter_mut().flat_map(|(_, children)| children);
        readers.filter(|name| **name == child).for_each(|reader| reader.clone_from(&name));
    } else if let Some(group) = file.groups.iter_mut().find(|group| group.begin == "BOutputNodes") {
        group.members.push(name.clone());
    }
    let at = choice.below(file.nodes.len() + 1);
    file.nodes.insert(at, node);
    file.relations.push((name, children));
}

fn remove(file: &mut File, choice: &mut dyn Choice) {
    if file.nodes.is_empty() {
        return;
    }
    let node = file.nodes.remove(choice.below(file.nodes.len()));
    file.relations.retain(|(name, _)| *name != node.name);
    if choice.one_in(2) {
        // What read it reads what it read.
        let with = some_name(file, choice).unwrap_or_default();
        let readers = file.relations.iter_mut().flat_map(|(_, children)| children);
        readers.filter(|name| **name == node.name).for_each(|reader| reader.clone_from(&with));
        file.groups.iter_mut().for_each(|group| group.members.retain(|name| *name != node.name));
    }
}

fn operator(file: &mut File, choice: &mut dyn Choice) {
    let all: Vec<_> = ops().collect();
    let op = all[choice.below(all.len())];
    let at = choice.below(file.nodes.len());
    let Some(node) = file.nodes.get_mut(at) else { return };
    let same = |a: &str, b: &str| match (parts(a), parts(b)) {
        (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.kind == b.kind),
        _ => false,
    };
    if same(&node.op, op) {
        node.op = op.to_owned();
    } else {
        *node = Node::new(op, &node.name, &node.precision);
    }
}

fn relation(file: &mut File, choice: &mut dyn Choice) {
    let name = some_name(file, choice).unwrap_or_default();
    let (at, other) = (choice.below(file.relations.len()), choice.below(file.relations.len()));
    if !file.relations.is_empty() && choice.one_in(16) {
        return file.relations.swap(at, other);
    }
    let Some((_, children)) = file.relations.get_mut(at) else { return };
    let (a, b) = (choice.below(children.len()), choice.below(children.len()));
    match choice.below(4) {
        0 => children.push(name),
        1 if !children.is_empty() => drop(children.remove(a)),
        2 if !children.is_empty() => children.swap(a, b),
        _ => {
            if let Some(child) = children.get_mut(a) {
                *child = name;
            }
        }
    }
}

fn group(file: &mut File, choice: &mut dyn Choice) {
    const NAMES: [&str; 6] = ["Feature", "Criterion", "Criteria", "ReqMultiSeqHandling", "Eval", "Pair"];
    let name = some_name(file, choice).unwrap_or_default();
    let at = choice.below(file.groups.len());
    let Some(group) = file.groups.get_mut(at) else { return };
    match choice.below(5) {
        0 => group.members.push(name),
        1 => drop(group.members.pop()),
        2 if choice.one_in(4) => drop(file.groups.remove(at)),
        3 if choice.one_in(4) => {
            let text = marker(NAMES[choice.below(NAMES.len())]);
            file.groups.insert(at, Group { begin: format!("B{text}"), end: format!("E{text}"), members: vec![name] });
        }
        _ => group.members.clear(),
    }
}

/// Renames a node, mostly with its readers.
fn rename(file: &mut File, choice: &mut dyn Choice) {
    const NAMES: [&str; 8] = [
        "__v2libuid__Times7__v2libname__z",
        "__v2libuid__Plus9_Output_0__v2libname__",
        "__noSequenceAxis",
        "*",
        "\u{202e}\n",
        "é",
        "a_Output_1",
        "",
    ];
    let at = choice.below(file.nodes.len());
    let Some(node) = file.nodes.get_mut(at) else { return };
    let new =
        if choice.one_in(2) { node.name.to_ascii_uppercase() } else { NAMES[choice.below(NAMES.len())].to_owned() };
    let old = std::mem::replace(&mut node.name, new.clone());
    if choice.one_in(8) {
        return;
    }
    let places = file.relations.iter_mut().flat_map(|(name, children)| std::iter::once(name).chain(children));
    let places = places.chain(file.groups.iter_mut().flat_map(|group| &mut group.members));
    places.filter(|name| **name == old).for_each(|name| name.clone_from(&new));
}

fn some_name(file: &File, choice: &mut dyn Choice) -> Option<String> {
    file.nodes.get(choice.below(file.nodes.len())).map(|node| node.name.clone())
}

fn change(value: &mut Value, choice: &mut dyn Choice) {
    match value {
        Value::Size(n) => *n = number(*n, choice),
        Value::U32(n) => *n = number((*n).into(), choice) as u32,
        Value::Mode(mode) => *mode = choice.one_in(2).then(|| choice.below(5) as u32),
        Value::I32(n) => *n = if choice.one_in(2) { n.wrapping_add(int(choice) % 3) } else { int(choice) },
        Value::F32(x) => *x = (double(choice) as f32).to_le_bytes(),
        Value::F64(x) => *x = double(choice).to_le_bytes(),
        Value::Flag(flag) => *flag = if choice.one_in(8) { choice.below(256) as u8 } else { *flag ^ 1 },
        Value::Text(text) => *text = word(choice),
        Value::Units(units) => units.push(1 + choice.below(0xffff) as u16),
        Value::Ascii(bytes) => bytes.push(1 + choice.below(255) as u8),
        Value::Shape(dims) => {
            let mut wide = dims.iter().map(|dim| u64::from(*dim)).collect();
            super::attribute::dims(&mut wide, choice);
            *dims = wide.into_iter().map(|dim| dim as u32).collect();
        }
        Value::ThreeSizes(sizes) => sizes[choice.below(3)] = choice.number(),
        Value::Flags(flags) => match choice.below(4) {
            0 => flags.push(choice.below(3) as u8),
            1 => drop(flags.pop()),
            _ => flags.iter_mut().for_each(|flag| *flag ^= 1),
        },
        Value::Sizes(sizes) => super::attribute::dims(sizes, choice),
        Value::Texts(texts) => match choice.below(3) {
            0 => drop(texts.pop()),
            _ => texts.push(word(choice)),
        },
        Value::Matrix(matrix) => change_matrix(matrix, choice),
        Value::Ranges(ranges) => match choice.below(6) {
            0 => ranges.push((0, 1, 1 + choice.below(3) as i32, 1)),
            1 => drop(ranges.pop()),
            n => {
                let Some(range) = ranges.last_mut() else { return };
                match n {
                    2 => range.0 = int(choice).into(),
                    3 => range.1 = int(choice).into(),
                    4 => range.2 = int(choice),
                    _ => range.3 = int(choice),
                }
            }
        },
        Value::Axes(axes) => match choice.below(3) {
            0 => axes.push(choice.below(4) as i32),
            1 => drop(axes.pop()),
            _ => axes.iter_mut().for_each(|axis| *axis = choice.below(9) as i32 - 4),
        },
        Value::Seed { seed, short } => (*seed, *short) = (choice.number(), choice.one_in(2)),
    }
}

fn number(n: u64, choice: &mut dyn Choice) -> u64 {
    match choice.below(4) {
        0 => n.wrapping_add(1),
        1 => n.wrapping_sub(1),
        _ => choice.number(),
    }
}

fn word(choice: &mut dyn Choice) -> String {
    const WORDS: [&str; 12] =
        ["Sum", "Mean", "LogSum", "Max", "Min", "Prod", "lstm", "rnnReLU", "words", "*", "__noSequenceAxis", ""];
    WORDS[choice.below(WORDS.len())].to_owned()
}

/// Changes a matrix, mostly so that sizes and bytes still match.
fn change_matrix(matrix: &mut Matrix, choice: &mut dyn Choice) {
    match choice.below(8) {
        0 => matrix.element = [4, 8, 2, 0, u64::MAX][choice.below(5)],
        1 => matrix.format = [6, 7, 0, 1, -1][choice.below(5)],
        2 => matrix.stored = number(matrix.stored, choice),
        3 => matrix.rows = choice.number(),
        4 | 5 if matrix.kind == b'd' => compress(matrix, choice.one_in(2)),
        _ => {
            let (rows, columns) = (choice.number(), choice.number());
            let length = rows.checked_mul(columns).and_then(|count| count.checked_mul(matrix.element));
            let Some(Ok(length @ 0..=4096)) = length.map(usize::try_from) else { return };
            let fill = double(choice) as f32;
            (matrix.kind, matrix.rows, matrix.columns) = (b'd', rows, columns);
            matrix.data.resize(length, fill.to_le_bytes()[3]);
        }
    }
}

/// Makes a dense matrix a sparse one that stores every element.
fn compress(matrix: &mut Matrix, by_rows: bool) {
    const MOST: u64 = 1024;
    let count = matrix.rows.saturating_mul(matrix.columns);
    if count == 0 || count > MOST {
        return;
    }
    let (lines, within) = if by_rows { (matrix.rows, matrix.columns) } else { (matrix.columns, matrix.rows) };
    for _ in 0..lines {
        (0..within as u32).for_each(|index| matrix.data.extend_from_slice(&index.to_le_bytes()));
    }
    (0..=lines).for_each(|line| matrix.data.extend_from_slice(&((line * within) as u32).to_le_bytes()));
    (matrix.kind, matrix.format, matrix.stored) = (b's', if by_rows { 7 } else { 6 }, count);
}
