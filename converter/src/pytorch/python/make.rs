//! Constructors of expressions: `of(x).method("mean", args![1])`, `torch("cat", …)`, `of(x) + y`.

use super::expr::{Argument, Binary, Expr, Module, Unary, ValueId};
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
