//! Functions and layers that PyTorch lacks. Each is written into the file only if something calls it.

mod texts;

use super::python::expr::{Expr, Module};
use std::collections::BTreeSet;
pub(crate) use texts::ALL;

/// A helper.
pub(crate) struct Helper {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    /// The imports that it needs.
    pub(crate) imports: &'static [Import],
}

/// Imports that the file has only if something needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Import {
    Math,
    Optional,
    Torch,
    Functional,
    /// Packed sequences.
    Packed,
}

/// The helpers and imports that a file needs, collected expression by expression.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs {
    helpers: BTreeSet<&'static str>,
    imports: BTreeSet<Import>,
    classes: BTreeSet<String>,
}

impl Needs {
    /// Records what an expression calls.
    pub(crate) fn see(&mut self, expr: &Expr) {
        expr.each(&mut |e| match e {
            Expr::Helper(name) => self.call(name),
            Expr::Torch(Module::Torch, _) => self.import(Import::Torch),
            Expr::Torch(Module::Functional, _) => self.import(Import::Functional),
            Expr::Class(name) => {
                self.classes.insert(name.clone());
            }
            _ => {}
        });
    }

    /// Records a call of a helper.
    pub(crate) fn call(&mut self, name: &'static str) {
        if self.helpers.insert(name) {
            let helper = ALL.iter().find(|h| h.name == name);
            self.imports.extend(helper.into_iter().flat_map(|h| h.imports));
        }
    }

    pub(crate) fn import(&mut self, import: Import) {
        self.imports.insert(import);
    }

    pub(crate) fn imports(&self, import: Import) -> bool {
        self.imports.contains(&import)
    }

    /// Is an instance of this class created?
    pub(crate) fn makes(&self, class: &str) -> bool {
        self.classes.contains(class)
    }

    /// The helpers in the order in which they are written.
    pub(crate) fn helpers(&self) -> impl Iterator<Item = &'static Helper> {
        ALL.iter().filter(|h| self.helpers.contains(h.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_name_what_they_import() {
        for helper in ALL {
            for (import, sign) in [
                (Import::Math, "math."),
                (Import::Optional, "Optional["),
                (Import::Torch, " torch."),
                (Import::Functional, " F."),
                (Import::Packed, "pack"),
            ] {
                let text = helper.text.replace(['(', '~', '-', '['], " ").replace("Optional ", "Optional[");
                let needs = text.contains(sign);
                assert_eq!(helper.imports.contains(&import), needs, "{} {import:?}", helper.name);
            }
            let others = ALL.iter().filter(|h| h.name != helper.name);
            for other in others {
                let call = format!(" {}(", other.name);
                assert!(
                    !helper.text.contains(&call),
                    "{} calls {}, which nothing would write",
                    helper.name,
                    other.name
                );
            }
        }
    }
}
