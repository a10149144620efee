//! The format of CNTK 1: nodes one after another, then who reads whom, then which are criteria and outputs.
//!
//! It becomes the same typed model as v2's records, so that nothing behind the reader knows of it. Most nodes are one v2
//! primitive ([`table`]); the others are composed of some ([`compose`]). A node's body has no length: after an operator
//! that is not known nothing can be read.

mod body;
mod build;
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
/// What CNTK 2.7 writes.
const NEWEST: u64 = 31;

/// Does a file of this format begin so?
pub(crate) fn begins(input: &[u8]) -> bool {
    input.starts_with(MAGIC)
}

/// Reads a file of this format.
pub(crate) fn read<'a>(file: &'a ModelFile<'a>, limits: &Limits) -> Result<Model<'a>, Error> {
    let mut context = Context::new(limits);
    let mut reader = Reader::new(file);
    let version = header(&mut reader, &mut context)?;
    let nodes = nodes::read(&mut reader, version, &mut context)?;
    let graph = relations::read(&mut reader, nodes, &mut context)?;
    reader.marker("ECN")?;
    if reader.left() > 0 {
        let message = format!("{} bytes follow the end of the model", reader.left());
        context.warn("v1.trailing", reader.at(), String::new(), message);
    }
    build::model(file, version, graph, context)
}

/// The model version; without a section for it, 1.
fn header(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Result<u64, Error> {
    reader.marker("BCN")?;
    if !reader.next_is("BVersion") {
        return Ok(1);
    }
    let at = reader.at();
    let version = reader.u64()?;
    reader.marker("EVersion")?;
    if version == 0 {
        return Err(Error::new(ErrorKind::ModelVersion(version), at));
    }
    if version > NEWEST {
        let message = format!("version {version} is newer than any known ({NEWEST})");
        context.warn("record.newer-version", at, String::new(), message);
    }
    Ok(version)
}
