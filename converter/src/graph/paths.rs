//! Paths of layers, made from the names of the blocks around a function.

use cntk_parser::model::{FunctionId, FunctionKind, Source, ValidatedModel, VariableId};

/// Paths of functions and variables, such as `encoder/layer1/Times12`. A block without a name appears by its kind and
/// number.
pub struct Paths<'m, 'a> {
    model: &'m ValidatedModel<'a>,
    /// For each variable, the innermost block around all functions that read it.
    owners: Vec<Owner>,
}

/// The block that a variable belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Nothing reads it.
    Unread,
    /// No single block contains all its readers.
    Top,
    Block(FunctionId),
}

/// The most blocks in a path. Blocks further out are left out, to bound its length.
const DEEPEST: usize = 16;

impl<'m, 'a> Paths<'m, 'a> {
    /// Finds the block that owns each variable, visiting each input of each function once.
    pub fn new(model: &'m ValidatedModel<'a>) -> Self {
        let mut owners = vec![Owner::Unread; model.model().variables.len()];
        for f in model.order() {
            for source in model.inputs(*f) {
                if let Source::Variable(v) = source {
                    let owner = &mut owners[v.index()];
                    *owner = common(model, *owner, model.parent(*f));
                }
            }
        }
        Self { model, owners }
    }

    /// The path of a function: the blocks around it, then its own name, or its uid if it has none.
    pub fn function(&self, id: FunctionId) -> String {
        self.join(self.model.parent(id), &self.label(id))
    }

    /// The path of a variable: the layer that owns it, then its name, or its uid if it has none.
    pub fn variable(&self, id: VariableId) -> String {
        let variable = self.model.variable(id);
        let last = if variable.name.is_empty() { variable.uid } else { variable.name };
        match self.owners[id.index()] {
            Owner::Block(block) => self.join(Some(block), last),
            Owner::Top | Owner::Unread => last.to_owned(),
        }
    }

    fn join(&self, block: Option<FunctionId>, last: &str) -> String {
        let mut parts: Vec<_> = outwards(self.model, block).map(|b| self.label(b)).collect();
        parts.reverse();
        parts.push(last.to_owned());
        parts.join("/")
    }

    /// The name of a function, or its uid; of a block without a name, its kind and the number in its uid.
    fn label(&self, id: FunctionId) -> String {
        let function = self.model.function(id);
        match &function.kind {
            _ if !function.name.is_empty() => function.name.to_owned(),
            FunctionKind::Block(kind) => {
                let digits = function.uid.trim_start_matches(|c: char| !c.is_ascii_digit());
                format!("{}{digits}", kind.op_name)
            }
            _ => function.uid.to_owned(),
        }
    }
}

/// A block and the blocks around it, innermost first.
fn outwards(model: &ValidatedModel<'_>, block: Option<FunctionId>) -> impl Iterator<Item = FunctionId> {
    std::iter::successors(block, |b| model.parent(*b)).take(DEEPEST)
}

/// The innermost block around an owner and a reader.
fn common(model: &ValidatedModel<'_>, owner: Owner, reader: Option<FunctionId>) -> Owner {
    let Some(reader) = reader else { return Owner::Top };
    match owner {
        Owner::Unread => Owner::Block(reader),
        Owner::Top => Owner::Top,
        Owner::Block(owner) if owner == reader => Owner::Block(owner),
        Owner::Block(owner) => {
            let around: Vec<_> = outwards(model, Some(owner)).collect();
            outwards(model, Some(reader)).find(|b| around.contains(b)).map_or(Owner::Top, Owner::Block)
        }
    }
}
