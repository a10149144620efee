//! Writes files of CNTK 1: what a reader of them is tried with.

#![allow(dead_code, reason = "not every test writes everything")]

/// A file in the making.
#[derive(Clone, Debug)]
pub struct File {
    /// The model version; `None`: the file does not say, which is 1.
    pub version: Option<u64>,
    pub nodes: Vec<Node>,
    /// Groups of root nodes: the word in their markers, and their members.
    pub groups: Vec<(String, Vec<String>)>,
    /// What follows the end.
    pub tail: Vec<u8>,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    pub op: String,
    pub name: String,
    pub precision: String,
    pub body: Vec<u8>,
    pub children: Vec<String>,
}

/// A file of the newest version.
pub fn file(nodes: &[Node]) -> File {
    File { version: Some(31), nodes: nodes.to_vec(), groups: Vec::new(), tail: Vec::new() }
}

/// A node of single precision.
pub fn node(op: &str, name: &str, body: &[u8], children: &[&str]) -> Node {
    Node {
        op: op.to_owned(),
        name: name.to_owned(),
        precision: "float".to_owned(),
        body: body.to_vec(),
        children: children.iter().map(|child| (*child).to_owned()).collect(),
    }
}

/// An input with the default dynamic axes, as version 31 writes it.
pub fn input(name: &str, dims: &[u32]) -> Node {
    let body = [&[0; 16][..], &shape(dims), &0_u32.to_le_bytes(), &1.0_f32.to_le_bytes()].concat();
    node("InputValue", name, &body, &[])
}

/// A parameter, as versions from 3 on write it.
pub fn parameter(name: &str, dims: &[u32], values: &[f32]) -> Node {
    let rows = u64::from(dims.first().copied().unwrap_or(1));
    let columns = (values.len() as u64).checked_div(rows).unwrap_or(0);
    let body = [&1.0_f32.to_le_bytes()[..], &shape(dims), &matrix(rows, columns, values)].concat();
    node("LearnableParameter", name, &body, &[])
}

/// Little-endian UTF-16 and a terminator.
pub fn text(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// Rank and dimensions.
pub fn shape(dims: &[u32]) -> Vec<u8> {
    [dims.len() as u32].iter().chain(dims).flat_map(|n| n.to_le_bytes()).collect()
}

/// A dense matrix of floats.
pub fn matrix(rows: u64, columns: u64, values: &[f32]) -> Vec<u8> {
    let elements: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    raw_matrix(4, rows, columns, &elements)
}

/// A dense matrix of any elements.
pub fn raw_matrix(size: u64, rows: u64, columns: u64, elements: &[u8]) -> Vec<u8> {
    let numbers = [&rows.to_le_bytes()[..], &columns.to_le_bytes()].concat();
    [b"d", &text("BMAT")[..], &size.to_le_bytes(), &text("unnamed"), &[0; 4], &numbers, elements, &text("EMAT")]
        .concat()
}

/// A sparse matrix of floats in compressed columns (6) or rows (7).
pub fn sparse(format: i32, rows: u64, columns: u64, values: &[f32], indices: &[i32], starts: &[i32]) -> Vec<u8> {
    let elements: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let indices: Vec<u8> = indices.iter().chain(starts).flat_map(|n| n.to_le_bytes()).collect();
    let sizes = [values.len() as u64, columns, rows];
    let numbers: Vec<u8> = sizes.iter().flat_map(|n| n.to_le_bytes()).collect();
    let head = [b"s", &text("BMAT")[..], &4_u64.to_le_bytes(), &text("nnmatrix"), &format.to_le_bytes()].concat();
    [head, numbers, elements, indices, text("EMAT")].concat()
}

impl File {
    /// The same with a group of root nodes.
    pub fn group(mut self, word: &str, members: &[&str]) -> Self {
        self.groups.push((word.to_owned(), members.iter().map(|member| (*member).to_owned()).collect()));
        self
    }

    /// The same in another version.
    pub fn version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = text("BCN");
        let word = |out: &mut Vec<u8>, word: &str| out.extend(text(word));
        if let Some(version) = self.version {
            word(&mut out, "BVersion");
            out.extend(version.to_le_bytes());
            word(&mut out, "EVersion");
        }
        let count = self.nodes.len() as u64;
        out.extend(count.to_le_bytes());
        word(&mut out, "BNodeList");
        for node in &self.nodes {
            if self.version.is_some_and(|version| version >= 7) {
                word(&mut out, &node.precision);
            }
            word(&mut out, &node.op);
            word(&mut out, &node.name);
            out.extend(&node.body);
        }
        word(&mut out, "ENodeList");
        word(&mut out, "BRelation");
        for node in &self.nodes {
            word(&mut out, &node.name);
            out.extend((node.children.len() as u64).to_le_bytes());
            node.children.iter().for_each(|child| word(&mut out, child));
        }
        word(&mut out, "ERelation");
        word(&mut out, "BRootNodes");
        let mut labels = false;
        for (name, members) in &self.groups {
            if !labels && name != "Feature" && name != "Label" {
                word(&mut out, "ELabelNodes");
                labels = true;
            }
            word(&mut out, &format!("B{name}Nodes"));
            out.extend((members.len() as u64).to_le_bytes());
            members.iter().for_each(|member| word(&mut out, member));
            word(&mut out, &format!("E{name}Nodes"));
            labels |= name == "Label";
        }
        if !labels {
            word(&mut out, "ELabelNodes");
        }
        word(&mut out, "ERootNodes");
        word(&mut out, "ECN");
        out.extend(&self.tail);
        out
    }
}
