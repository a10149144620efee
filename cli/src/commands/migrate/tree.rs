//! Finds the files of a tree, recognises CNTK's, and names their outputs.

use crate::sibling;
use cntk_parser::{FileKind, Limits, ModelFile};
use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::Read,
    path::Path,
};

/// How many bytes of a file are read to recognise it.
const HEAD: u64 = 4096;
/// The suffixes of CNTK's files. A file with such a suffix is reported whatever it contains.
const SUFFIXES: [&str; 4] = ["model", "dnn", "cmf", "ckp"];
/// An entry of the tree that is not a folder.
pub struct Item {
    /// The path relative to the tree, with `/` between parts.
    pub name: String,
    /// Its size in bytes, if it is a file.
    pub size: u64,
    pub found: Found,
}

pub enum Found {
    /// A file to convert. The paths of its outputs begin with `stem`, relative to the folder of results.
    Model {
        stem: String,
    },
    /// Not a CNTK file: its kind, if it is a regular file, and a description.
    Other {
        kind: Option<FileKind>,
        what: String,
    },
    Unreadable(String),
}

/// Everything below `root` except for `out`, sorted by name. Links to files are followed; links to folders are not, so
/// that the search ends.
pub fn find(root: &Path, out: Option<&Path>) -> Vec<Item> {
    let mut items = vec![];
    let mut waiting = vec![(root.to_owned(), String::new())];
    while let Some((folder, prefix)) = waiting.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                items.push(Item { name: prefix + ".", size: 0, found: unreadable(&error) });
                continue;
            }
        };
        for entry in entries {
            let Ok(entry) = entry else { continue };
            let path = entry.path();
            let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else {
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                items.push(Item { name, size: 0, found: Found::Unreadable("its name is not UTF-8".to_owned()) });
                continue;
            };
            let linked = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            let metadata = fs::metadata(&path);
            let size = metadata.as_ref().map_or(0, |file| if file.is_file() { file.len() } else { 0 });
            let found = match metadata {
                Ok(kind) if kind.is_dir() && linked => other("a link to a folder"),
                Ok(kind) if kind.is_dir() => {
                    if out.is_none_or(|out| out != path) {
                        waiting.push((path, name + "/"));
                    }
                    continue;
                }
                Ok(kind) if kind.is_file() => look(&path),
                Ok(_) => other("no regular file"),
                Err(error) => unreadable(&error),
            };
            items.push(Item { name, size, found });
        }
    }
    items.sort_by(|a, b| a.name.cmp(&b.name));
    name_outputs(&mut items);
    items
}

fn other(what: &str) -> Found {
    Found::Other { kind: None, what: what.to_owned() }
}

fn unreadable(error: &std::io::Error) -> Found {
    Found::Unreadable(crate::terminal::without_number(&error.to_string()))
}

/// Recognises a file by its first bytes.
fn look(path: &Path) -> Found {
    let model = Found::Model { stem: String::new() };
    let named =
        path.extension().and_then(|s| s.to_str()).is_some_and(|s| SUFFIXES.iter().any(|k| s.eq_ignore_ascii_case(k)));
    let mut head = vec![];
    match File::open(path) {
        Ok(_) if named => return model,
        Ok(file) => {
            if let Err(error) = file.take(HEAD).read_to_end(&mut head) {
                return unreadable(&error);
            }
        }
        Err(error) => return unreadable(&error),
    }
    let Err(error) = cntk_parser::parse(&ModelFile::new(&head), &Limits::default()) else { return model };
    match FileKind::of(&head, Some(&error)) {
        kind if kind.is_cntk() => model,
        kind => Found::Other { kind: Some(kind), what: error.to_string() },
    }
}

/// Names each output after its file, without the suffix if that is unique in the folder (ignoring case).
fn name_outputs(items: &mut [Item]) {
    let mut counts: HashMap<String, u32> = HashMap::new();
    for item in items.iter().filter(|i| matches!(i.found, Found::Model { .. })) {
        *counts.entry(short(&item.name).to_lowercase()).or_default() += 1;
    }
    let mut taken = HashSet::new();
    for item in items {
        let Found::Model { stem } = &mut item.found else { continue };
        let alone = counts.get(&short(&item.name).to_lowercase()) == Some(&1);
        let wanted = if alone { short(&item.name) } else { &item.name };
        *stem = wanted.to_owned();
        let mut number = 2;
        while !taken.insert(stem.to_lowercase()) {
            *stem = format!("{wanted}-{number}");
            number += 1;
        }
    }
}

/// A name without its suffix. `X.dnn.7`, a model of training, keeps all of its name.
fn short(name: &str) -> &str {
    let start = name.rfind('/').map_or(0, |slash| slash + 1);
    match name.rfind('.') {
        Some(dot) if dot > start && !sibling::is_epoch(&name[dot + 1..]) => &name[..dot],
        _ => name,
    }
}

/// Removes the hidden files and folders that killed workers left below `folder`.
pub fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if entry.file_name().to_str().is_some_and(is_temporary) {
            let _ = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        } else if is_folder {
            sweep(&path);
        }
    }
}

/// Is this `.NAME.PROCESS-ATTEMPT.tmp`, the name of an incomplete output?
fn is_temporary(name: &str) -> bool {
    let numbers = name.strip_prefix('.').and_then(|n| n.strip_suffix(".tmp").or_else(|| n.strip_suffix(".tmp.old")));
    let Some((process, attempt)) = numbers.and_then(|n| n.rsplit_once('.')).and_then(|(_, n)| n.split_once('-')) else {
        return false;
    };
    [process, attempt].iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<String> {
        let item =
            |name: &&str| Item { name: (*name).to_owned(), size: 0, found: Found::Model { stem: String::new() } };
        let mut items: Vec<_> = names.iter().map(item).collect();
        name_outputs(&mut items);
        let stem = |item: &Item| match &item.found {
            Found::Model { stem } => stem.clone(),
            _ => unreachable!("all are models"),
        };
        items.iter().map(stem).collect()
    }

    #[test]
    fn outputs_have_names_of_their_own() {
        assert_eq!(named(&["a/net.model", "b/net.model", "c", "a.b/c"]), ["a/net", "b/net", "c", "a.b/c"]);
        assert_eq!(named(&["net.dnn", "net.model", "net.model.model"]), ["net.dnn", "net.model", "net.model-2"]);
        assert_eq!(named(&["Net.model", "net.model"]), ["Net.model", "net.model-2"]);
        assert_eq!(named(&[".model", "x.7.model"]), [".model", "x.7"]);
        assert_eq!(named(&["net.dnn.7", "a/net.dnn", "a/net.dnn.1"]), ["net.dnn.7", "a/net", "a/net.dnn.1"]);
    }

    #[test]
    fn leftovers_are_known() {
        assert!(
            is_temporary(".net_pytorch.123-0.tmp")
                && is_temporary(".net.onnx.7-12.tmp")
                && is_temporary(".a.1-0.tmp.old")
        );
        assert!(!is_temporary("net.onnx") && !is_temporary(".net.tmp") && !is_temporary(".cntk2onnx.jsonl"));
    }
}
