//! Which record has which uid. The only map of strings.

use crate::model::{FunctionId, FunctionKind, Model, Source, VariableId, VariableKind};
use crate::validate::arena::{Id, ids};
use crate::validate::findings::{Findings, Place, Quoted};
use crate::validate::rules;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

/// What has a uid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Record {
    Variable(VariableId),
    Function(FunctionId),
}

/// Records by uid.
pub(crate) struct Index<'m, 'a> {
    model: &'m Model<'a>,
    records: HashMap<&'a str, Record>,
}

/// The function's uid and the number in `<uid>_Output_<i>`, written as CNTK writes it.
pub(crate) fn split_output_uid(uid: &str) -> Option<(&str, u32)> {
    let (function, digits) = uid.rsplit_once("_Output_")?;
    let canonical = digits == "0" || (!digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()));
    if !canonical {
        return None;
    }
    Some((function, digits.parse().ok()?))
}

impl<'m, 'a> Index<'m, 'a> {
    /// Indexes the records and reports uids that occur twice.
    pub(crate) fn new(model: &'m Model<'a>, findings: &mut Findings<'_, 'a>) -> Self {
        let count = model.variables.len().saturating_add(model.functions.len());
        let mut records = HashMap::with_capacity(count);
        let variables =
            ids(&model.variables).map(|(id, v)| (v.uid, Record::Variable(id), Place::VariableKey(id, "uid")));
        let functions =
            ids(&model.functions).map(|(id, f)| (f.uid, Record::Function(id), Place::FunctionKey(id, "uid")));
        for (uid, record, place) in variables.chain(functions) {
            if uid.is_empty() {
                findings.add(&rules::EMPTY_UID, place, "the uid is empty".to_owned());
            }
            match records.entry(uid) {
                Entry::Vacant(entry) => {
                    entry.insert(record);
                }
                Entry::Occupied(_) => {
                    findings.add(&rules::DUPLICATE_UID, place, format!("the uid {} is taken", Quoted(uid)));
                }
            }
        }
        Self { model, records }
    }

    /// The function of that uid.
    pub(crate) fn function(&self, uid: &str) -> Option<FunctionId> {
        match self.records.get(uid) {
            Some(Record::Function(id)) => Some(*id),
            _ => None,
        }
    }

    /// The variable of that uid.
    pub(crate) fn variable(&self, uid: &str) -> Option<VariableId> {
        match self.records.get(uid) {
            Some(Record::Variable(id)) => Some(*id),
            _ => None,
        }
    }

    /// The output of an existing function that a uid names, whether or not the function has that many.
    pub(crate) fn output(&self, uid: &str) -> Option<(FunctionId, u32)> {
        let (function, i) = split_output_uid(uid)?;
        Some((self.function(function)?, i))
    }

    /// What a reference names, nothing seen through: an output of an existing function goes before a placeholder of
    /// the same uid (a forward reference, spec 3.6).
    pub(crate) fn reference(&self, uid: &str) -> Option<Source> {
        if let Some((f, i)) = self.output(uid) {
            return Some(Source::Output(f, i));
        }
        self.variable(uid).map(Source::Variable)
    }

    /// Reports variables whose uid is that of a function's output and that are no forward references.
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
