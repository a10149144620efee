//! Writes files that appear complete or not at all.
//!
//! On Linux a file has no name until it is complete, so that nothing is left behind, even after a signal. On a file
//! system without unnamed files, it has a hidden name in the same folder and is removed on failure or renamed on
//! success.

use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// A file being written.
pub struct Output {
    path: PathBuf,
    file: File,
    kind: Kind,
    overwrite: bool,
}

/// How a file gets its name.
enum Kind {
    /// A device or a pipe, which has one.
    Device,
    /// It has no name yet.
    Unnamed,
    /// It has this one until it is complete.
    Hidden(PathBuf),
}

impl Output {
    /// Opens a file that will get the name `path`. An existing file is not touched before [`finish`](Self::finish).
    ///
    /// # Errors
    ///
    /// There is such a file already ([`Exists`]), or none can be made.
    pub fn create(path: &Path, overwrite: bool) -> Result<Self> {
        let begin = || -> Result<Self> {
            let mut path = path.to_owned();
            if let Ok(found) = fs::metadata(&path) {
                if found.is_dir() {
                    bail!("is a directory");
                }
                if !found.is_file() {
                    // A device or a pipe cannot be replaced, only written to.
                    let file = OpenOptions::new().write(true).open(&path)?;
                    return Ok(Self { path, file, kind: Kind::Device, overwrite: true });
                }
                if !overwrite {
                    bail!(Exists);
                }
                // Follow a symbolic link, so that the link itself is kept.
                path = fs::canonicalize(path)?;
            }
            if let Some(file) = unnamed(folder(&path)) {
                return Ok(Self { path, file, kind: Kind::Unnamed, overwrite });
            }
            let (file, name) = sibling(&path, |p| OpenOptions::new().write(true).create_new(true).open(p))?;
            Ok(Self { path, file, kind: Kind::Hidden(name), overwrite })
        };
        begin().with_context(|| path.display().to_string())
    }

    /// The file, to be written to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The folder in which the file will be, with links resolved.
    pub fn folder(&self) -> &Path {
        folder(&self.path)
    }

    /// Gives the file its name.
    ///
    /// # Errors
    ///
    /// As [`Self::create`].
    pub fn finish(mut self) -> Result<()> {
        self.publish().with_context(|| self.path.display().to_string())
    }

    fn publish(&mut self) -> Result<()> {
        if let Kind::Unnamed = self.kind {
            match link(&self.file, &self.path) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && self.overwrite => {
                    let ((), name) = sibling(&self.path, |p| link(&self.file, p))?;
                    self.kind = Kind::Hidden(name);
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => bail!(Exists),
                done => return Ok(done?),
            }
        }
        let Kind::Hidden(name) = &self.kind else { return Ok(()) };
        if !self.overwrite && self.path.exists() {
            bail!(Exists);
        }
        fs::rename(name, &self.path)?;
        self.kind = Kind::Unnamed;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Kind::Hidden(path) = &self.kind {
            let _ = fs::remove_file(path);
        }
    }
}

/// The error for an output that exists and must not be overwritten.
#[derive(Debug)]
pub struct Exists;

impl std::fmt::Display for Exists {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("exists already")
    }
}

impl std::error::Error for Exists {}

/// The directory that a file is in.
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Tries hidden names beside `path` until one is free.
fn sibling<T>(path: &Path, mut make: impl FnMut(&Path) -> io::Result<T>) -> io::Result<(T, PathBuf)> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    for attempt in 0u32.. {
        let mut candidate = name.clone();
        candidate.push(format!(".{}-{attempt}.tmp", std::process::id()));
        let candidate = folder(path).join(candidate);
        match make(&candidate) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => {}
            done => return done.map(|made| (made, candidate)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(target_os = "linux")]
fn unnamed(folder: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags};
    let mode = Mode::from_raw_mode(0o666);
    rustix::fs::open(folder, OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, mode).ok().map(File::from)
}

#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    use rustix::{
        fs::{AtFlags, CWD, linkat},
        io::Errno,
    };
    use std::os::fd::AsRawFd;
    // Linux before 6.10 refuses this to processes without privileges, later ones if rights were given up since it was opened.
    match linkat(file, "", CWD, path, AtFlags::EMPTY_PATH) {
        Err(Errno::NOENT | Errno::PERM | Errno::ACCESS | Errno::INVAL) => {}
        done => return Ok(done?),
    }
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, name, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path) -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn folder_of(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("cntk2onnx-output-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_is_seen_until_it_is_whole() {
        let folder = folder_of("whole");
        let path = folder.join("out");
        let output = Output::create(&path, false).unwrap();
        output.file().write_all(b"first").unwrap();
        assert!(!path.exists());
        drop(output);
        assert!(names(&folder).is_empty());

        let output = Output::create(&path, false).unwrap();
        output.file().write_all(b"second").unwrap();
        output.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");

        assert!(Output::create(&path, false).err().unwrap().downcast_ref::<Exists>().is_some());
        let output = Output::create(&path, true).unwrap();
        output.file().write_all(b"third").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        output.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third");
        assert_eq!(names(&folder), ["out"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn one_that_came_meanwhile_is_kept() {
        let folder = folder_of("race");
        let path = folder.join("out");
        let output = Output::create(&path, false).unwrap();
        fs::write(&path, "theirs").unwrap();
        assert!(output.finish().is_err());
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(&folder), ["out"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn devices_are_written_to() {
        let output = Output::create(Path::new("/dev/null"), false).unwrap();
        output.finish().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
