//! Loops in `__init__` that fill lists of modules: the stages of a network, and lists that a loop of `forward` goes over.

use crate::pytorch::helpers::Needs;
use crate::pytorch::python::expr::{Expr, StateId};
use crate::pytorch::python::print::constant;
use crate::pytorch::python::wrap::Lines;

/// How long the line that begins a loop may be.
const LINE: usize = 80;

/// A loop that fills lists.
#[derive(Clone, Debug)]
pub(crate) struct Filling {
    /// The lists, and what makes them empty.
    pub(super) lists: Vec<(StateId, Expr)>,
    /// The loop's variables, and what they go over.
    pub(super) variables: String,
    pub(super) over: Expr,
    /// What each turn does with the lists.
    pub(super) statements: Vec<Expr>,
}

impl Filling {
    pub(crate) fn lists(&self) -> impl Iterator<Item = StateId> {
        self.lists.iter().map(|(id, _)| *id)
    }

    /// The same for other lists.
    pub(super) fn with_lists(&self, ids: &[StateId]) -> Self {
        let place = |id: StateId| self.lists().position(|own| own == id);
        let other = |e: &Expr| match e {
            Expr::State(id) => Some(Expr::State(*ids.get(place(*id)?)?)),
            _ => None,
        };
        Self {
            lists: ids.iter().zip(&self.lists).map(|(id, (_, empty))| (*id, empty.clone())).collect(),
            statements: self.statements.iter().map(|s| s.rewrite(&mut { other })).collect(),
            ..self.clone()
        }
    }

    /// How many lines it takes; `None` where the first one would be too long.
    pub(super) fn length(&self) -> Option<usize> {
        let mut lines = Lines::default();
        self.write(&|_| "layers1".to_owned(), &mut lines);
        let first = "for  in :".len() + self.variables.len() + constant(&self.over).len();
        (first <= LINE).then(|| lines.finish().lines().count())
    }

    /// Writes the lists and the loop.
    pub(crate) fn write(&self, name: &impl Fn(StateId) -> String, lines: &mut Lines) {
        let own = |id: StateId| Expr::local("self").attribute(name(id));
        let empty: Vec<[String; 2]> = self.lists.iter().map(|(id, e)| [constant(&own(*id)), constant(e)]).collect();
        let all = |k: usize| empty.iter().map(|e| e[k].as_str()).collect::<Vec<_>>().join(", ");
        let together = format!("{} = {}", all(0), all(1));
        if together.len() <= LINE {
            lines.push(2, &together);
        } else {
            empty.iter().for_each(|[list, made]| lines.push(2, &format!("{list} = {made}")));
        }
        lines.push(2, &format!("for {} in {}:", self.variables, constant(&self.over)));
        for statement in &self.statements {
            let statement = statement.rewrite(&mut |e| match e {
                Expr::State(id) => Some(own(*id)),
                _ => None,
            });
            lines.statement(3, "", &constant(&statement));
        }
    }

    /// Takes in what it calls.
    pub(crate) fn see(&self, needs: &mut Needs) {
        self.lists.iter().for_each(|(_, empty)| needs.see(empty));
        self.statements.iter().for_each(|s| needs.see(s));
    }
}
