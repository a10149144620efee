//! Constructors of expressions: `of(x).method("mean", args![1])`, `torch("cat", …)`, `of(x) + y`.

use super::literal::number;
use super::tree::{Argument, Binary, Expr, Module, StateId, Subscript, Unary, ValueId, Weighs};
use std::borrow::Cow;
use std::ops;

/// A function of `torch`.
pub(crate) fn torch(name: impl Into<Cow<'static, str>>, arguments: Vec<Argument>) -> Expr {
    Expr::Torch(Module::Torch, name.into()).call(arguments)
}

/// A function of `torch.nn.functional`.
pub(crate) fn functional(name: impl Into<Cow<'static, str>>, arguments: Vec<Argument>) -> Expr {
    Expr::Torch(Module::Functional, name.into()).call(arguments)
}

/// A layer of `torch.nn`.
pub(crate) fn nn(name: impl Into<Cow<'static, str>>, arguments: Vec<Argument>) -> Expr {
    Expr::Torch(Module::Nn, name.into()).call(arguments)
}

/// A call of a helper.
pub(crate) fn helper(name: &'static str, arguments: Vec<Argument>) -> Expr {
    Expr::Helper(name).call(arguments)
}

/// A keyword argument.
pub(crate) fn keyword(name: &'static str, value: impl Into<Expr>) -> Argument {
    Argument { name: Some(name), value: value.into() }
}

/// One number if all are equal, else a tuple.
pub(crate) fn numbers<T: Copy + PartialEq + Into<Expr>>(values: &[T]) -> Expr {
    match values.split_first() {
        Some((first, rest)) if rest.iter().all(|v| v == first) => (*first).into(),
        _ => tuple(values),
    }
}

/// A tuple, whatever its length.
pub(crate) fn tuple<T: Copy + Into<Expr>>(values: &[T]) -> Expr {
    Expr::Tuple(values.iter().map(|v| (*v).into()).collect())
}

/// The `dim` argument: a number for one dimension, else a tuple.
pub(crate) fn dimensions(axes: &[usize]) -> Expr {
    if let [one] = axes { (*one).into() } else { tuple(axes) }
}

/// A list.
pub(crate) fn list<T: Copy + Into<Expr>>(values: &[T]) -> Expr {
    Expr::List(values.iter().map(|v| (*v).into()).collect())
}

/// The arguments that give a shape: one per size, or an empty tuple if there are none.
pub(crate) fn shape(sizes: Vec<Expr>) -> Vec<Argument> {
    let sizes = if sizes.is_empty() { vec![Expr::Tuple(Vec::new())] } else { sizes };
    sizes.into_iter().map(Into::into).collect()
}

impl Expr {
    /// A call of a submodule that is a step of its own.
    pub(crate) fn layer(state: StateId, arguments: Vec<Argument>) -> Self {
        Self::Layer(state, Weighs::Statement, arguments)
    }

    /// A call of a submodule that may be wrapped around another's.
    pub(crate) fn wrapper(state: StateId, x: ValueId) -> Self {
        Self::Layer(state, Weighs::Little, vec![x.into()])
    }

    /// A floating-point number, in single precision if `single`.
    pub(crate) fn number(value: f64, single: bool) -> Self {
        Self::Number(number(value, single))
    }

    pub(crate) fn local(name: impl Into<String>) -> Self {
        Self::Local(name.into())
    }

    pub(crate) fn call(self, arguments: Vec<Argument>) -> Self {
        Self::Call(Box::new(self), arguments)
    }

    pub(crate) fn attribute(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self::Attribute(Box::new(self), name.into())
    }

    pub(crate) fn method(self, name: impl Into<Cow<'static, str>>, arguments: Vec<Argument>) -> Self {
        self.attribute(name).call(arguments)
    }

    pub(crate) fn index(self, index: Vec<Subscript>) -> Self {
        Self::Index(Box::new(self), index)
    }

    /// The element at one index.
    pub(crate) fn at(self, place: impl Into<Self>) -> Self {
        self.index(vec![Subscript::At(place.into())])
    }

    /// The size of one dimension.
    pub(crate) fn size(self, axis: usize) -> Self {
        self.attribute("shape").at(axis)
    }

    pub(crate) fn device(self) -> Argument {
        keyword("device", self.attribute("device"))
    }

    pub(crate) fn binary(op: Binary, left: impl Into<Self>, right: impl Into<Self>) -> Self {
        Self::Binary(op, Box::new(left.into()), Box::new(right.into()))
    }
}

macro_rules! becomes_expr {
    ($($from:ty: $make:expr),* $(,)?) => {$(
        impl From<$from> for Expr {
            fn from(value: $from) -> Self {
                $make(value)
            }
        }
        impl From<$from> for Argument {
            fn from(value: $from) -> Self {
                Self { name: None, value: value.into() }
            }
        }
    )*};
}

becomes_expr! {
    ValueId: Expr::Value,
    usize: |n| Expr::Int(n as i128),
    u64: |n| Expr::Int(i128::from(n)),
    i64: |n| Expr::Int(i128::from(n)),
    i32: |n| Expr::Int(i128::from(n)),
    bool: Expr::Bool,
    &'static str: |text: &str| Expr::Quoted(text.to_owned()),
}

impl From<Expr> for Argument {
    fn from(value: Expr) -> Self {
        Self { name: None, value }
    }
}

/// Arguments of a call, each whatever an [`Argument`] can be made of.
macro_rules! args {
    ($($argument:expr),* $(,)?) => {
        vec![$($crate::pytorch::python::expr::Argument::from($argument)),*]
    };
}
pub(crate) use args;

macro_rules! operators {
    ($($name:ident $method:ident),*) => {$(
        impl<R: Into<Expr>> ops::$name<R> for Expr {
            type Output = Self;
            fn $method(self, right: R) -> Self {
                Self::binary(operators!(@ $name), self, right)
            }
        }
    )*};
    (@ Add) => { Binary::Plus };
    (@ Sub) => { Binary::Minus };
    (@ Mul) => { Binary::Times };
    (@ Div) => { Binary::Over };
    (@ BitAnd) => { Binary::And };
}

operators!(Add add, Sub sub, Mul mul, Div div, BitAnd bitand);

impl ops::Neg for Expr {
    type Output = Self;
    fn neg(self) -> Self {
        Self::Unary(Unary::Negative, Box::new(self))
    }
}

impl ops::Not for Expr {
    type Output = Self;
    fn not(self) -> Self {
        Self::Unary(Unary::Not, Box::new(self))
    }
}

/// A value in an expression: `of(x).method(…)`, `of(x) + y`.
pub(crate) fn of(id: ValueId) -> Expr {
    Expr::Value(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_wherever_it_is_used() {
        let x = ValueId(0);
        assert!(Expr::number(2.0, true).is_atom());
        assert!(!Expr::number(-2.0, true).is_atom());
        assert!(Expr::State(StateId(0)).is_atom());
        assert!(!Expr::State(StateId(0)).attribute("weight").is_atom());
        assert!(!of(x).is_atom());
    }
}
