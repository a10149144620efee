//! The list of nodes.

use super::body::Body;
use super::names::{Index, Names};
use super::reader::Reader;
use super::said::Said;
use super::table::{self, Form};
use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::escape::Escaped;
use crate::model::DataType;
use std::ops::Range;

/// A node without its relations.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) said: Said<'a>,
    /// See [`table::Row::order`].
    pub(super) order: &'static [u8],
    /// The name of its operator.
    pub(super) op: &'static str,
    pub(super) data_type: DataType,
    /// Offset of its first byte.
    pub(super) at: u64,
    /// Offset of its body.
    pub(super) body: u64,
}

/// The nodes of a file.
pub(super) struct Nodes<'a> {
    pub(super) list: Vec<Node<'a>>,
    pub(super) names: Vec<Names<'a>>,
    pub(super) index: Index,
    /// The ranges of the file that are matrix elements, in order.
    pub(super) tensors: Vec<Range<u64>>,
}

/// The smallest node in bytes: the name of its operator and its own name.
const SMALLEST: u64 = 8;

/// Reads the list of nodes.
pub(super) fn read<'a>(reader: &mut Reader<'a>, version: u64, context: &mut Context<'_>) -> Result<Nodes<'a>, Error> {
    let at = reader.at();
    let count = reader.count("nodes", SMALLEST)?;
    // Each node becomes a variable or at least one function.
    let max = context.limits.functions.max(context.limits.variables);
    if count > max {
        return Err(Error::new(ErrorKind::Limit { limit: "functions", value: count, max }, at));
    }
    reader.marker("BNodeList")?;
    let mut nodes = Nodes { list: Vec::new(), names: Vec::new(), index: Index::default(), tensors: Vec::new() };
    let mut list = List { reader, context, version, default: None, op: String::new() };
    for index in 0..usize::try_from(count).unwrap_or(usize::MAX) {
        list.node(&mut nodes, index)?;
    }
    reader.marker("ENodeList")?;
    nodes.list.shrink_to_fit();
    nodes.tensors.shrink_to_fit();
    Ok(nodes)
}

/// State while the list is read.
struct List<'r, 'l, 'a> {
    reader: &'r mut Reader<'a>,
    context: &'r mut Context<'l>,
    version: u64,
    /// The precision of nodes without one, once it is known.
    default: Option<DataType>,
    op: String,
}

impl<'a> List<'_, '_, 'a> {
    fn node(&mut self, nodes: &mut Nodes<'a>, index: usize) -> Result<(), Error> {
        let numbered = |e: Error| e.in_record(format!("nodes[{index}]"));
        let at = self.reader.at();
        let data_type = self.data_type().map_err(numbered)?;
        self.op.clear();
        let op_at = self.reader.at();
        self.reader.text_into(&mut self.op).map_err(numbered)?;
        let name_at = self.reader.at();
        let name = self.reader.text().map_err(numbered)?;
        self.context.budget.spend::<Node<'_>>(1, at)?;
        self.context.budget.spend::<u8>(name.len(), at)?;
        let names = Names::new(self.reader.file(), name, name_at).map_err(numbered)?;
        let named = |e: Error| e.in_record(path(index, names.uid));
        nodes.names.push(names);
        nodes.index.insert(&nodes.names, name_at).map_err(named)?;
        let Some(row) = table::find(&self.op) else {
            return Err(named(Error::new(ErrorKind::UnknownNode { op: self.op.clone() }, op_at)));
        };
        let body = self.reader.at();
        let mut order = row.order;
        let said = match &row.form {
            Form::Plain(op) => Said::Plain(*op),
            Form::Foreign(foreign) => Said::Foreign(*foreign),
            Form::Read(read) => {
                let mut body = Body {
                    reader: self.reader,
                    context: self.context,
                    version: self.version,
                    data_type,
                    op: row.name,
                    order,
                    note: None,
                };
                let said = read(&mut body).map_err(named)?;
                order = body.order;
                if let Some((rule, message)) = body.note.take() {
                    self.warn(rule, at, index, &names, message);
                }
                said
            }
        };
        if let Some(flag_at) = self.reader.odd_flag() {
            self.warn("v1.flag", flag_at, index, &names, "a Boolean that is neither 0 nor 1".to_owned());
        }
        let matrix = match &said {
            Said::Parameter(parameter) => parameter.matrix.range(),
            Said::Statistic(statistic) => statistic.matrix.range(),
            _ => None,
        };
        nodes.tensors.extend(matrix.filter(|range| !range.is_empty()).cloned());
        nodes.list.push(Node { said, order, op: row.name, data_type, at, body });
        Ok(())
    }

    /// The type of a node's numbers.
    fn data_type(&mut self) -> Result<DataType, Error> {
        if self.version >= 7 {
            if self.reader.next_is("float") {
                return Ok(DataType::Float);
            }
            let at = self.reader.at();
            let found = self.reader.text()?;
            match found.as_str() {
                "float" => return Ok(DataType::Float),
                "double" => return Ok(DataType::Double),
                "half" => return Ok(DataType::Float16),
                "" => {}
                _ => return Err(Error::new(ErrorKind::Precision { found }, at)),
            }
        }
        Ok(*self.default.get_or_insert_with(|| default_type(self.reader.file().bytes())))
    }

    #[cold]
    fn warn(&mut self, rule: &'static str, at: u64, index: usize, names: &Names<'_>, message: String) {
        self.context.warn(rule, at, path(index, names.uid), message);
    }
}

/// The path of a node in reports.
pub(super) fn path(index: usize, uid: &str) -> String {
    format!("nodes[{index}] \"{}\"", Escaped(uid))
}

/// The element type of the first matrix in the file; CNTK searches for it in the same way.
fn default_type(bytes: &[u8]) -> DataType {
    const MARKER: &[u8] = b"B\0M\0A\0T\0\0\0";
    let first = bytes.windows(MARKER.len()).position(|window| window == MARKER);
    let size = first.and_then(|at| bytes.get(at.saturating_add(MARKER.len())..)?.first());
    if size == Some(&8) { DataType::Double } else { DataType::Float }
}
