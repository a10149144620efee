//! Lists of modules that take more than one statement of `__init__`: a loop fills them, such as the stages of a network or
//! lists that a loop of `forward` goes over, or one is made from a table of sizes.

use crate::pytorch::helpers::Needs;
use crate::pytorch::python::expr::{Expr, StateId};
use crate::pytorch::python::print::constant;
use crate::pytorch::python::wrap::Lines;
use std::collections::HashMap;

/// How long a line may be.
const LINE: usize = 80;

/// What a table of sizes is called.
pub(super) const SIZES: &str = "sizes";

/// What makes lists.
#[derive(Clone, Debug)]
pub(crate) struct Filling {
    /// The lists, and what makes each: an empty one where a loop fills it.
    pub(super) lists: Vec<(StateId, Expr)>,
    /// A table that is written before them.
    pub(super) sizes: Option<(String, Expr)>,
    pub(super) turns: Option<Turns>,
}

/// A loop that fills lists.
#[derive(Clone, Debug)]
pub(super) struct Turns {
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
    pub(super) fn with_lists(mut self, ids: &[StateId]) -> Self {
        let place: HashMap<StateId, StateId> = self.lists().zip(ids.iter().copied()).collect();
        self.lists.iter_mut().zip(ids).for_each(|((list, _), id)| *list = *id);
        for statement in self.turns.iter_mut().flat_map(|t| &mut t.statements) {
            *statement = statement.rewrite(&mut |e| match e {
                Expr::State(id) => place.get(id).map(|id| Expr::State(*id)),
                _ => None,
            });
        }
        self
    }

    /// The same with other expressions.
    pub(super) fn rewritten(mut self, f: &impl Fn(&Expr) -> Expr) -> Self {
        self.lists.iter_mut().for_each(|(_, made)| *made = f(made));
        self.turns.iter_mut().flat_map(|t| &mut t.statements).for_each(|s| *s = f(s));
        self
    }

    /// Numbers the tables of a network.
    pub(super) fn name_tables(all: &mut [Self]) {
        let tables = all.iter_mut().filter_map(|f| Some((f.sizes.as_mut()?, &mut f.lists)));
        for (number, ((name, _), lists)) in (1..).zip(tables).skip(1) {
            *name = format!("{SIZES}{number}");
            for (_, made) in lists {
                *made = made.rewrite(&mut |e| (*e == Expr::local(SIZES)).then(|| Expr::local(name.clone())));
            }
        }
    }

    /// How many lines it takes; `None` where the first one would be too long.
    pub(super) fn length(&self) -> Option<usize> {
        let mut lines = Lines::default();
        self.write(&|_| "layers".to_owned(), &mut lines);
        let sizes = self.sizes.iter().map(|(name, sizes)| name.len() + " = ".len() + constant(sizes).len());
        let turns = self.turns.iter().map(|t| "for  in :".len() + t.variables.len() + constant(&t.over).len());
        sizes.chain(turns).all(|width| width <= LINE).then(|| lines.finish().lines().count())
    }

    /// Writes it.
    pub(crate) fn write(&self, name: &impl Fn(StateId) -> String, lines: &mut Lines) {
        let own = |id: StateId| Expr::local("self").attribute(name(id));
        if let Some((name, sizes)) = &self.sizes {
            lines.push(2, &format!("{name} = {}", constant(sizes)));
        }
        let made: Vec<[String; 2]> = self.lists.iter().map(|(id, e)| [constant(&own(*id)), constant(e)]).collect();
        let lists = made.iter().map(|m| m[0].as_str()).collect::<Vec<_>>().join(", ");
        let each = made.iter().map(|m| m[1].as_str()).collect::<Vec<_>>().join(", ");
        let all = match made.as_slice() {
            [[_, one], rest @ ..] if rest.len() > 1 && rest.iter().all(|m| m[1] == *one) => {
                format!("{lists} = ({one} for _ in range({}))", made.len())
            }
            _ => format!("{lists} = {each}"),
        };
        if made.len() > 1 && all.len() <= LINE {
            lines.push(2, &all);
        } else {
            made.iter().for_each(|[list, made]| lines.statement(2, &format!("{list} = "), made));
        }
        let Some(turns) = &self.turns else { return };
        lines.push(2, &format!("for {} in {}:", turns.variables, constant(&turns.over)));
        for statement in &turns.statements {
            let statement = statement.rewrite(&mut |e| match e {
                Expr::State(id) => Some(own(*id)),
                _ => None,
            });
            lines.statement(3, "", &constant(&statement));
        }
    }

    /// Takes in what it calls.
    pub(crate) fn see(&self, needs: &mut Needs) {
        self.lists.iter().for_each(|(_, made)| needs.see(made));
        self.turns.iter().flat_map(|t| &t.statements).for_each(|s| needs.see(s));
    }
}
