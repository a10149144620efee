//! Writes a directory of files that appears complete or not at all: it is created under a hidden name beside its
//! destination and renamed once every file is complete.

use super::output::{Exists, folder};
use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Cache folders that Python programs leave in a package.
const CACHES: [&str; 4] = ["__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache"];

/// A directory being written.
pub struct Directory {
    path: PathBuf,
    staging: PathBuf,
    names: &'static [&'static str],
    files: Vec<File>,
    /// Is there a directory of an earlier conversion that may be replaced?
    replaces: bool,
    finished: bool,
}

impl Directory {
    /// Creates the directory under its hidden name and opens the files `names` in it.
    pub fn create(path: &Path, names: &'static [&'static str], overwrite: bool) -> Result<Self> {
        Self::begin(path, names, overwrite).with_context(|| path.display().to_string())
    }

    fn begin(path: &Path, names: &'static [&'static str], overwrite: bool) -> Result<Self> {
        let replaces = match fs::read_dir(path) {
            Ok(entries) => {
                let mut any = false;
                let mut caches = Vec::new();
                for entry in entries {
                    any = true;
                    let entry = entry?;
                    let name = entry.file_name();
                    if CACHES.iter().any(|n| *n == name) && entry.file_type()?.is_dir() {
                        caches.push(entry.path());
                    } else if !names.iter().any(|n| *n == name) {
                        bail!("holds files that are not of a conversion");
                    }
                }
                if any && !overwrite {
                    bail!(Exists);
                }
                // Remove the caches now, because the sandbox does not allow listing folders later. Python creates them
                // again.
                for cache in caches {
                    fs::remove_dir_all(cache)?;
                }
                any
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => false,
            Err(e) => return Err(e.into()),
        };
        let name = path.file_name().context("is not a directory name")?;
        let staging = (0..100u32)
            .map(|attempt| {
                let mut hidden = std::ffi::OsString::from(".");
                hidden.push(name);
                hidden.push(format!(".{}-{attempt}.tmp", std::process::id()));
                folder(path).join(hidden)
            })
            .find_map(|candidate| match fs::create_dir(&candidate) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => None,
                done => Some(done.map(|()| candidate)),
            })
            .context("no free name for a temporary directory")??;
        let mut made = Self { path: path.to_owned(), staging, names, files: Vec::new(), replaces, finished: false };
        for name in names {
            made.files.push(File::create_new(made.staging.join(name))?);
        }
        Ok(made)
    }

    /// The file with this index in the list of names.
    pub fn file(&self, index: usize) -> &File {
        &self.files[index]
    }

    /// Gives the directory its name.
    pub fn finish(mut self) -> Result<()> {
        self.publish().with_context(|| self.path.display().to_string())?;
        self.finished = true;
        Ok(())
    }

    fn publish(&self) -> Result<()> {
        if !self.replaces {
            return Ok(fs::rename(&self.staging, &self.path)?);
        }
        let mut old = self.staging.clone().into_os_string();
        old.push(".old");
        let old = PathBuf::from(old);
        fs::rename(&self.path, &old)?;
        if let Err(e) = fs::rename(&self.staging, &self.path) {
            fs::rename(&old, &self.path)?;
            return Err(e.into());
        }
        remove(&old, self.names);
        Ok(())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.finished {
            remove(&self.staging, self.names);
        }
    }
}

/// Removes the files of a conversion and the directory, as far as possible.
fn remove(path: &Path, names: &[&str]) {
    for name in names {
        let _ = fs::remove_file(path.join(name));
    }
    #[cfg(target_os = "linux")]
    let _ = rustix::fs::unlinkat(rustix::fs::CWD, path, rustix::fs::AtFlags::REMOVEDIR);
    #[cfg(not(target_os = "linux"))]
    let _ = fs::remove_dir(path);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const NAMES: &[&str] = &["a", "b"];

    #[test]
    fn whole_or_not_at_all() {
        let base = std::env::temp_dir().join(format!("cntk2onnx-directory-{}", std::process::id()));
        fs::create_dir_all(&base).unwrap();
        let path = base.join("out");
        let entries = || fs::read_dir(&base).unwrap().count();

        let made = Directory::create(&path, NAMES, false).unwrap();
        made.file(1).write_all(b"first").unwrap();
        assert!(!path.exists());
        drop(made);
        assert_eq!(entries(), 0);

        let made = Directory::create(&path, NAMES, false).unwrap();
        made.file(1).write_all(b"second").unwrap();
        made.finish().unwrap();
        assert_eq!(fs::read(path.join("b")).unwrap(), b"second");
        assert!(Directory::create(&path, NAMES, false).err().unwrap().downcast_ref::<Exists>().is_some());

        let made = Directory::create(&path, NAMES, true).unwrap();
        made.file(1).write_all(b"third").unwrap();
        made.finish().unwrap();
        assert_eq!(fs::read(path.join("b")).unwrap(), b"third");
        assert_eq!(entries(), 1);

        fs::create_dir_all(path.join("__pycache__/more")).unwrap();
        fs::write(path.join("__pycache__/model.pyc"), "").unwrap();
        assert!(Directory::create(&path, NAMES, false).is_err());
        assert!(path.join("__pycache__").exists());
        Directory::create(&path, NAMES, true).unwrap().finish().unwrap();
        assert!(!path.join("__pycache__").exists());
        let made = Directory::create(&path, NAMES, true).unwrap();
        made.file(1).write_all(b"third").unwrap();
        made.finish().unwrap();

        fs::write(path.join("mine"), "").unwrap();
        assert!(Directory::create(&path, NAMES, true).is_err());
        assert_eq!(fs::read(path.join("b")).unwrap(), b"third");
        fs::remove_dir_all(base).unwrap();
    }
}
