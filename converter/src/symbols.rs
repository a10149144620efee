//! Shapes for people: names of dynamic axes, then the static sizes in row-major order.

use cntk_parser::model::{Dim, SequenceAxisId, Source, ValidatedModel, ValueType};
use hashbrown::HashMap;
use std::borrow::Cow;

/// Names of sequence axes in the order of their first use. Different axes get different names, as in a converted model.
#[derive(Debug, Default)]
pub struct Symbols(HashMap<SequenceAxisId, usize>);

impl Symbols {
    /// The names of the dynamic axes of this type: `batch`, `sequence`, `sequence_2`…
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

    /// All axes of a value in brackets, `[batch, 3, ?]`; `[unknown]` if they are not known.
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

/// A dimension for people; `?` if it is free.
pub fn size(dim: &Dim) -> String {
    match dim {
        Dim::Known(n) => n.to_string(),
        Dim::Free(_) => "?".to_owned(),
    }
}
