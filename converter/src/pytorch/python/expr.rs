//! Python expressions: text with holes for other values, and just enough of the grammar to know where parentheses go.

use cntk_parser::model::VariableId;
use std::fmt::Write;

/// A value: something computed once and named or written where it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ValueId(pub(crate) u32);

/// Something that the module holds: a parameter, a buffer, a submodule. Written `self.name`.
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
    Primary,
}

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// As it is.
    Text(String),
    /// A value, parenthesised if it binds less tightly.
    Value(ValueId, Prec),
    /// `self.name`.
    State(StateId),
    /// A parameter or constant: where it is held is settled at the end.
    Weight(VariableId),
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expr {
    pub(crate) parts: Vec<Part>,
    pub(crate) prec: Prec,
}

impl Expr {
    /// A name or literal.
    pub(crate) fn atom(text: impl Into<String>) -> Self {
        let text = text.into();
        let prec = precedence(&text);
        Self { parts: vec![Part::Text(text)], prec }
    }

    /// A parameter or constant of the model.
    pub(crate) fn weight(id: VariableId) -> Self {
        Self { parts: vec![Part::Weight(id)], prec: Prec::Primary }
    }

    /// Python text in which `$0` stands for the first value, `%0` for the first piece of state.
    pub(crate) fn parse(template: &str, values: &[ValueId], states: &[StateId]) -> Self {
        let prec = precedence(template);
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = template;
        while let Some(at) = rest.find(['$', '%']) {
            let (before, hole) = rest.split_at(at);
            let digits = hole[1..].bytes().take_while(u8::is_ascii_digit).count();
            let (hole, after) = hole.split_at(1 + digits);
            text.push_str(before);
            rest = after;
            let Ok(number) = hole[1..].parse::<usize>() else {
                text.push_str(hole);
                continue;
            };
            let need = left_context(&text).max(right_context(after));
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(match hole.as_bytes().first() {
                Some(b'$') => Part::Value(values[number], need),
                _ => Part::State(states[number]),
            });
        }
        text.push_str(rest);
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Self { parts, prec }
    }

    /// The values that it reads.
    pub(crate) fn values(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.parts.iter().filter_map(|p| if let Part::Value(id, _) = p { Some(*id) } else { None })
    }

    /// What it reads of the module.
    pub(crate) fn states(&self) -> impl Iterator<Item = StateId> + '_ {
        self.parts.iter().filter_map(|p| if let Part::State(id) = p { Some(*id) } else { None })
    }

    /// Is it a name, literal or piece of state: as short where it is used as a name for it would be?
    pub(crate) fn is_atom(&self) -> bool {
        self.values().next().is_none() && self.prec == Prec::Primary && self.parts.len() == 1
    }
}

/// What the text before a hole asks of the value in it.
fn left_context(before: &str) -> Prec {
    let ends = |s: &[&str]| s.iter().any(|s| before.ends_with(s));
    if ends(&[" * ", " / ", " @ ", " // ", " % "]) || ends(&["-", "~"]) {
        Prec::Unary
    } else if ends(&[" + ", " - "]) {
        Prec::Product
    } else if ends(&[" & "]) {
        Prec::Sum
    } else if ends(&[" | "]) {
        Prec::And
    } else if ends(&[" < ", " > ", " == ", " != ", " <= ", " >= "]) {
        Prec::Or
    } else {
        Prec::Lowest
    }
}

/// What the text behind a hole asks of the value in it.
fn right_context(after: &str) -> Prec {
    let starts = |s: &[&str]| s.iter().any(|s| after.starts_with(s));
    if starts(&[".", "[", "("]) {
        Prec::Primary
    } else if starts(&[" * ", " / ", " @ ", " // ", " % "]) {
        Prec::Product
    } else if starts(&[" + ", " - "]) {
        Prec::Sum
    } else if starts(&[" & "]) {
        Prec::And
    } else if starts(&[" | ", " < ", " > ", " == ", " != ", " <= ", " >= "]) {
        Prec::Or
    } else {
        Prec::Lowest
    }
}

