//! The syntax tree of Python expressions. [`super::make`] has constructors; only [`super::print`] turns it into text.

use cntk_parser::model::VariableId;
use std::borrow::Cow;

/// A value, which is computed once and either named or written where it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ValueId(pub(crate) u32);

/// A parameter, buffer or submodule of the module, written `self.name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StateId(pub(crate) u32);

/// How tightly an expression binds, loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Prec {
    Lowest,
    Compare,
    Or,
    And,
    Sum,
    Product,
    Unary,
    Power,
    Primary,
}

/// The PyTorch module that defines a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Module {
    Torch,
    /// `torch.nn.functional`, imported as `F`.
    Functional,
    Nn,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    /// Another value of the body.
    Value(ValueId),
    /// `self.name`.
    State(StateId),
    /// A parameter or constant. Where it is held is decided at the end.
    Weight(VariableId),
    /// An argument or a variable of the body.
    Local(String),
    /// A function, class or constant of PyTorch.
    Torch(Module, Cow<'static, str>),
    /// A function or layer that is written into the file where it is used.
    Helper(&'static str),
    /// A class that the file defines for this model.
    Class(String),
    /// A method of the module that the user has to write.
    Stub(String),
    Int(i128),
    /// A number as Python text, from [`super::literal::number`].
    Number(String),
    /// A string.
    Quoted(String),
    Bool(bool),
    Attribute(Box<Self>, Cow<'static, str>),
    Call(Box<Self>, Vec<Argument>),
    /// A call of a submodule.
    Layer(StateId, Weighs, Vec<Argument>),
    /// A module of a list, in a loop over it.
    Each(String, Weighs),
    Index(Box<Self>, Vec<Subscript>),
    Unary(Unary, Box<Self>),
    Binary(Binary, Box<Self>, Box<Self>),
    Tuple(Vec<Self>),
    List(Vec<Self>),
    /// `*[item for variables in iterable]`
    Repeat(Box<Self>, String, Box<Self>),
    /// `yes if condition else no`
    If(Box<[Self; 3]>),
    /// `None`
    Nothing,
    /// A tuple without parentheses, for statements.
    Bare(Vec<Self>),
}

/// How much of a reader's attention a layer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Weighs {
    /// A statement contains at most one such call.
    Statement,
    /// It may be wrapped around another layer's call.
    Little,
    /// A block of layers: a statement contains at most one such call.
    Block,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Argument {
    /// Its keyword.
    pub(crate) name: Option<&'static str>,
    pub(crate) value: Expr,
}

/// An entry between the brackets of an index.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Subscript {
    At(Expr),
    /// `None`: a new axis.
    New,
    /// `...`
    Ellipsis,
    /// `from:to:step`
    Range(Option<Expr>, Option<Expr>, Option<u64>),
}

impl Subscript {
    /// `:`
    pub(crate) const ALL: Self = Self::Range(None, None, None);
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Unary {
    Negative,
    Not,
}

/// Operators with two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Binary {
    Plus,
    Minus,
    Times,
    Over,
    /// `//`
    Floor,
    /// `%`
    Modulo,
    MatMul,
    Power,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// `is`
    Is,
}

impl Binary {
    /// The operator for exchanged operands; `None` if there is none.
    pub(crate) fn turned(self) -> Option<Self> {
        Some(match self {
            Self::Plus | Self::Times | Self::And | Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::Greater => Self::Less,
            Self::LessEqual => Self::GreaterEqual,
            Self::GreaterEqual => Self::LessEqual,
            Self::Minus | Self::Over | Self::Floor | Self::Modulo => return None,
            Self::MatMul | Self::Power | Self::Is => return None,
        })
    }

    /// The neutral right operand.
    pub(crate) fn neutral(self) -> Option<f64> {
        match self {
            Self::Plus | Self::Minus => Some(0.0),
            Self::Times | Self::Over | Self::Power => Some(1.0),
            _ => None,
        }
    }
}

impl Expr {
    /// How tightly it binds, except for a value, whose text is not known here.
    pub(crate) fn precedence(&self) -> Prec {
        match self {
            Self::Int(n) if *n < 0 => Prec::Unary,
            Self::Number(text) if text.starts_with('-') => Prec::Unary,
            Self::Unary(..) => Prec::Unary,
            Self::Binary(op, ..) => match op {
                Binary::Plus | Binary::Minus => Prec::Sum,
                Binary::Times | Binary::Over | Binary::Floor | Binary::Modulo | Binary::MatMul => Prec::Product,
                Binary::Power => Prec::Power,
                Binary::And => Prec::And,
                _ => Prec::Compare,
            },
            Self::Bare(_) | Self::If(_) => Prec::Lowest,
            _ => Prec::Primary,
        }
    }

    /// Can it be written out wherever it is used? So it is if it reads no value, and nothing of the module but an
    /// attribute.
    pub(crate) fn is_atom(&self) -> bool {
        let mut reads = false;
        self.each(&mut |e| reads |= matches!(e, Self::Value(_) | Self::State(_) | Self::Layer(..)));
        matches!(self, Self::State(_)) || (!reads && self.precedence() == Prec::Primary)
    }

    /// Calls `f` with the expression and everything in it, outermost first.
    pub(crate) fn each<'e>(&'e self, f: &mut impl FnMut(&'e Self)) {
        f(self);
        match self {
            Self::Attribute(x, _) | Self::Unary(_, x) => x.each(f),
            Self::Repeat(x, _, over) => {
                x.each(f);
                over.each(f);
            }
            Self::If(parts) => parts.iter().for_each(|e| e.each(f)),
            Self::Call(function, arguments) => {
                function.each(f);
                arguments.iter().for_each(|a| a.value.each(f));
            }
            Self::Layer(_, _, arguments) => arguments.iter().for_each(|a| a.value.each(f)),
            Self::Index(x, index) => {
                x.each(f);
                for s in index {
                    match s {
                        Subscript::At(e) => e.each(f),
                        Subscript::Range(from, to, _) => from.iter().chain(to).for_each(|e| e.each(f)),
                        Subscript::New | Subscript::Ellipsis => {}
                    }
                }
            }
            Self::Binary(_, a, b) => {
                a.each(f);
                b.each(f);
            }
            Self::Tuple(all) | Self::List(all) | Self::Bare(all) => all.iter().for_each(|e| e.each(f)),
            _ => {}
        }
    }

    /// Replaces every part for which `f` returns an expression, outermost first.
    pub(crate) fn rewrite(&self, f: &mut impl FnMut(&Self) -> Option<Self>) -> Self {
        if let Some(other) = f(self) {
            return other;
        }
        match self {
            Self::Attribute(x, name) => Self::Attribute(Box::new(x.rewrite(f)), name.clone()),
            Self::Call(function, arguments) => {
                let function = Box::new(function.rewrite(f));
                Self::Call(function, rewritten(arguments, f))
            }
            Self::Layer(state, weighs, arguments) => Self::Layer(*state, *weighs, rewritten(arguments, f)),
            Self::Index(x, index) => {
                let x = Box::new(x.rewrite(f));
                let index = index.iter().map(|s| match s {
                    Subscript::At(e) => Subscript::At(e.rewrite(f)),
                    Subscript::Range(from, to, step) => {
                        let from = from.as_ref().map(|e| e.rewrite(f));
                        Subscript::Range(from, to.as_ref().map(|e| e.rewrite(f)), *step)
                    }
                    Subscript::New | Subscript::Ellipsis => s.clone(),
                });
                Self::Index(x, index.collect())
            }
            Self::Unary(op, x) => Self::Unary(*op, Box::new(x.rewrite(f))),
            Self::Binary(op, a, b) => {
                let a = Box::new(a.rewrite(f));
                Self::Binary(*op, a, Box::new(b.rewrite(f)))
            }
            Self::Repeat(x, variables, over) => {
                let x = Box::new(x.rewrite(f));
                Self::Repeat(x, variables.clone(), Box::new(over.rewrite(f)))
            }
            Self::If(parts) => Self::If(Box::new(parts.each_ref().map(|e| e.rewrite(f)))),
            Self::Tuple(all) => Self::Tuple(all.iter().map(|e| e.rewrite(f)).collect()),
            Self::List(all) => Self::List(all.iter().map(|e| e.rewrite(f)).collect()),
            Self::Bare(all) => Self::Bare(all.iter().map(|e| e.rewrite(f)).collect()),
            _ => self.clone(),
        }
    }

    /// The values that it reads, in the order of the text.
    pub(crate) fn values(&self) -> Vec<ValueId> {
        let mut found = Vec::new();
        self.each(&mut |e| {
            if let Self::Value(id) = e {
                found.push(*id);
            }
        });
        found
    }
}

fn rewritten(arguments: &[Argument], f: &mut impl FnMut(&Expr) -> Option<Expr>) -> Vec<Argument> {
    arguments.iter().map(|a| Argument { name: a.name, value: a.value.rewrite(f) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_nothing_is_neutral() {
        for (op, neutral) in [
            (Binary::Plus, Some(0.0)),
            (Binary::Minus, Some(0.0)),
            (Binary::Times, Some(1.0)),
            (Binary::MatMul, None),
            (Binary::Less, None),
        ] {
            assert_eq!(op.neutral(), neutral, "{op:?}");
        }
        assert_eq!(Binary::Minus.turned(), None);
        assert_eq!(Binary::Less.turned(), Some(Binary::Greater));
    }
}
