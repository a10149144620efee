//! The signed statement: the files and their digests.

use crate::{Error, key::hex, names};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://model_signing/signature/v1.0";

/// The files of a model and their digests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// The model's name, that of its folder or file. It is informational only.
    pub model: String,
    /// The files, or ranges of files, sorted by name.
    pub resources: Vec<Resource>,
    /// How the files were listed and hashed.
    pub serialization: Serialization,
}

/// A file of a model, or a range of bytes of one ([`range_name`]).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Resource {
    /// The path relative to the model's folder, with `/` between parts.
    pub name: String,
    /// The digest in lower-case hexadecimal.
    pub digest: String,
    /// The algorithm of the digest: `sha256`.
    pub algorithm: String,
}

impl Resource {
    /// A file of this name with this SHA-256.
    pub fn new(name: impl Into<String>, sha256: [u8; 32]) -> Self {
        Self { name: name.into(), digest: hex(&sha256), algorithm: "sha256".to_owned() }
    }
}

/// How the files were listed and hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Serialization {
    /// `files`, or `shards`: pieces of files, each with a digest of its own.
    pub method: String,
    /// The digest: `sha256`.
    pub hash_type: String,
    /// The size of a shard in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub shard_size: Option<u64>,
    /// Were links followed?
    pub allow_symlinks: bool,
    /// The paths that were left out, relative to the model's folder.
    #[serde(default)]
    pub ignore_paths: Vec<String>,
}

/// The name of a range of a file's bytes, from `start` to before `end`.
pub fn range_name(file: &str, start: u64, end: u64) -> String {
    format!("{file}:{start}:{end}")
}

/// A difference from the signed files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// The file has other content.
    Changed(String),
    /// The file does not exist any more.
    Removed(String),
    /// The file did not exist when the model was signed.
    Added(String),
}

impl Statement {
    /// A statement on these files, in any order. `ignore` are the paths that were left out, besides Git's.
    ///
    /// # Errors
    ///
    /// [`Error::Bundle`]: there is no file, or a name is not relative.
    pub fn new(model: impl Into<String>, mut resources: Vec<Resource>, ignore: &[String]) -> Result<Self, Error> {
        resources.sort();
        let ignore_paths = names::GIT_PATHS.into_iter().map(str::to_owned).chain(ignore.iter().cloned()).collect();
        let serialization = Serialization {
            method: "files".to_owned(),
            hash_type: "sha256".to_owned(),
            shard_size: None,
            allow_symlinks: false,
            ignore_paths,
        };
        let statement = Self { model: model.into(), resources, serialization };
        statement.check()?;
        Ok(statement)
    }

    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Error> {
        let raw: Raw = serde_json::from_slice(payload).map_err(|e| Error::bundle(format!("its statement: {e}")))?;
        if raw.kind != STATEMENT {
            return Err(Error::bundle("its payload is not an in-toto statement v1"));
        }
        if raw.predicate_type != PREDICATE {
            return Err(Error::bundle(format!("the predicate is {:?}", raw.predicate_type)));
        }
        let [subject] = <[Subject; 1]>::try_from(raw.subject).map_err(|_| Error::bundle("there is not one subject"))?;
        if subject.name.is_empty() {
            return Err(Error::bundle("the subject has no name"));
        }
        let Predicate { resources, serialization } = raw.predicate;
        let statement = Self { model: subject.name, resources, serialization };
        statement.check()?;
        if subject.digest.get("sha256") != Some(&statement.root()) {
            return Err(Error::bundle("the subject's digest is not that of the files listed"));
        }
        Ok(statement)
    }

    fn check(&self) -> Result<(), Error> {
        let Serialization { method, hash_type, shard_size, .. } = &self.serialization;
        match (&**method, shard_size) {
            ("files", None) | ("shards", Some(1..)) => {}
            _ => return Err(Error::bundle("the serialization is neither \"files\" nor \"shards\" with a size")),
        }
        if matches!(&**hash_type, "blake2b" | "blake3") {
            return Err(Error::Unsupported("the files are hashed with BLAKE2b or BLAKE3; only SHA-256 is supported"));
        }
        if self.resources.is_empty() {
            return Err(Error::bundle("no file is listed"));
        }
        for resource in &self.resources {
            let Resource { name, digest, algorithm } = resource;
            // The reference implementation uses this name for shards.
            let sharded = shard_size.map(|size| format!("sha256-sharded-{size}"));
            if hash_type != "sha256" || (algorithm != "sha256" && Some(algorithm) != sharded.as_ref()) {
                return Err(Error::bundle(format!("{name:?} is hashed with {algorithm:?}")));
            }
            if digest.len() != 64 || !digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
                return Err(Error::bundle(format!("the digest of {name:?} is no SHA-256")));
            }
            // The reference implementation calls a model of one file ".".
            if name != "." && !names::is_relative(name) {
                return Err(Error::bundle(format!("{name:?} is no relative name")));
            }
        }
        let mut sorted: Vec<_> = self.resources.iter().map(|r| &r.name).collect();
        sorted.sort();
        if sorted.windows(2).any(|two| two[0] == two[1]) {
            return Err(Error::bundle("a file is listed twice"));
        }
        Ok(())
    }

    /// The digest of all digests, in the order listed.
    fn root(&self) -> String {
        let mut state = Sha256::new();
        for resource in &self.resources {
            let digit = |b: u8| if b.is_ascii_digit() { b - b'0' } else { b - b'a' + 10 };
            for two in resource.digest.as_bytes().chunks_exact(2) {
                state.update([digit(two[0]) << 4 | digit(two[1])]);
            }
        }
        hex(&state.finalize())
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        let raw = Raw {
            kind: STATEMENT.to_owned(),
            subject: vec![Subject {
                name: self.model.clone(),
                digest: BTreeMap::from([("sha256".to_owned(), self.root())]),
            }],
            predicate_type: PREDICATE.to_owned(),
            predicate: Predicate { resources: self.resources.clone(), serialization: self.serialization.clone() },
        };
        // Maps with text keys, and no numbers but integers: nothing that JSON cannot hold.
        serde_json::to_vec_pretty(&raw).unwrap_or_default()
    }

    /// The differences between the signed files and those `found`, sorted. The latter must be listed and hashed as
    /// [`serialization`](Self::serialization) says.
    pub fn differences(&self, found: &[Resource]) -> Vec<Difference> {
        let digests = |all: &[Resource]| -> BTreeMap<String, String> {
            all.iter().map(|r| (r.name.clone(), r.digest.clone())).collect()
        };
        let (signed, mut found) = (digests(&self.resources), digests(found));
        let mut differences = vec![];
        for (name, digest) in signed {
            match found.remove(&name) {
                Some(now) if now == digest => {}
                Some(_) => differences.push(Difference::Changed(name)),
                None => differences.push(Difference::Removed(name)),
            }
        }
        differences.extend(found.into_keys().map(Difference::Added));
        differences.sort();
        differences
    }

    /// The signed digest of the file at `path` (with `/` between parts, links resolved): that of the resource whose
    /// name is the longest suffix of the path, or that of the only resource of a bundle on a single file.
    pub fn digest_of(&self, path: &str) -> Option<&str> {
        if self.serialization.method != "files" {
            return None;
        }
        let ends =
            |name: &str| path.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('/'));
        let longest = self.resources.iter().filter(|r| ends(&r.name)).max_by_key(|r| r.name.len());
        let single = || self.resources.first().filter(|r| self.resources.len() == 1 && r.name == ".");
        longest.or_else(single).map(|r| &*r.digest)
    }
}

