//! Decides whether the weights can stay in the CNTK file: which locations of external data ONNX's readers accept.

use anyhow::{Context, Result, bail};
use std::{
    fs::{self, Metadata},
    path::{Component, Path},
};

/// The location of `model` relative to the directory of the ONNX file, or the reason why readers would refuse it.
pub fn location(model: &Path, folder: &Path) -> Result<String> {
    let link = fs::symlink_metadata(model).with_context(|| model.display().to_string())?;
    let refuse = |reason: &str| anyhow::anyhow!("weights cannot stay in {}: {reason}", model.display());
    if link.is_symlink() {
        return Err(refuse("it is a symbolic link, which ONNX's readers refuse"));
    }
    if !link.is_file() {
        return Err(refuse("it is not a regular file"));
    }
    if hard_links(&link) > 1 {
        return Err(refuse("it has more than one hard link, which ONNX's readers refuse"));
    }
    let file = fs::canonicalize(model).with_context(|| model.display().to_string())?;
    let folder = fs::canonicalize(folder).with_context(|| folder.display().to_string())?;
    let Ok(relative) = file.strip_prefix(&folder) else {
        return Err(refuse("OUT must be in the model's directory or above it"));
    };
    relative_location(relative).ok_or_else(|| refuse("its path is not Unicode"))
}

/// The location of a file in the directory of the ONNX file.
pub fn beside(name: &std::ffi::OsStr) -> Result<String> {
    match name.to_str() {
        Some(name) => Ok(name.to_owned()),
        None => bail!("{}: the name is not Unicode, so an ONNX file cannot point to it", Path::new(name).display()),
    }
}

fn relative_location(path: &Path) -> Option<String> {
    let parts = path.components().map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

#[cfg(unix)]
fn hard_links(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn hard_links(_: &Metadata) -> u64 {
    1
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_readers_refuse_is_refused() {
        let root = std::env::temp_dir().join(format!("cntk2onnx-place-{}", std::process::id()));
        fs::create_dir_all(root.join("sub")).unwrap();
        let model = root.join("sub/é.model");
        fs::write(&model, "x").unwrap();
        assert_eq!(location(&model, &root).unwrap(), "sub/é.model");
        assert_eq!(location(&model, &root.join("sub")).unwrap(), "é.model");
        fs::create_dir_all(root.join("other")).unwrap();
        let says = |model: &Path, folder: &Path| location(model, folder).unwrap_err().to_string();
        assert!(says(&model, &root.join("other")).contains("or above it"));
        let link = root.join("link.model");
        std::os::unix::fs::symlink(&model, &link).unwrap();
        assert!(says(&link, &root).contains("symbolic link"));
        fs::hard_link(&model, root.join("twin.model")).unwrap();
        assert!(says(&model, &root).contains("hard link"));
        assert!(says(&root.join("sub"), &root).contains("regular"));
        fs::remove_dir_all(root).unwrap();
    }
}
