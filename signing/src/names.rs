//! Decides which files of a folder belong to the model.

/// Paths that are never part of a model: Git's own files at the top of the folder.
pub const GIT_PATHS: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// Is the file `name` (relative, `/` between parts) excluded by a path in `ignore` or [`GIT_PATHS`]? Paths are relative
/// to the same folder and exclude everything below them.
pub fn ignored<'p>(name: &str, ignore: impl IntoIterator<Item = &'p str>) -> bool {
    GIT_PATHS.into_iter().chain(ignore).any(|path| below(name, path))
}

fn below(name: &str, path: &str) -> bool {
    let path = path.trim_end_matches('/');
    name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Can `name` be the name of a file of a model, relative and within its folder?
pub(crate) fn is_relative(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('/')
        && !name.contains('\0')
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_take_what_is_below_them_and_nothing_else() {
        for name in [".git", ".git/config", ".gitignore", "cache", "cache/a/b", "x/y"] {
            assert!(ignored(name, ["cache/", "x/y"]), "{name}");
        }
        for name in ["sub/.git", ".gitmodules", "cached", "sub/cache", "x/z"] {
            assert!(!ignored(name, ["cache/", "x/y"]), "{name}");
        }
    }

    #[test]
    fn names_stay_in_their_folder() {
        assert!(is_relative("a/b.model") && is_relative("..a") && is_relative("a:b"));
        for name in ["", "/a", "../a", "a/../b", "a//b", "./a", "a/", "a\0"] {
            assert!(!is_relative(name), "{name:?}");
        }
    }
}