/// A whole number, which the reference implementation writes with a fraction of 0.
fn whole<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let number = f64::deserialize(from)?;
    if number.fract() != 0.0 || !(1.0..=9e15).contains(&number) {
        return Err(serde::de::Error::custom("the shard size is not a whole number"));
    }
    Ok(Some(number as u64))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Serialize, Deserialize)]
struct Subject {
    name: String,
    digest: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    resources: Vec<Resource>,
    serialization: Serialization,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[(&str, u8)]) -> Vec<Resource> {
        names.iter().map(|(name, byte)| Resource::new(*name, [*byte; 32])).collect()
    }

    #[test]
    fn a_statement_is_read_as_it_was_written() {
        let statement = Statement::new("m", files(&[("b", 1), ("a/c", 2)]), &["x.sig".to_owned()]).unwrap();
        assert_eq!(statement.resources[0].name, "a/c");
        assert_eq!(Statement::parse(&statement.to_json()).unwrap(), statement);
    }

    #[test]
    fn differences_are_named() {
        let signed = Statement::new("m", files(&[("same", 1), ("changed", 2), ("removed", 3)]), &[]).unwrap();
        let now = files(&[("added", 9), ("changed", 8), ("same", 1)]);
        let [changed, removed, added] = ["changed", "removed", "added"].map(str::to_owned);
        assert_eq!(
            signed.differences(&now),
            [Difference::Changed(changed), Difference::Removed(removed), Difference::Added(added)]
        );
        assert!(signed.differences(&signed.resources).is_empty());
    }

    #[test]
    fn a_digest_belongs_to_the_end_of_a_path() {
        let signed = Statement::new("m", files(&[("m.model", 1), ("a/m.model", 2)]), &[]).unwrap();
        assert_eq!(signed.digest_of("/data/a/m.model"), Some(&*"02".repeat(32)));
        assert_eq!(signed.digest_of("/data/m.model"), Some(&*"01".repeat(32)));
        assert_eq!(signed.digest_of("/data/xm.model"), None);
    }

    #[test]
    fn the_size_of_shards_may_have_a_fraction_of_zero() {
        let mut shards = Statement::new("m", files(&[("a:0:5", 1)]), &[]).unwrap();
        (shards.serialization.method, shards.serialization.shard_size) = ("shards".to_owned(), Some(5));
        let text = String::from_utf8(shards.to_json()).unwrap();
        for (size, good) in
            [("5", true), ("5.0", true), ("5.5", false), ("0.0", false), ("-5", false), ("1e300", false)]
        {
            let text = text.replace("\"shard_size\": 5", &format!("\"shard_size\": {size}"));
            assert_eq!(Statement::parse(text.as_bytes()).is_ok(), good, "{size}");
        }
    }

    #[test]
    fn statements_that_do_not_hold_together_are_refused() {
        let good =
            String::from_utf8(Statement::new("m", files(&[("a", 1), ("b", 2)]), &[]).unwrap().to_json()).unwrap();
        for (what, with) in [
            ("\"name\": \"b\"", "\"name\": \"a\""),
            ("\"name\": \"b\"", "\"name\": \"../b\""),
            ("\"name\": \"b\"", "\"name\": \"/b\""),
            ("0202", "0203"),
            ("0202", "020G"),
            ("\"sha256\",\n", "\"md5\",\n"),
            ("\"hash_type\": \"sha256\"", "\"hash_type\": \"blake3\""),
            ("\"files\"", "\"shards\""),
            ("signature/v1.0", "signature/v1.1"),
            ("Statement/v1", "Statement/v0.1"),
            ("\"predicate\": {", "\"predicate\": {\"more\": 1,"),
        ] {
            assert!(good.contains(what), "{what}");
            assert!(Statement::parse(good.replace(what, with).as_bytes()).is_err(), "{what} -> {with}");
        }
        assert!(Statement::new("m", vec![], &[]).is_err());
    }
}
