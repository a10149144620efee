//! Scans weights for NaN, infinities, denormals and extreme numbers (T9), and on demand for anomalies.
//!
//! No other part of validation reads tensor data (except for stored indices); the options say how much of it is read.

mod anomalies;
mod single;
mod wide;

use super::ValidateOptions;
use super::arena::ids;
use super::findings::{Findings, Place, Quoted};
use super::rules;
use crate::model::{Array, DataType, ElementStorage, Model, Variable, VariableId, VariableKind};

/// How many bytes of tensor data are scanned by default.
pub const DEFAULT_SCAN: u64 = 16 << 20;

/// The number of elements of each kind in one tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) elements: u64,
    pub(super) nan: u64,
    pub(super) infinite: u64,
    pub(super) denormal: u64,
    /// Finite elements so large that their square overflows or nearly does.
    pub(super) extreme: u64,
    /// In a half-precision tensor, elements that are not half-precision numbers.
    pub(super) unrepresentable: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        let sum = |a: &mut u64, b: u64| *a = a.saturating_add(b);
        sum(&mut self.elements, other.elements);
        sum(&mut self.nan, other.nan);
        sum(&mut self.infinite, other.infinite);
        sum(&mut self.denormal, other.denormal);
        sum(&mut self.extreme, other.extreme);
        sum(&mut self.unrepresentable, other.unrepresentable);
    }
}

/// Scans stored tensors in file order until the allowance is used up.
pub(super) fn check<'a>(model: &Model<'a>, options: &ValidateOptions, findings: &mut Findings<'_, 'a>) {
    let mut allowance = if options.scan_weights { u64::MAX } else { DEFAULT_SCAN };
    let (mut skipped, mut total) = (0u64, 0u64);
    for (id, variable) in ids::<VariableId, _>(&model.variables) {
        let Some(value) = &variable.value else { continue };
        let mut counts = Counts::default();
        for bytes in pieces(value) {
            let size = bytes.len() as u64;
            let take = usize::try_from(allowance.min(size)).unwrap_or(usize::MAX);
            counts.add(count(value.data_type, bytes.get(..take).unwrap_or_default()));
            allowance = allowance.saturating_sub(size);
            total = total.saturating_add(size);
            skipped = skipped.saturating_add(size.saturating_sub(take as u64));
        }
        report(id, variable, counts, findings);
    }
    if skipped > 0 {
        let text = format!("{skipped} of {total} bytes of tensor data were not looked at for NaN and extremes");
        findings.add(&rules::NOT_SCANNED, Place::ModelKey("inputs"), text);
    }
    if options.scan_weights {
        anomalies::check(model, findings);
    }
}

/// The runs of floating-point elements.
fn pieces<'t, 'a>(array: &'t Array<'a>) -> &'t [&'a [u8]] {
    if !matches!(array.data_type, DataType::Float | DataType::Float16 | DataType::Double) {
        return &[];
    }
    match &array.elements {
        ElementStorage::Contiguous(bytes) => std::slice::from_ref(bytes),
        ElementStorage::Pieces(pieces) => pieces,
        ElementStorage::ZigZag(_) | ElementStorage::Absent => &[],
    }
}

fn count(data_type: DataType, bytes: &[u8]) -> Counts {
    match data_type {
        DataType::Float => single::count(bytes),
        DataType::Float16 => single::count_half(bytes),
        DataType::Double => wide::count(bytes),
        _ => Counts::default(),
    }
}

fn report(id: VariableId, variable: &Variable<'_>, counts: Counts, findings: &mut Findings<'_, '_>) {
    if counts == (Counts { elements: counts.elements, ..Counts::default() }) {
        return;
    }
    let place = Place::VariableKey(id, "value");
    let who = who(variable);
    let all = counts.elements;
    if counts.nan > 0 || counts.infinite > 0 {
        let text = format!("{who}: {} NaN and {} infinite of {all} elements", counts.nan, counts.infinite);
        findings.add(&rules::NOT_FINITE, place, text);
    }
    // A few denormals are normal in a trained layer.
    if counts.denormal >= 16 && counts.denormal.saturating_mul(64) >= all {
        let text = format!("{who}: {} denormals of {all} elements", counts.denormal);
        findings.add(&rules::DENORMALS, place, text);
    }
    // Constants are not reported, since authors write extreme ones on purpose, such as -1e30 in a mask.
    if counts.extreme > 0 && variable.kind == VariableKind::Parameter {
        let text = format!("{who}: {} of {all} elements are extreme", counts.extreme);
        findings.add(&rules::EXTREME, place, text);
    }
    if counts.unrepresentable > 0 {
        let text = format!("{who}: {} of {all} elements are no half-precision numbers", counts.unrepresentable);
        findings.add(&rules::NOT_HALF, place, text);
    }
}

fn who(variable: &Variable<'_>) -> String {
    match (variable.name, variable.kind) {
        ("", VariableKind::Constant) => format!("constant {}", Quoted(variable.uid)),
        ("", _) => format!("parameter {}", Quoted(variable.uid)),
        (name, _) => format!("{} (named {})", Quoted(variable.uid), Quoted(name)),
    }
}
