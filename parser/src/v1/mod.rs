//! The format of CNTK 1: a list of nodes, then the children of each node, then the groups of criteria and outputs.
//!
//! It is read into the same typed model as a v2 file, so that later stages do not know of it. Most nodes become one v2
//! primitive ([`table`]), the others several ([`compose`]). A node's body has no length, so nothing can be read after
//! an unknown operator.

mod body;
mod build;
mod check;
mod compose;
mod emit;
mod matrix;
mod names;
mod nodes;
mod reader;
mod relations;
mod said;
mod table;

use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::file::ModelFile;
use crate::limits::Limits;
use crate::model::Model;
use reader::Reader;

/// `BCN` in UTF-16.
const MAGIC: &[u8] = b"B\0C\0N\0";
/// The model version that CNTK 2.7 writes.
const NEWEST: u64 = 31;

/// Does the input begin like a file of this format?
pub(crate) fn begins(input: &[u8]) -> bool {
    input.starts_with(MAGIC)
}

/// Reads a file of this format.
pub(crate) fn read<'a>(file: &'a ModelFile<'a>, limits: &Limits) -> Result<Model<'a>, Error> {
    let mut context = Context::new(limits);
    let mut reader = Reader::new(file);
    let (version, version_at) = header(&mut reader, &mut context)?;
    let nodes = match nodes::read(&mut reader, version, &mut context) {
        // No version of CNTK wrote 0, so in a file whose nodes are not those of version 1 the version is the fault.
        Err(_) if version == 0 => return Err(Error::new(ErrorKind::ModelVersion(version), version_at)),
        nodes => nodes?,
    };
    let graph = relations::read(&mut reader, nodes, &mut context)?;
    reader.marker("ECN")?;
    if reader.left() > 0 {
        let message = format!("{} bytes follow the end of the model", reader.left());
        context.warn("v1.trailing", reader.at(), String::new(), message);
    }
    build::model(file, version, graph, context)
}

/// The model version, which is 1 if the file has no section for it, and its offset.
fn header(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Result<(u64, u64), Error> {
    reader.marker("BCN")?;
    if !reader.next_is("BVersion") {
        return Ok((1, 0));
    }
    let at = reader.at();
    let version = reader.u64()?;
    reader.marker("EVersion")?;
    if version == 0 {
        let message = "model version 0 is read as 1, as in CNTK 2.7".to_owned();
        context.warn("v1.ignored", at, String::new(), message);
    }
    if version > NEWEST {
        let message = format!("version {version} is newer than any known ({NEWEST})");
        context.warn("record.newer-version", at, String::new(), message);
    }
    Ok((version, at))
}
