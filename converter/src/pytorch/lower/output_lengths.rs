//! Outputs that the module adds for the number of valid steps of another output, if no argument gives it.

use super::Lower;
use crate::pytorch::python::expr::ValueId;
use crate::pytorch::python::names::identifier;

/// An output with the number of valid steps of another output.
pub(crate) struct OutputLengths {
    /// The index of the other output.
    pub(crate) output: usize,
    pub(crate) name: String,
    pub(crate) value: ValueId,
}

impl Lower<'_, '_, '_> {
    /// Lengths of outputs whose sequence axis no argument has.
    pub(crate) fn output_lengths(&self) -> Vec<OutputLengths> {
        let mut found = Vec::new();
        for (output, o) in self.graph.outputs.iter().enumerate() {
            let axis = self.layout.lead(o.source, self.graph.model.type_of(o.source).axes).sequence;
            let made = axis.filter(|a| self.first_argument(*a).is_none());
            if let Some(value) = made.and_then(|a| self.length_values.get(&a)) {
                let name = format!("{}_lengths", identifier(&o.name).unwrap_or_else(|| "output".to_owned()));
                found.push(OutputLengths { output, name, value: *value });
            }
        }
        found
    }
}
