//! Shapes as a person reads them: dynamic axes by name, then the static ones, row-major.

use cntk_parser::model::{Dim, SequenceAxisId, Source, ValidatedModel, ValueType};
use hashbrown::HashMap;
use std::borrow::Cow;

/// Names for sequence axes in the order in which they are met: different axes get different symbols, as in a converted model.
#[derive(Debug, Default)]
pub struct Symbols(HashMap<SequenceAxisId, usize>);

impl Symbols {
    /// `batch`, `sequence`, `sequence_2`…, where a value of that type has them.
    pub fn dynamic_axes(&mut self, kind: &ValueType) -> Vec<Cow<'static, str>> {
        let mut axes = vec![];
        axes.extend(kind.axes.batch.then_some(Cow::Borrowed("batch")));
        if let Some(axis) = kind.axes.sequence {
            let next = self.0.len() + 1;
            let number = *self.0.entry(axis).or_insert(next);
            axes.push(if number == 1 { "sequence".into() } else { format!("sequence_{number}").into() });
        }
        axes
    }

    /// All axes of a value between brackets, `[batch, 3, ?]`; `[unknown]` where they cannot be told.
    pub fn axes(&mut self, model: &ValidatedModel<'_>, source: Source) -> String {
        if !model.is_known(source) {
            return "[unknown]".to_owned();
        }
        let kind = model.type_of(source);
        let axes = self.dynamic_axes(kind);
        let shape: Vec<_> = axes.into_iter().chain(kind.shape.iter().map(|d| size(d).into())).collect();
        format!("[{}]", shape.join(", "))
    }

    /// The type of a value: `Float[batch, 3, ?]`.
    pub fn text(&mut self, model: &ValidatedModel<'_>, source: Source) -> String {
        format!("{:?}{}", model.type_of(source).data_type, self.axes(model, source))
    }
}

/// A dimension for a person; `?` where it is free.
pub fn size(dim: &Dim) -> String {
    match dim {
        Dim::Known(n) => n.to_string(),
        Dim::Free(_) => "?".to_owned(),
    }
}