/// The loosest operator outside of brackets.
fn precedence(text: &str) -> Prec {
    let mut depth = 0usize;
    let mut least = if text.starts_with(['-', '~']) { Prec::Unary } else { Prec::Primary };
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                let operator = text[at + 1..].split(' ').next().unwrap_or_default();
                least = least.min(match operator {
                    "*" | "/" | "@" | "//" | "%" => Prec::Product,
                    "+" | "-" => Prec::Sum,
                    "&" => Prec::And,
                    "|" => Prec::Or,
                    "<" | ">" | "==" | "!=" | "<=" | ">=" => Prec::Compare,
                    "if" | "for" => Prec::Lowest,
                    _ => continue,
                });
            }
            ',' if depth == 0 => least = Prec::Lowest,
            _ => {}
        }
    }
    least
}

/// A number as Python writes it, in the shortest form that gives the same number in the type.
pub(crate) fn number(value: f64, single: bool) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "what does not fit the type is infinite in it")]
    let single = single.then_some(value as f32);
    let held = single.map_or(value, f64::from);
    if held.is_nan() {
        return "float(\"nan\")".to_owned();
    }
    if held.is_infinite() {
        return format!("{}float(\"inf\")", if held < 0.0 { "-" } else { "" });
    }
    single.map_or_else(|| format!("{value:?}"), |single| format!("{single:?}"))
}

/// A Python tuple of numbers; of one, just the number.
pub(crate) fn numbers<T: Copy + PartialEq + std::fmt::Display>(values: &[T]) -> String {
    if let Some((first, rest)) = values.split_first()
        && rest.iter().all(|v| v == first)
    {
        return first.to_string();
    }
    tuple(values)
}

/// A Python tuple, whatever its length.
pub(crate) fn tuple<T: std::fmt::Display>(values: &[T]) -> String {
    let mut text = String::from("(");
    for (i, v) in values.iter().enumerate() {
        let _ = write!(text, "{}{v}", if i > 0 { ", " } else { "" });
    }
    if values.len() == 1 {
        text.push(',');
    }
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(template: &str) -> Vec<Prec> {
        let ids = [ValueId(0), ValueId(1), ValueId(2)];
        let parse = Expr::parse(template, &ids, &[]);
        parse.parts.iter().filter_map(|p| if let Part::Value(_, n) = p { Some(*n) } else { None }).collect()
    }

    #[test]
    fn holes_know_what_they_need() {
        assert_eq!(needs("$0 + $1"), [Prec::Sum, Prec::Product]);
        assert_eq!(needs("$0 * $1"), [Prec::Product, Prec::Unary]);
        assert_eq!(needs("F.relu($0)"), [Prec::Lowest]);
        assert_eq!(needs("$0.reshape($1.shape[0], -1)"), [Prec::Primary, Prec::Primary]);
        assert_eq!(needs("torch.where($0 != 0, $1, $2)"), [Prec::Or, Prec::Lowest, Prec::Lowest]);
        assert_eq!(needs("-$0"), [Prec::Unary]);
    }

    #[test]
    fn precedences() {
        assert_eq!(Expr::atom("x.mean((2, 3))").prec, Prec::Primary);
        assert_eq!(Expr::atom("(a + b) * c").prec, Prec::Product);
        assert_eq!(Expr::atom("-1.5").prec, Prec::Unary);
        assert_eq!(Expr::atom("a != b").prec, Prec::Compare);
    }

    #[test]
    fn literals() {
        assert_eq!(number(f64::from(0.1f32), true), "0.1");
        assert_eq!(number(1.0, true), "1.0");
        assert_eq!(number(1e300, true), "float(\"inf\")");
        assert_eq!(number(1e-7, false), "1e-7");
        assert_eq!(number(1e20, false), "1e20");
        assert_eq!(numbers(&[2, 2]), "2");
        assert_eq!(numbers(&[2, 1]), "(2, 1)");
        assert_eq!(tuple(&[2]), "(2,)");
    }
}
