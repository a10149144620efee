//! The sequence axes of a model.

use crate::model::{Axis, AxisKind, DynamicAxes, SequenceAxis, SequenceAxisId, Source};
use hashbrown::HashMap;

/// The name that stands for the operand's own sequence axis.
const OPERANDS_OWN: &str = "__operandSequenceAxis";

/// The sequence axes of the model, each once.
#[derive(Default)]
pub(crate) struct SequenceAxes<'a> {
    list: Vec<SequenceAxis<'a>>,
    by_name: HashMap<&'a str, SequenceAxisId>,
    unnamed: HashMap<Source, SequenceAxisId>,
}

impl<'a> SequenceAxes<'a> {
    /// The axis with this name, which the value `origin` has.
    pub(crate) fn named(&mut self, name: &'a str, origin: Source) -> SequenceAxisId {
        let list = &mut self.list;
        *self.by_name.entry(name).or_insert_with(|| push(list, name, origin))
    }

    /// The axis without a name that the function of `origin` creates.
    pub(crate) fn made_by(&mut self, origin: Source) -> SequenceAxisId {
        let list = &mut self.list;
        *self.unnamed.entry(origin).or_insert_with(|| push(list, "", origin))
    }

    /// The axis with this id.
    pub(crate) fn get(&self, id: SequenceAxisId) -> Option<&SequenceAxis<'a>> {
        self.list.get(id.0 as usize)
    }

    /// The number of axes.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Records the value that an axis comes from.
    pub(crate) fn set_origin(&mut self, id: SequenceAxisId, origin: Source) {
        if let Some(axis) = self.list.get_mut(id.0 as usize) {
            axis.origin = origin;
        }
    }

    /// The list that the validated model keeps.
    pub(crate) fn into_list(self) -> Vec<SequenceAxis<'a>> {
        self.list
    }

    /// The dynamic axes in a list of axes; `None` if they are not known. The reserved name stands for the sequence axis
    /// `own`.
    pub(crate) fn of(&mut self, axes: &[Axis<'a>], own: Option<SequenceAxisId>, origin: Source) -> Option<DynamicAxes> {
        let mut found = DynamicAxes::default();
        for axis in axes {
            match axis.kind() {
                AxisKind::Batch => found.batch = true,
                AxisKind::Sequence if axis.name == OPERANDS_OWN && own.is_some() => found.sequence = own,
                AxisKind::Sequence => found.sequence = Some(self.named(axis.name, origin)),
                _ => return None,
            }
        }
        Some(found)
    }
}

fn push<'a>(list: &mut Vec<SequenceAxis<'a>>, name: &'a str, origin: Source) -> SequenceAxisId {
    let id = SequenceAxisId(u32::try_from(list.len()).unwrap_or(u32::MAX));
    list.push(SequenceAxis { name, origin });
    id
}
