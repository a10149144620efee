//! Finds the values that are the same whatever the inputs are: those of parameters and constants, and what is computed
//! from these alone.

use cntk_parser::model::{FunctionId, Source, ValidatedModel, VariableKind};
use cntk_parser::ops::Class;

/// Which functions of a model depend on an input, or on something else that may change.
pub(super) struct Dependent(Vec<bool>);

impl Dependent {
    pub(super) fn new(model: &ValidatedModel<'_>) -> Self {
        let readers = Readers::new(model);
        let mut dependent = vec![false; model.model().functions.len()];
        let mut waiting: Vec<FunctionId> = Vec::new();
        let mut add = |f: FunctionId, waiting: &mut Vec<FunctionId>| {
            if !std::mem::replace(&mut dependent[f.index()], true) {
                waiting.push(f);
            }
        };
        for f in model.order() {
            if changes(model, *f) || model.inputs(*f).iter().any(|source| is_input(model, *source)) {
                add(*f, &mut waiting);
            }
        }
        while let Some(f) = waiting.pop() {
            readers.of(f).iter().for_each(|reader| add(*reader, &mut waiting));
        }
        Self(dependent)
    }

    /// Is the value the same for all inputs?
    pub(super) fn is_fixed(&self, model: &ValidatedModel<'_>, source: Source) -> bool {
        match source {
            Source::Variable(_) => !is_input(model, source),
            Source::Output(f, _) => !self.0[f.index()],
        }
    }
}

fn is_input(model: &ValidatedModel<'_>, source: Source) -> bool {
    let Source::Variable(v) = source else { return false };
    matches!(model.variable(v).kind, VariableKind::Input | VariableKind::Placeholder)
}

/// May the function's result change though its operands do not?
fn changes(model: &ValidatedModel<'_>, f: FunctionId) -> bool {
    matches!(model.operator(f).facts().class, Class::Random | Class::Foreign)
}

/// The functions that read each function, as one list with the end of each part.
struct Readers {
    ends: Vec<usize>,
    list: Vec<FunctionId>,
}

impl Readers {
    fn new(model: &ValidatedModel<'_>) -> Self {
        let edges = || {
            model.order().iter().flat_map(|f| {
                let from = |source: &Source| if let Source::Output(from, _) = source { Some(*from) } else { None };
                model.inputs(*f).iter().filter_map(from).map(|from| (from.index(), *f))
            })
        };
        let mut ends = vec![0; model.model().functions.len()];
        edges().for_each(|(from, _)| ends[from] += 1);
        let mut total = 0;
        for end in &mut ends {
            total += *end;
            *end = total;
        }
        // Each part is filled from its end; afterwards, `starts` is where each begins.
        let Some(any) = model.order().first() else { return Self { ends, list: Vec::new() } };
        let mut list = vec![*any; total];
        let mut starts = ends.clone();
        for (from, reader) in edges() {
            starts[from] -= 1;
            list[starts[from]] = reader;
        }
        Self { ends, list }
    }

    fn of(&self, f: FunctionId) -> &[FunctionId] {
        let at = f.index();
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.list[start..self.ends[at]]
    }
}
