//! The keys that make a function record a block.

use super::record::{composite_version, expect_type, required, typed, warn_unknown};
use crate::context::Context;
use crate::dictionary::{Dictionary, RawEntry, Vector, list};
use crate::error::{Error, ErrorKind};
use crate::model::Block;

const RECORD: &str = "block";
const NAME: &str = "block_function_op_name";
const COMPOSITE: &str = "block_function_composite";
const KEYS: &str = "block_function_composite_arguments_map_keys";
const VALUES: &str = "block_function_composite_arguments_map_values";

/// The block's keys that were read so far.
#[derive(Default)]
pub(super) struct Parts<'a> {
    name: Option<&'a str>,
    composite: Option<(&'a str, &'a str)>,
    keys: Option<Vector<'a>>,
    values: Option<Vector<'a>>,
    first: Option<RawEntry<'a>>,
}

impl<'a> Parts<'a> {
    /// Takes an entry; false if its key is not one of a block's.
    pub(super) fn take(
        &mut self,
        entry: &RawEntry<'a>,
        index: usize,
        context: &mut Context<'_>,
    ) -> Result<bool, Error> {
        match entry.key {
            NAME => self.name = Some(typed(entry)?),
            COMPOSITE => {
                let composite = typed(entry)?;
                self.composite = Some(read_composite(composite, index, context).map_err(|e| e.in_key(COMPOSITE))?);
            }
            KEYS => self.keys = Some(typed(entry)?),
            VALUES => self.values = Some(typed(entry)?),
            _ => return Ok(false),
        }
        self.first.get_or_insert(*entry);
        Ok(true)
    }

    /// Warns of a block's keys in a primitive.
    pub(super) fn warn_strays(&self, index: usize, context: &mut Context<'_>) {
        if let Some(entry) = &self.first {
            warn_unknown(context, "primitive function", entry, || format!("primitive_functions[{index}]"));
        }
    }

    /// The block. All four keys must be present, and the two halves of the map must have the same length.
    pub(super) fn finish(&self, record: Dictionary<'a>, context: &mut Context<'_>) -> Result<Block<'a>, Error> {
        let op_name = required(self.name, RECORD, NAME, record)?;
        let (root, uid) = required(self.composite, RECORD, COMPOSITE, record)?;
        let keys = required(self.keys, RECORD, KEYS, record)?;
        let values = required(self.values, RECORD, VALUES, record)?;
        context.budget.spend::<(&str, &str)>(keys.len().max(values.len()).saturating_mul(2), keys.at())?;
        let keys: Vec<&str> = list(keys).map_err(|e| e.in_key(KEYS))?;
        let (at, values) = (values.at(), list::<&str>(values).map_err(|e| e.in_key(VALUES))?);
        if keys.len() != values.len() {
            let kind = ErrorKind::BlockMap { keys: keys.len() as u64, values: values.len() as u64 };
            return Err(Error::new(kind, at).in_key(VALUES));
        }
        Ok(Block { op_name, root, uid, arguments: keys.into_iter().zip(values).collect() })
    }
}

/// Root and uid of the inner composite.
fn read_composite<'a>(
    record: Dictionary<'a>,
    index: usize,
    context: &mut Context<'_>,
) -> Result<(&'a str, &'a str), Error> {
    let path = || format!("primitive_functions[{index}].{COMPOSITE}");
    let (mut kind, mut version, mut root, mut uid) = (None, None, None, None);
    for entry in record.raw() {
        let entry = entry?;
        match entry.key {
            "type" => kind = Some(typed::<&str>(&entry)?),
            "version" => version = Some(composite_version(&entry, context, path)?),
            "root" => root = Some(typed(&entry)?),
            "uid" => uid = Some(typed(&entry)?),
            "name" => {
                typed::<&str>(&entry)?;
            }
            "state" => {
                typed::<Dictionary<'a>>(&entry)?;
            }
            _ => warn_unknown(context, "block's composite", &entry, path),
        }
    }
    let name = "block's composite";
    expect_type(record, required(kind, name, "type", record)?, "CompositeFunction")?;
    required(version, name, "version", record)?;
    Ok((required(root, name, "root", record)?, required(uid, name, "uid", record)?))
}
