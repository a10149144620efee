//! Files of CNTK 1 as trees. Reader and writer are made from the description of the format and share nothing with the
//! parser, so that the mutator can edit files of any version and the targets can compare two readings.

mod bodies;
mod compare;
mod value;

pub use bodies::{Part, ops, parts};
pub use compare::compare;
pub use value::{Kind, Matrix, Value};
use value::{Source, put_text};

/// A file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// `None` in files before there were versions, which count as version 1.
    pub version: Option<u64>,
    pub nodes: Vec<Node>,
    /// Names of nodes with those of their children.
    pub relations: Vec<(String, Vec<String>)>,
    pub groups: Vec<Group>,
    /// What follows the end.
    pub rest: Vec<u8>,
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Not in files before version 7.
    pub precision: String,
    pub op: String,
    pub name: String,
    /// A value for each of the operator's [`parts`], those included that the file's version does not have.
    pub body: Vec<Value>,
}

/// A list of names between two markers.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub begin: String,
    pub end: String,
    pub members: Vec<String>,
}

/// Where the precision of nodes stands in the file.
const PRECISION: u64 = 7;
/// The groups that a file may have, in order.
pub const GROUPS: [&str; 7] = ["Feature", "Label", "Criterion", "Criteria", "ReqMultiSeqHandling", "Eval", "Output"];

impl File {
    /// Reads a file, `None` if it is not one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = Source::new(bytes);
        from.marker("BCN")?;
        let mut written = None;
        if from.try_marker("BVersion") {
            written = Some(from.u64()?);
            from.marker("EVersion")?;
        }
        let version = written.unwrap_or(1);
        let double = is_double(bytes);
        let count = from.count(8)?;
        from.marker("BNodeList")?;
        let nodes = (0..count).map(|_| node(&mut from, version, double)).collect::<Option<Vec<_>>>()?;
        from.marker("ENodeList")?;
        from.marker("BRelation")?;
        let relations = (0..count).map(|_| Some((from.text()?, names(&mut from)?))).collect::<Option<Vec<_>>>()?;
        from.marker("ERelation")?;
        from.marker("BRootNodes")?;
        let groups = groups(&mut from)?;
        from.marker("ERootNodes")?;
        from.marker("ECN")?;
        Some(Self { version: written, nodes, relations, groups, rest: from.rest().to_vec() })
    }

    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_text(&mut out, "BCN");
        if let Some(version) = self.version {
            put_text(&mut out, "BVersion");
            out.extend_from_slice(&version.to_le_bytes());
            put_text(&mut out, "EVersion");
        }
        out.extend_from_slice(&(self.nodes.len() as u64).to_le_bytes());
        put_text(&mut out, "BNodeList");
        self.nodes.iter().for_each(|node| node.encode(self.version.unwrap_or(1), &mut out));
        put_text(&mut out, "ENodeList");
        put_text(&mut out, "BRelation");
        for (name, children) in &self.relations {
            put_text(&mut out, name);
            put_names(&mut out, children);
        }
        put_text(&mut out, "ERelation");
        put_text(&mut out, "BRootNodes");
        for group in &self.groups {
            if !group.begin.is_empty() {
                put_text(&mut out, &group.begin);
                put_names(&mut out, &group.members);
            }
            put_text(&mut out, &group.end);
        }
        put_text(&mut out, "ERootNodes");
        put_text(&mut out, "ECN");
        out.extend_from_slice(&self.rest);
        out
    }
}

impl Node {
    /// A node with values that its operator often has.
    pub fn new(op: &str, name: &str, precision: &str) -> Self {
        let body = parts(op).unwrap_or(&[]).iter().map(|part| part.kind.usual()).collect();
        Self { precision: precision.to_owned(), op: op.to_owned(), name: name.to_owned(), body }
    }

    fn encode(&self, version: u64, out: &mut Vec<u8>) {
        if version >= PRECISION {
            put_text(out, &self.precision);
        }
        put_text(out, &self.op);
        put_text(out, &self.name);
        for (index, (part, value)) in parts(&self.op).unwrap_or(&[]).iter().zip(&self.body).enumerate() {
            if part.is_in(version, &self.body[..index]) {
                value.encode(version, out);
            }
        }
    }
}

fn node(from: &mut Source<'_>, version: u64, double: bool) -> Option<Node> {
    let precision = if version >= PRECISION { from.text()? } else { String::new() };
    let double = match precision.as_str() {
        "" => double,
        precision => precision == "double",
    };
    let (op, name) = (from.text()?, from.text()?);
    let mut body = Vec::new();
    for part in parts(&op)? {
        let value =
            if part.is_in(version, &body) { part.kind.decode(from, version, double)? } else { part.kind.usual() };
        body.push(value);
    }
    Some(Node { precision, op, name, body })
}

fn names(from: &mut Source<'_>) -> Option<Vec<String>> {
    (0..from.count(2)?).map(|_| from.text()).collect()
}

fn put_names(out: &mut Vec<u8>, names: &[String]) {
    out.extend_from_slice(&(names.len() as u64).to_le_bytes());
    names.iter().for_each(|name| put_text(out, name));
}

fn groups(from: &mut Source<'_>) -> Option<Vec<Group>> {
    let mut groups = Vec::new();
    for name in GROUPS {
        let begin = format!("B{}", marker(name));
        if from.try_marker(&begin) {
            let members = names(from)?;
            let end = from.text()?;
            groups.push(Group { begin, end, members });
        } else if name == "Label" {
            // The end is there without a beginning, too.
            from.marker("ELabelNodes")?;
            groups.push(Group { begin: String::new(), end: "ELabelNodes".to_owned(), members: Vec::new() });
        }
    }
    if from.try_marker("BPairNodes") {
        (from.u64()? == 0).then_some(())?;
        from.marker("EPairNodes")?;
        groups.push(Group { begin: "BPairNodes".to_owned(), end: "EPairNodes".to_owned(), members: Vec::new() });
    }
    Some(groups)
}

/// The text of a group's markers after B or E.
pub fn marker(group: &str) -> String {
    if group == "ReqMultiSeqHandling" { format!("Nodes{group}") } else { format!("{group}Nodes") }
}

/// Has the first matrix of the file elements of 8 bytes?
fn is_double(bytes: &[u8]) -> bool {
    const MARKER: &[u8] = b"B\0M\0A\0T\0\0\0";
    let first = bytes.windows(MARKER.len()).position(|window| window == MARKER);
    first.is_some_and(|at| bytes.get(at + MARKER.len()) == Some(&8))
}
