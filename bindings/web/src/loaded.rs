//! A file that was read in part, and the report on it.

use crate::{
    arena::{Arena, BLOCK, Read},
    download::{Parts, Target, write},
    settings::Settings,
    skim,
};
use cntk_parser::{
    FileKind, Finding, ModelFile,
    model::{FunctionKind, Model},
    ops::Op,
    parse, validate,
};
use cntk2onnx::page::{Report, body};
use sha2::{Digest, Sha256};
use std::{collections::HashSet, ops::Range};

/// Files up to this size are read whole.
const SMALL: u64 = 32 << 20;
/// How much tensor data validation looks at.
const SCANNED: u64 = 16 << 20;

/// A file that was opened.
pub struct Loaded {
    arena: Arena,
    name: String,
    settings: Settings,
    valid: bool,
}

impl Loaded {
    /// Reads the parts of a file that a verdict needs.
    ///
    /// # Errors
    ///
    /// It is too large, or cannot be read.
    pub fn open(source: &(impl Read + ?Sized), size: u64, name: String, settings: Settings) -> Result<Self, String> {
        let mut arena = Arena::new(size, BLOCK)?;
        if size <= SMALL || settings.weights {
            arena.fill(source, 0..size)?;
        } else {
            skim::skim(&mut arena, source, skim::LARGE)?;
        }
        Self::of(arena, source, name, settings)
    }

    /// Completes what was skimmed.
    pub(crate) fn of(
        mut arena: Arena,
        source: &(impl Read + ?Sized),
        name: String,
        settings: Settings,
    ) -> Result<Self, String> {
        let missing = arena.missing();
        if !missing.is_empty() {
            let needed = needed(arena.bytes(), &missing, &settings);
            needed.into_iter().try_for_each(|range| arena.fill(source, range))?;
        }
        Ok(Self { arena, name, settings, valid: false })
    }

    /// May the model be used? Known after the first report.
    pub fn valid(&self) -> bool {
        self.valid
    }

    /// Have all bytes been read?
    pub fn complete(&self) -> bool {
        self.arena.missing().is_empty()
    }

    /// The report as HTML: the inside of a page's body.
    pub fn report(&mut self) -> String {
        let bytes = self.arena.bytes();
        let file = ModelFile::new(bytes);
        let size = bytes.len() as u64;
        let digest = self.complete().then(|| hex(&Sha256::digest(bytes)));
        let (html, valid) = match parse(&file, &self.settings.limits) {
            Ok(model) => {
                let done = validate(model, &self.settings.validation);
                let mut report = Report::bare(&self.name, size, FileKind::of(bytes, None), &done.findings);
                report.more_findings = done.more_findings;
                report.model = done.model.as_ref();
                report.weights = self.complete();
                report.sha256 = digest.as_deref();
                (body(&report), done.model.is_some())
            }
            Err(error) => {
                let findings = [Finding::from(&error)];
                let mut report = Report::bare(&self.name, size, FileKind::of(bytes, Some(&error)), &findings);
                report.hint = error.hint();
                (body(&report), false)
            }
        };
        self.valid = valid;
        html
    }

    /// Reads the rest of the file and writes the files of a download. Gives what is worth knowing about it, one thing a line.
    ///
    /// # Errors
    ///
    /// The model cannot be used, or not converted as asked; the file cannot be read or the download not be kept.
    pub fn download(
        &mut self,
        source: &(impl Read + ?Sized),
        target: Target,
        parts: &mut dyn Parts,
    ) -> Result<String, String> {
        self.arena.fill(source, 0..u64::MAX)?;
        let file = ModelFile::new(self.arena.bytes());
        let model = parse(&file, &self.settings.limits).map_err(|error| error.to_string())?;
        let model = validate(model, &self.settings.validation).model.ok_or("the model was refused")?;
        write(&model, &self.settings.options, &self.name, target, parts)
    }
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The parts left out that a verdict needs after all: everything, unless only elements of tensors were left out.
fn needed(bytes: &[u8], missing: &[Range<u64>], settings: &Settings) -> Vec<Range<u64>> {
    let file = ModelFile::new(bytes);
    let all = || missing.to_vec();
    let Ok(model) = parse(&file, &settings.limits) else { return all() };
    let tensors = model.tensor_ranges();
    let within = |range: &Range<u64>| {
        let next = tensors.partition_point(|tensor| tensor.end < range.end);
        tensors.get(next).is_some_and(|tensor| tensor.start <= range.start && range.end <= tensor.end)
    };
    if missing.iter().all(within) { read_by_validation(&model) } else { all() }
}

/// The tensors whose elements validation reads: the first ones, and those that Gather takes for indices.
fn read_by_validation(model: &Model<'_>) -> Vec<Range<u64>> {
    let mut left = SCANNED;
    let mut ranges = vec![];
    let indices: HashSet<&str> = (model.functions.iter())
        .filter(|function| matches!(function.kind, FunctionKind::Primitive(Op::Gather)))
        .filter_map(|function| function.inputs.first().copied())
        .collect();
    for variable in &model.variables {
        let Some(range) = variable.value.as_ref().and_then(|value| value.range.clone()) else { continue };
        let length = range.end.saturating_sub(range.start);
        if indices.contains(variable.uid) {
            ranges.push(range);
        } else if left > 0 {
            ranges.push(range.start..range.start.saturating_add(length.min(left)));
        }
        left = left.saturating_sub(length);
    }
    ranges
}
