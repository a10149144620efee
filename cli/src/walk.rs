//! The files that a command line means: those it names, and the models in directories it names.

use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

const SUFFIXES: [&str; 3] = ["model", "dnn", "cmf"];

/// The named files and the models in the named directories, in the order given; within a directory sorted by name.
/// Symbolic links to directories are not followed, so that the search ends.
pub fn models(inputs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = vec![];
    for input in inputs {
        if !input.is_dir() {
            found.push(input.clone());
            continue;
        }
        let mut waiting = vec![input.clone()];
        while let Some(folder) = waiting.pop() {
            let (mut folders, mut files) = (vec![], vec![]);
            let place = || folder.display().to_string();
            for entry in fs::read_dir(&folder).with_context(place)? {
                let entry = entry.with_context(place)?;
                let kind = entry.file_type().with_context(place)?;
                let path = entry.path();
                if kind.is_dir() {
                    folders.push(path);
                } else if is_model(&path) && (kind.is_file() || path.is_file()) {
                    files.push(path);
                }
            }
            files.sort();
            folders.sort();
            found.append(&mut files);
            waiting.extend(folders.into_iter().rev());
        }
    }
    Ok(found)
}

fn is_model(path: &Path) -> bool {
    let suffix = path.extension().and_then(|s| s.to_str());
    suffix.is_some_and(|s| SUFFIXES.iter().any(|known| s.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_models_in_order() {
        let root = std::env::temp_dir().join(format!("cntk2onnx-walk-{}", std::process::id()));
        fs::create_dir_all(root.join("b/deep")).unwrap();
        fs::create_dir_all(root.join("a")).unwrap();
        for file in ["z.model", "b/2.dnn", "b/1.CMF", "b/deep/x.model", "a/y.model", "a/notes.txt", "b/model"] {
            fs::write(root.join(file), "").unwrap();
        }
        let given = root.join("a/notes.txt");
        let all = models(&[root.clone(), given.clone()]).unwrap();
        let names: Vec<_> = all.iter().map(|p| p.strip_prefix(&root).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["z.model", "a/y.model", "b/1.CMF", "b/2.dnn", "b/deep/x.model", "a/notes.txt"]);
        fs::remove_dir_all(root).unwrap();
    }
}
