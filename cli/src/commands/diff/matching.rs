//! Matches the records of two models: by uid, then by name, then by position in the graph.

use cntk_parser::model::{FunctionId, Source, ValidatedModel, VariableId, VariableKind};
use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

/// Pairs of records. A record without a pair was added or removed.
pub struct Matching {
    pub functions: Pairs<FunctionId>,
    pub variables: Pairs<VariableId>,
}

/// Pairs of ids, in which each id occurs at most once.
pub struct Pairs<Id> {
    pub to: HashMap<Id, Id>,
    taken: HashSet<Id>,
}

impl<Id: Copy + Eq + Hash> Pairs<Id> {
    fn new() -> Self {
        Self { to: HashMap::new(), taken: HashSet::new() }
    }

    /// Pairs two ids and returns true, unless one is paired already.
    fn join(&mut self, a: Id, b: Id) -> bool {
        if self.to.contains_key(&a) || self.taken.contains(&b) {
            return false;
        }
        self.to.insert(a, b);
        self.taken.insert(b)
    }

    pub fn is_taken(&self, b: Id) -> bool {
        self.taken.contains(&b)
    }

    /// Pairs ids with equal keys, if the key is unique on both sides.
    fn by_key<'k>(&mut self, a: &[(Id, &'k str)], b: &[(Id, &'k str)]) {
        let unique = |side: &[(Id, &'k str)], free: &dyn Fn(Id) -> bool| {
            let mut found: HashMap<&'k str, Option<Id>> = HashMap::new();
            for (id, key) in side.iter().filter(|(id, key)| !key.is_empty() && free(*id)) {
                found.entry(key).and_modify(|known| *known = None).or_insert(Some(*id));
            }
            found
        };
        let first = unique(a, &|id| !self.to.contains_key(&id));
        let second = unique(b, &|id| !self.taken.contains(&id));
        for (key, id) in first {
            if let (Some(id), Some(Some(other))) = (id, second.get(key)) {
                self.join(id, *other);
            }
        }
    }
}

impl Matching {
    pub fn of(a: &ValidatedModel<'_>, b: &ValidatedModel<'_>) -> Self {
        let mut matching = Self { functions: Pairs::new(), variables: Pairs::new() };
        for name in [false, true] {
            matching.functions.by_key(&functions(a, name), &functions(b, name));
            matching.variables.by_key(&variables(a, name), &variables(b, name));
        }
        matching.by_place(a, b);
        matching
    }

    /// Pairs the inputs of paired functions, starting from the outputs and from all pairs: inputs at the same position
    /// match.
    fn by_place(&mut self, a: &ValidatedModel<'_>, b: &ValidatedModel<'_>) {
        let mut waiting: Vec<_> = self.functions.to.iter().map(|(a, b)| (*a, *b)).collect();
        for (one, other) in a.outputs().iter().zip(b.outputs()) {
            self.place((a, one.source), (b, other.source), &mut waiting);
        }
        while let Some((one, other)) = waiting.pop() {
            for (i, j) in a.inputs(one).iter().zip(b.inputs(other)) {
                self.place((a, *i), (b, *j), &mut waiting);
            }
        }
    }

    fn place(
        &mut self,
        (a, one): (&ValidatedModel<'_>, Source),
        (b, other): (&ValidatedModel<'_>, Source),
        waiting: &mut Vec<(FunctionId, FunctionId)>,
    ) {
        match (one, other) {
            (Source::Output(f, _), Source::Output(g, _))
                if a.operator(f).name() == b.operator(g).name() && self.functions.join(f, g) =>
            {
                waiting.push((f, g));
            }
            (Source::Variable(v), Source::Variable(w)) if a.variable(v).kind == b.variable(w).kind => {
                self.variables.join(v, w);
            }
            _ => {}
        }
    }

    /// Do two values match?
    pub fn same(&self, one: Source, other: Source) -> bool {
        match (one, other) {
            (Source::Output(f, i), Source::Output(g, j)) => i == j && self.functions.to.get(&f) == Some(&g),
            (Source::Variable(v), Source::Variable(w)) => self.variables.to.get(&v) == Some(&w),
            _ => false,
        }
    }
}

/// The functions of the order of evaluation, with their uids or names.
fn functions<'m>(model: &'m ValidatedModel<'_>, name: bool) -> Vec<(FunctionId, &'m str)> {
    let key = |id: FunctionId| {
        let function = model.function(id);
        if name { function.name } else { function.uid }
    };
    model.order().iter().map(|id| (*id, key(*id))).collect()
}

fn variables<'m>(model: &'m ValidatedModel<'_>, name: bool) -> Vec<(VariableId, &'m str)> {
    let all = model.variable_ids().map(|id| (id, model.variable(id)));
    let all = all.filter(|(_, v)| v.kind != VariableKind::Placeholder);
    all.map(|(id, v)| (id, if name { v.name } else { v.uid })).collect()
}
