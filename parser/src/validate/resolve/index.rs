//! Looks up records by uid.

use crate::model::{FunctionId, FunctionKind, Model, Source, VariableId, VariableKind};
use crate::validate::arena::{Id, ids};
use crate::validate::findings::{Findings, Place, Quoted};
use crate::validate::rules;
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::cell::Cell;
use std::hash::BuildHasher;

/// A record with a uid.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Record {
    Variable(VariableId),
    Function(FunctionId),
}

/// Records by uid. The hash table holds a four-byte index for each record, not the uid, because in large models a
/// look-up costs as much as the memory that it touches.
pub(crate) struct Index<'m, 'a> {
    model: &'m Model<'a>,
    /// Indices in the list of all variables followed by all functions.
    records: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Does every record have a uid of its own? Of records with the same uid, the first counts.
    distinct: bool,
    /// The function and the variable that were found last. Files mostly refer to records in file order, so the record
    /// after the last one is tried before the hash table.
    last_function: Cell<u32>,
    last_variable: Cell<u32>,
}

/// Splits `<uid>_Output_<i>`, in CNTK's spelling, into the function's uid and the number.
pub(crate) fn split_output_uid(uid: &str) -> Option<(&str, u32)> {
    let rest = uid.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = uid.strip_prefix(rest)?;
    if digits.starts_with('0') && digits != "0" {
        return None;
    }
    Some((rest.strip_suffix("_Output_")?, digits.parse().ok()?))
}

impl<'m, 'a> Index<'m, 'a> {
    /// Indexes the records and reports uids that occur twice.
    pub(crate) fn new(model: &'m Model<'a>, findings: &mut Findings<'_, 'a>) -> Self {
        let count = model.variables.len().saturating_add(model.functions.len());
        let hasher = DefaultHashBuilder::default();
        let mut records = HashTable::with_capacity(count);
        let mut distinct = true;
        let variables = ids(&model.variables).map(|(id, v)| (v.uid, Place::VariableKey(id, "uid")));
        let functions = ids(&model.functions).map(|(id, f)| (f.uid, Place::FunctionKey(id, "uid")));
        for (number, (uid, place)) in (0..).zip(variables.chain(functions)) {
            if uid.is_empty() {
                findings.add(&rules::EMPTY_UID, place, "the uid is empty".to_owned());
            }
            let hash = |other: &u32| hasher.hash_one(uid_of(model, *other));
            match records.entry(hasher.hash_one(uid), |other| uid_of(model, *other) == uid, hash) {
                Entry::Vacant(entry) => {
                    entry.insert(number);
                }
                Entry::Occupied(_) => {
                    distinct = false;
                    findings.add(&rules::DUPLICATE_UID, place, format!("the uid {} is taken", Quoted(uid)));
                }
            }
        }
        Self { model, records, hasher, distinct, last_function: Cell::new(0), last_variable: Cell::new(0) }
    }

    fn record(&self, uid: &str, last: &Cell<u32>) -> Option<Record> {
        let is = |number: u32| uid_of(self.model, number) == uid;
        let next = last.get().saturating_add(1);
        let number = if self.distinct && !uid.is_empty() && is(next) {
            next
        } else {
            *self.records.find(self.hasher.hash_one(uid), |number| is(*number))?
        };
        last.set(number);
        Some(record(self.model, number))
    }

    /// The function with this uid.
    pub(crate) fn function(&self, uid: &str) -> Option<FunctionId> {
        match self.record(uid, &self.last_function) {
            Some(Record::Function(id)) => Some(id),
            _ => None,
        }
    }

    /// The variable with this uid.
    pub(crate) fn variable(&self, uid: &str) -> Option<VariableId> {
        match self.record(uid, &self.last_variable) {
            Some(Record::Variable(id)) => Some(id),
            _ => None,
        }
    }

    /// The output of an existing function that a uid names, even if the function has fewer outputs.
    pub(crate) fn output(&self, uid: &str) -> Option<(FunctionId, u32)> {
        let (function, i) = split_output_uid(uid)?;
        Some((self.function(function)?, i))
    }

    /// The value that a reference names, with nothing resolved. An output of an existing function takes precedence over
    /// a placeholder with the same uid (a forward reference, spec 3.6).
    pub(crate) fn reference(&self, uid: &str) -> Option<Source> {
        if let Some((f, i)) = self.output(uid) {
            return Some(Source::Output(f, i));
        }
        self.variable(uid).map(Source::Variable)
    }

    /// Reports variables that have the uid of a function's output but are not forward references.
    pub(crate) fn check_output_uids(&self, findings: &mut Findings<'_, 'a>) {
        for (id, v) in ids::<VariableId, _>(&self.model.variables) {
            if v.kind != VariableKind::Placeholder && self.output(v.uid).is_some() {
                let place = Place::VariableKey(id, "uid");
                findings.add(
                    &rules::DUPLICATE_UID,
                    place,
                    format!("{} is the uid of a function's output", Quoted(v.uid)),
                );
            }
        }
    }
}

/// The record with this index in the table.
fn record(model: &Model<'_>, number: u32) -> Record {
    let place = number as usize;
    match place.checked_sub(model.variables.len()) {
        None => Record::Variable(VariableId::of(place)),
        Some(place) => Record::Function(FunctionId::of(place)),
    }
}

fn uid_of<'a>(model: &Model<'a>, number: u32) -> &'a str {
    match record(model, number) {
        Record::Variable(id) => model.variables.get(id.place()).map_or("", |v| v.uid),
        Record::Function(id) => model.functions.get(id.place()).map_or("", |f| f.uid),
    }
}

/// The block record of a function, if it is one.
pub(crate) fn block<'m, 'a>(model: &'m Model<'a>, id: FunctionId) -> Option<&'m crate::model::Block<'a>> {
    match &model.functions.get(id.place())?.kind {
        FunctionKind::Block(block) => Some(block),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::split_output_uid;

    #[test]
    fn output_uids_split_at_the_last_suffix() {
        assert_eq!(split_output_uid("Plus5_Output_0"), Some(("Plus5", 0)));
        assert_eq!(split_output_uid("a_Output_1_Output_23"), Some(("a_Output_1", 23)));
        assert_eq!(split_output_uid("_Output_7"), Some(("", 7)));
        for bad in
            ["Plus5", "Plus5_Output_", "Plus5_Output_x", "Plus5_Output_01", "Plus5_Output_+1", "P_Output_4294967296"]
        {
            assert_eq!(split_output_uid(bad), None, "{bad}");
        }
    }
}
