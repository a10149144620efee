//! What training leaves beside a model, told by the names of the files: CNTK 1 saves `X.1`, `X.2`, … after the epochs
//! before the last, and both formats keep the trainer's state in `X.ckp`.

use cntk_parser::FileKind;
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// A file whose name says that another one has the finished model.
pub struct Sibling {
    stage: Stage,
    /// The other file.
    model: PathBuf,
    /// Does it exist? `None` if that cannot be found out.
    exists: Option<bool>,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// A model after so many epochs; 0 is the one that training began with.
    Epoch(u32),
    /// The state of the trainer.
    Checkpoint,
}

impl Sibling {
    /// What the name of a file says, `None` if it says nothing.
    pub fn of(path: &Path) -> Option<Self> {
        let (stage, mut model) = split(path)?;
        let mut exists = model.try_exists().ok();
        // The state after an epoch: if that epoch's model is gone, the finished one may be there.
        if let (Some(false), Some((Stage::Epoch(_), finished))) = (exists, split(&model))
            && finished.try_exists().is_ok_and(|is| is)
        {
            (model, exists) = (finished, Some(true));
        }
        Some(Self { stage, model, exists })
    }

    /// What to tell the user about a file of this kind.
    pub fn hint(&self, kind: FileKind) -> Option<String> {
        let model = self.model.display();
        let place = match self.exists {
            Some(true) => ", which lies beside it",
            Some(false) => ", which does not lie beside it",
            None => "",
        };
        match (&self.stage, kind) {
            (Stage::Epoch(0), FileKind::CntkV1) => Some(format!(
                "by its name, this is the model before the first epoch of training; the finished one is {model}{place}"
            )),
            (Stage::Epoch(n), FileKind::CntkV1) => Some(format!(
                "by its name, this is the model after epoch {n} of training; the finished one is {model}{place}"
            )),
            (Stage::Checkpoint, FileKind::Checkpoint) => Some(format!("the model is in {model}{place}")),
            _ => None,
        }
    }
}

/// The name of a file without its suffix; `X.dnn.7` keeps all of its name, so that results of several epochs differ.
pub fn stem(path: &Path) -> OsString {
    let epoch = path.extension().and_then(OsStr::to_str).is_some_and(is_epoch);
    let stem = if epoch { path.file_name() } else { path.file_stem() };
    stem.unwrap_or_default().to_owned()
}

/// A file beside `path`, of the same name but for the suffix.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = stem(path);
    name.push(suffix);
    path.with_file_name(name)
}

/// What the end of a file's name says, and the name without it.
fn split(path: &Path) -> Option<(Stage, PathBuf)> {
    let ending = path.extension()?.to_str()?;
    let stage = if ending.eq_ignore_ascii_case("ckp") {
        Stage::Checkpoint
    } else if is_epoch(ending) {
        Stage::Epoch(ending.parse().ok()?)
    } else {
        return None;
    };
    Some((stage, path.with_extension("")))
}

/// Is this the ending of a model that CNTK 1 saved between epochs, a plain number?
pub fn is_epoch(ending: &str) -> bool {
    !ending.is_empty() && ending.len() < 9 && ending.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_training_left() {
        let is = |name: &str| split(Path::new(name)).map(|(stage, model)| (stage, model.to_str().unwrap().to_owned()));
        assert_eq!(is("a/net.dnn.12"), Some((Stage::Epoch(12), "a/net.dnn".to_owned())));
        assert_eq!(is("01_OneHidden.0"), Some((Stage::Epoch(0), "01_OneHidden".to_owned())));
        assert_eq!(is("net.dnn.3.ckp"), Some((Stage::Checkpoint, "net.dnn.3".to_owned())));
        assert_eq!(is("net.CKP"), Some((Stage::Checkpoint, "net".to_owned())));
        for name in ["net.dnn", "net", ".7", "net.-1", "net.+1", "net.7a", "net.", "net.123456789", ""] {
            assert_eq!(is(name), None, "{name}");
        }
    }

    #[test]
    fn results_are_named_after_their_models() {
        let onnx = |name: &str| with_suffix(Path::new(name), ".onnx").display().to_string();
        assert_eq!(
            ["net.dnn", "net", "net.dnn.7", "v1.2/net"].map(onnx),
            ["net.onnx", "net.onnx", "net.dnn.7.onnx", "v1.2/net.onnx"]
        );
    }

    #[test]
    fn only_what_the_content_agrees_with_is_told() {
        let sibling = |stage| Sibling { stage, model: PathBuf::from("net.dnn"), exists: None };
        assert_eq!(sibling(Stage::Epoch(3)).hint(FileKind::CntkV2), None);
        assert_eq!(sibling(Stage::Checkpoint).hint(FileKind::CntkV1), None);
        let start = sibling(Stage::Epoch(0)).hint(FileKind::CntkV1).unwrap();
        assert!(start.contains("before the first epoch") && start.ends_with("the finished one is net.dnn"), "{start}");
    }
}
