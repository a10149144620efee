//! Names of nodes. CNTK does not distinguish upper and lower case in them.

use crate::error::{Error, ErrorKind};
use crate::file::ModelFile;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::{BuildHasher, Hasher};

/// The names of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    /// The name in the file.
    pub(super) key: &'a str,
    /// Its identity in the model.
    pub(super) uid: &'a str,
    /// The identity of its output: `<uid>_Output_0`.
    pub(super) output: &'a str,
    /// The name that the author gave.
    pub(super) name: &'a str,
}

/// The marks with which CNTK 2 joins a uid and a name into one node name.
const UID: &str = "__v2libuid__";
const NAME: &str = "__v2libname__";
const OUTPUT: &str = "_Output_0";

impl<'a> Names<'a> {
    /// The names of the node with this key, whose offset is `at`. An error if it is half of what CNTK 2 joins.
    pub(super) fn new(file: &'a ModelFile<'a>, mut key: String, at: u64) -> Result<Self, Error> {
        let length = key.len();
        let parts = key.split_once(UID).map(|(_, rest)| rest.rsplit_once(NAME).map_or("", |(uid, _)| uid));
        let Some(uid) = parts.filter(|uid| !uid.is_empty()) else {
            if key.contains(UID) && !key.contains(NAME) {
                let expected = "a name after the uid";
                return Err(Error::new(ErrorKind::BadValue { expected, found: key }, at));
            }
            key.push_str(OUTPUT);
            let output = file.keep_text(key);
            let key = output.get(..length).unwrap_or_default();
            return Ok(Self { key, uid: key, output, name: key });
        };
        // For a function, the key may contain the uid of its output.
        let uid = uid.strip_suffix(OUTPUT).unwrap_or(uid).to_owned();
        key.push_str(&uid);
        key.push_str(OUTPUT);
        let all = file.keep_text(key);
        let (key, output) = all.split_at_checked(length).unwrap_or_default();
        let name = key.rsplit_once(NAME).map_or("", |(_, name)| name);
        Ok(Self { key, uid: output.get(..uid.len()).unwrap_or_default(), output, name })
    }
}

/// Nodes by name.
#[derive(Default)]
pub(super) struct Index {
    nodes: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Index {
    /// Adds the last node of `names`, unless another node has its name.
    pub(super) fn insert(&mut self, names: &[Names<'_>], at: u64) -> Result<(), Error> {
        let Some(((last, _), number)) = names.split_last().zip(u32::try_from(names.len().saturating_sub(1)).ok())
        else {
            return Ok(());
        };
        let hash = hash_of(&self.hasher, last.key);
        if self.nodes.find(hash, |other| is(names, *other, last.key)).is_some() {
            return Err(Error::new(ErrorKind::DuplicateNode { name: last.key.to_owned() }, at));
        }
        self.nodes.insert_unique(hash, number, |other| {
            hash_of(&self.hasher, names.get(*other as usize).map_or("", |names| names.key))
        });
        Ok(())
    }

    /// The node with this name.
    pub(super) fn find(&self, names: &[Names<'_>], name: &str) -> Option<u32> {
        let hash = hash_of(&self.hasher, name);
        self.nodes.find(hash, |other| is(names, *other, name)).copied()
    }
}

/// The hash of a name in lower case.
fn hash_of(builder: &DefaultHashBuilder, name: &str) -> u64 {
    let mut hasher = builder.build_hasher();
    for chunk in name.as_bytes().chunks(32) {
        let mut lower = [0; 32];
        for (to, from) in lower.iter_mut().zip(chunk) {
            *to = from.to_ascii_lowercase();
        }
        hasher.write(&lower);
    }
    hasher.write_usize(name.len());
    hasher.finish()
}

fn is(names: &[Names<'_>], number: u32, name: &str) -> bool {
    names.get(number as usize).is_some_and(|names| names.key.eq_ignore_ascii_case(name))
}
