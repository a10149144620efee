//! Finds the files that a command line names, and the models in the directories that it names.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

const SUFFIXES: [&str; 3] = ["model", "dnn", "cmf"];

/// The files that were found.
#[derive(Default)]
pub struct Found {
    pub paths: Vec<PathBuf>,
    /// Directories and entries that could not be read, each with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
    /// The number of files in directories that do not have a model's suffix.
    pub skipped: u64,
}

/// Finds the named files and the models in the named directories, in the given order; within a directory, sorted by
/// name. Entries that cannot be read do not stop the search. Symbolic links to directories are not followed, so that it
/// ends.
pub fn models(inputs: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for input in inputs {
        if !input.is_dir() {
            found.paths.push(input.clone());
            continue;
        }
        let mut waiting = vec![input.clone()];
        while let Some(folder) = waiting.pop() {
            let (mut folders, mut files) = (vec![], vec![]);
            let mut look = |found: &mut Found| -> io::Result<()> {
                for entry in fs::read_dir(&folder)? {
                    let entry = entry?;
                    let path = entry.path();
                    match entry.file_type() {
                        Ok(kind) if kind.is_dir() => folders.push(path),
                        Ok(kind) if is_model(&path) && (kind.is_file() || path.is_file()) => files.push(path),
                        Ok(_) => found.skipped += 1,
                        Err(error) => found.unreadable.push((path, error.to_string())),
                    }
                }
                Ok(())
            };
            if let Err(error) = look(&mut found) {
                found.unreadable.push((folder.clone(), error.to_string()));
            }
            files.sort();
            folders.sort();
            found.paths.append(&mut files);
            waiting.extend(folders.into_iter().rev());
        }
    }
    found
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
        let Found { paths: all, skipped, .. } = models(&[root.clone(), given.clone()]);
        assert_eq!(skipped, 2);
        let names: Vec<_> = all.iter().map(|p| p.strip_prefix(&root).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["z.model", "a/y.model", "b/1.CMF", "b/2.dnn", "b/deep/x.model", "a/notes.txt"]);
        fs::remove_dir_all(root).unwrap();
    }
}
