//! The destination of a converted model: one or two files, or standard output.

use super::{Args, Place, in_place};
use crate::{
    input::Input,
    output::{Output, folder},
    sandbox::Needs,
};
use anyhow::{Context, Result, bail};
use cntk2onnx::{MODEL_LIMIT, Weights};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The files that may be written. They are opened before the model is examined.
pub struct Destination {
    /// The path that the user gave, or one made from the input's name.
    pub path: PathBuf,
    /// `None` for standard output.
    pub model: Option<Output>,
    /// The file of weights, if one may be needed.
    pub side: Option<Output>,
    place: Place,
    side_location: String,
    source_location: String,
}

impl Destination {
    pub fn open(args: &Args, input: &Input) -> Result<Self> {
        let path = (args.output.clone()).or_else(|| args.default_output(input)).unwrap_or_else(|| PathBuf::from("-"));
        if path.as_os_str() == "-" {
            if args.weights != Place::Embed {
                bail!("weights can only be embedded in a model that goes to standard output");
            }
            let (side_location, source_location) = (String::new(), String::new());
            return Ok(Self { path, model: None, side: None, place: args.weights, side_location, source_location });
        }
        if is_same_file(&path, input) {
            bail!("{}: is the model itself", path.display());
        }
        let name = path.file_name().with_context(|| format!("{}: is not a file name", path.display()))?;
        let mut side_name = name.to_owned();
        side_name.push(".data");
        let source_location = match (args.weights, &input.path) {
            (Place::InPlace, Some(model)) => in_place::location(model, folder(&path))?,
            (Place::InPlace, None) => bail!("weights cannot stay in a model that comes from standard input"),
            _ => String::new(),
        };
        // Embedded weights may turn out too large for one file; a change of type at most doubles them.
        let may_need_side = args.weights != Place::Embed || input.len() as u64 > MODEL_LIMIT / 2;
        let side_path = path.with_file_name(&side_name);
        let side_location = if may_need_side { in_place::beside(&side_name)? } else { String::new() };
        let model = Output::create(&path, args.force)?;
        let side = may_need_side.then(|| Output::create(&side_path, args.force)).transpose()?;
        Ok(Self { path, model: Some(model), side, place: args.weights, side_location, source_location })
    }

    /// What the sandbox must still allow once all files are open.
    pub fn needs(&self, hash: bool) -> Needs {
        // The checksum of a file of weights is computed on a thread.
        let threads = hash || self.side.is_some();
        Needs::writing([&self.model, &self.side].into_iter().flatten().map(Output::folder), threads)
    }

    /// Where the writer stores the weights.
    pub fn weights(&self) -> Weights<'_> {
        let side = self.side_location.as_str();
        match self.place {
            Place::Embed => Weights::Embed { side },
            Place::External => Weights::External { side },
            Place::InPlace => Weights::InPlace { source: &self.source_location, side },
        }
    }

    /// Gives the files their names, the weights first, so that there is never a model without its weights.
    pub fn finish(self, side_used: bool) -> Result<()> {
        let side_path = self.path.with_file_name(&self.side_location);
        if let Some(side) = self.side.filter(|_| side_used) {
            side.finish()?;
        }
        let done = self.model.map_or(Ok(()), Output::finish);
        if done.is_err() && side_used {
            let _ = fs::remove_file(side_path);
        }
        done
    }
}

/// Does OUT exist, and is it the file being read?
fn is_same_file(path: &Path, input: &Input) -> bool {
    if !path.exists() {
        return false;
    }
    let Ok(out) = fs::canonicalize(path) else { return false };
    input.path.as_ref().is_some_and(|model| fs::canonicalize(model).is_ok_and(|model| model == out))
}
