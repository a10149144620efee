//! What segments that are equal but for weights and sizes have in common, and the numbers in which they may differ.

use super::Network;
use super::segments::Segment;
use crate::pytorch::python::code::looked_at;
use crate::pytorch::python::expr::{Argument, Expr, Module, StateId, Subscript, ValueId, nn};
use crate::pytorch::python::print::constant;
use crate::pytorch::state::{Kind, State};
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;

/// Arguments of layers that may be left out, and what they are then.
const DEFAULTS: [(&str, Default); 10] = [
    ("stride", Default::Int(1)),
    ("padding", Default::Int(0)),
    ("output_padding", Default::Int(0)),
    ("groups", Default::Int(1)),
    ("dilation", Default::Int(1)),
    ("bias", Default::Bool(true)),
    ("eps", Default::Number("1e-5")),
    ("axes", Default::Int(1)),
    ("num_layers", Default::Int(1)),
    ("bidirectional", Default::Bool(false)),
];

#[derive(Clone, Copy)]
enum Default {
    Int(i128),
    Bool(bool),
    Number(&'static str),
}

/// What an argument is where it is left out; `None` where it cannot be.
pub(super) fn default(name: &str) -> Option<Expr> {
    let (_, value) = DEFAULTS.iter().find(|(n, _)| *n == name)?;
    Some(match value {
        Default::Int(n) => Expr::Int(*n),
        Default::Bool(b) => Expr::Bool(*b),
        Default::Number(text) => Expr::Number((*text).to_owned()),
    })
}

/// The names of these arguments.
pub(super) fn defaulted() -> impl Iterator<Item = &'static str> {
    DEFAULTS.iter().map(|(name, _)| *name)
}

/// A place where equal segments may have different numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slot {
    /// What a constructor would call it.
    pub(super) name: &'static str,
    /// `None` in units that lack the part which it belongs to.
    pub(super) value: Option<Expr>,
}

/// The form of a segment.
#[derive(Clone, Debug)]
pub(super) struct Form {
    /// Equal for segments that differ in numbers alone.
    pub(super) shape: Rc<str>,
    pub(super) slots: Vec<Slot>,
    /// How many layers take a statement of their own.
    pub(super) layers: usize,
    /// How wide its expressions are.
    pub(super) width: usize,
    /// Is it one layer or function that `nn.Sequential` can hold?
    pub(super) straight: bool,
    /// What it computes, in words that a class may be named after.
    pub(super) words: Vec<&'static str>,
}

/// The network's first segment reads shapes and types of its own entry, as it is an argument. Where others have the form
/// that this one has as a reader of that argument, it gets it, too.
pub(super) fn fit_first(network: &Network<'_>, segments: &mut [Segment], forms: &mut [Option<Form>]) {
    let (Some(first), Some(Some(form)), [_, others @ ..]) = (segments.first(), forms.first(), &*forms) else { return };
    let stands = |form: &Form| others.iter().flatten().any(|f| f.shape == form.shape);
    let is_argument = first.entry.is_some_and(|v| matches!(network.body.expr(v), Expr::Local(_)));
    if stands(form) || !is_argument {
        return;
    }
    let other = Segment { shapes: true, ..first.clone() }.again(network.body);
    if let Some(form) = of(network, &other).filter(stands) {
        segments[0] = other;
        forms[0] = Some(form);
    }
}

/// The form of a segment; `None` where it cannot be a module of its own.
pub(super) fn of(network: &Network<'_>, segment: &Segment) -> Option<Form> {
    if !segment.alone {
        return None;
    }
    let mut writer = Writer::new(segment);
    for s in &segment.states {
        writer.state(&network.states[s.0 as usize])?;
    }
    writer.values(network, segment);
    let calls = |v: &&ValueId| network.body.values[v.0 as usize].expr.calls().layers > 0;
    let layers = segment.values.iter().filter(calls).count();
    let computed = segment.values.iter().filter(|v| !network.body.values[v.0 as usize].is_atom);
    let width = computed.map(|v| constant(network.body.expr(*v)).len() + network.body.code(*v).reads().len()).sum();
    let words = super::names::words(network, &segment.values);
    let straight = match (segment.values.as_slice(), segment.entry) {
        ([one], Some(entry)) => link(&network.body.values[one.0 as usize].expr, entry, network.states).is_some(),
        _ => false,
    };
    Some(Form { shape: writer.shape.into(), slots: writer.slots, layers, width, straight, words })
}

/// Text that is equal for pieces of state that differ in weights and sizes alone, and the sizes.
pub(super) fn of_state(state: &State) -> Option<(String, Vec<Slot>)> {
    let mut writer = Writer::new(&Segment::gap());
    writer.state(state)?;
    Some((writer.shape, writer.slots))
}

/// The numbers of an expression in which equal ones may differ.
pub(super) fn of_expr(expr: &Expr) -> Vec<Slot> {
    let mut writer = Writer::new(&Segment::gap());
    writer.expr(expr, "size");
    writer.slots
}

/// Text that is equal for segments that compute the same with the same weights.
pub(super) fn exactly(network: &Network<'_>, segment: &Segment) -> Option<String> {
    segment.entry?;
    let mut writer = Writer::new(segment);
    let _ = write!(writer.shape, "{:?} ", segment.states);
    writer.values(network, segment);
    for slot in &writer.slots {
        let _ = write!(writer.shape, " {}", slot.value.as_ref().map(constant).unwrap_or_default());
    }
    Some(writer.shape)
}

struct Writer {
    numbers: HashMap<ValueId, usize>,
    states: HashMap<StateId, usize>,
    entry: Option<ValueId>,
    /// Are the entry's shape and type those of an argument?
    shapes: bool,
    /// Is the next expression read for no more than these?
    looking: bool,
    shape: String,
    slots: Vec<Slot>,
}

impl Writer {
    fn new(segment: &Segment) -> Self {
        Self {
            numbers: segment.values.iter().zip(0..).map(|(v, i)| (*v, i)).collect(),
            states: segment.states.iter().zip(0..).map(|(s, i)| (*s, i)).collect(),
            entry: segment.entry,
            shapes: segment.shapes,
            looking: false,
            shape: String::new(),
            slots: Vec::new(),
        }
    }

    fn values(&mut self, network: &Network<'_>, segment: &Segment) {
        for v in &segment.values {
            let value = &network.body.values[v.0 as usize];
            self.expr(&value.expr, "size");
            self.shape.push(if value.is_atom { ';' } else { '\n' });
        }
    }

    fn slot(&mut self, name: &'static str, value: Expr) {
        self.shape.push('#');
        self.slots.push(Slot { name, value: Some(value) });
    }

    /// A piece of state: everything but the arguments of its constructor is part of the form.
    fn state(&mut self, state: &State) -> Option<()> {
        let optional = matches!(state.kind, Kind::Optional(..));
        for held in state.tensors.iter().filter(|_| !optional) {
            let dims: &[u64] = if matches!(state.kind, Kind::Module(_)) { &[] } else { &held.dims };
            let _ = write!(self.shape, "{} {:?} {} {dims:?} ", held.suffix, held.elem, held.trainable);
        }
        match &state.kind {
            Kind::Parameter => self.shape.push_str("parameter "),
            Kind::Buffer => self.shape.push_str("buffer "),
            Kind::Module(constructor) => self.constructor(constructor)?,
            Kind::Optional(present, constructor, absent) => {
                let _ = write!(self.shape, "optional {} ", constant(absent));
                self.slot(state.fallback, present.clone());
                let first = self.slots.len();
                self.constructor(constructor)?;
                if *present == Expr::Bool(false) {
                    self.slots[first..].iter_mut().for_each(|slot| slot.value = None);
                }
            }
            Kind::Blocks(_) | Kind::List(..) => return None,
        }
        self.shape.push('\n');
        Some(())
    }

    fn constructor(&mut self, constructor: &Expr) -> Option<()> {
        let (function, arguments, after) = constructor.construction()?;
        let _ = write!(self.shape, "{}{after} ", constant(function));
        if is_sequential(function) {
            return arguments.iter().try_for_each(|a| self.constructor(&a.value));
        }
        let positions = names_of(function);
        for (i, a) in arguments.iter().filter(|a| a.name.is_none()).enumerate() {
            self.slot(positions.get(i).copied().unwrap_or("size"), a.value.clone());
        }
        for (name, _) in DEFAULTS {
            let given = arguments.iter().find(|a| a.name == Some(name));
            let value = given.map(|a| a.value.clone()).or_else(|| default(name));
            self.slot(name, value?);
        }
        for a in arguments {
            if let Some(name) = a.name
                && default(name).is_none()
            {
                let _ = write!(self.shape, "{name}={} ", constant(&a.value));
            }
        }
        Some(())
    }

    fn expr(&mut self, expr: &Expr, name: &'static str) {
        let looking = std::mem::take(&mut self.looking);
        match expr {
            Expr::Value(v) if Some(*v) == self.entry && !(looking && self.shapes) => self.shape.push_str("entry"),
            Expr::Value(v) => match self.numbers.get(v) {
                Some(number) => {
                    let _ = write!(self.shape, "v{number}");
                }
                // What every segment reads as it is.
                None => {
                    let _ = write!(self.shape, "context{}", v.0);
                }
            },
            Expr::State(s) => {
                let _ = write!(self.shape, "s{}", self.states.get(s).copied().unwrap_or(usize::MAX));
            }
            // `-n` stands for the same number as `n`.
            Expr::Int(n) if *n < 0 && *n > i128::MIN => {
                self.shape.push('-');
                self.slot(name, Expr::Int(-n));
            }
            Expr::Int(_) => self.slot(name, expr.clone()),
            Expr::Layer(s, _, arguments) => {
                let _ = write!(self.shape, "s{}(", self.states.get(s).copied().unwrap_or(usize::MAX));
                self.arguments(arguments);
            }
            Expr::Attribute(x, attribute) => {
                self.looking = looked_at(expr).is_some();
                self.expr(x, name);
                let _ = write!(self.shape, ".{attribute}");
            }
            Expr::Call(function, arguments) => {
                self.expr(function, name);
                self.shape.push('(');
                self.looking = looked_at(expr).is_some();
                self.arguments(arguments);
            }
            Expr::Index(x, index) => {
                self.expr(x, name);
                self.shape.push('[');
                for s in index {
                    self.subscript(s, name);
                    self.shape.push(',');
                }
                self.shape.push(']');
            }
            Expr::Unary(op, x) => {
                let _ = write!(self.shape, "{op:?} ");
                self.expr(x, name);
            }
            Expr::Binary(op, a, b) => {
                let _ = write!(self.shape, "({op:?} ");
                self.expr(a, name);
                self.shape.push(' ');
                self.expr(b, name);
                self.shape.push(')');
            }
            Expr::If(parts) => {
                self.shape.push_str("if(");
                for e in parts.iter() {
                    self.expr(e, name);
                    self.shape.push(',');
                }
                self.shape.push(')');
            }
            Expr::Tuple(all) | Expr::List(all) | Expr::Bare(all) => {
                self.shape.push_str(if matches!(expr, Expr::List(_)) { "list(" } else { "tuple(" });
                for e in all {
                    self.expr(e, name);
                    self.shape.push(',');
                }
                self.shape.push(')');
            }
            other => self.shape.push_str(&constant(other)),
        }
    }

    fn subscript(&mut self, subscript: &Subscript, name: &'static str) {
        match subscript {
            Subscript::At(e) => self.expr(e, name),
            Subscript::New => self.shape.push_str("None"),
            Subscript::Ellipsis => self.shape.push_str("..."),
            Subscript::Range(from, to, step) => {
                from.iter().for_each(|e| self.expr(e, name));
                self.shape.push(':');
                to.iter().for_each(|e| self.expr(e, name));
                let _ = write!(self.shape, ":{step:?}");
            }
        }
    }

    fn arguments(&mut self, arguments: &[Argument]) {
        for a in arguments {
            let name = a.name.unwrap_or("size");
            self.shape.push_str(a.name.unwrap_or(""));
            self.expr(&a.value, if name == "keepdim" { "size" } else { name });
            self.shape.push(',');
        }
        self.shape.push(')');
    }
}

/// The module that computes an expression from `x`, where `nn.Sequential` can hold one.
pub(super) fn link(expr: &Expr, x: ValueId, states: &[State]) -> Option<Expr> {
    let given = |a: &Argument| a.name.is_none() && a.value == Expr::Value(x);
    match expr {
        Expr::Layer(s, _, arguments) if arguments.len() == 1 && given(&arguments[0]) => {
            let state = &states[s.0 as usize];
            match &state.kind {
                Kind::Module(constructor) if state.init("name").len() == 1 => Some(constructor.clone()),
                _ => None,
            }
        }
        Expr::Call(function, arguments) => {
            let plain = |name: &'static str| Some(nn(name, Vec::new()));
            match (&**function, arguments.as_slice()) {
                (Expr::Attribute(object, name), []) if **object == Expr::Value(x) => match &**name {
                    "tanh" => plain("Tanh"),
                    "sigmoid" => plain("Sigmoid"),
                    _ => None,
                },
                (Expr::Torch(Module::Functional, name), [first, rest @ ..]) if given(first) => match &**name {
                    "relu" if rest.is_empty() => plain("ReLU"),
                    "elu" if rest.is_empty() => plain("ELU"),
                    "max_pool2d" => Some(nn("MaxPool2d", rest.to_vec())),
                    "avg_pool2d" => Some(nn("AvgPool2d", rest.to_vec())),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

/// Does a constructor make a chain of modules?
pub(super) fn is_chain(constructor: &Expr) -> bool {
    matches!(constructor, Expr::Call(function, _) if is_sequential(function))
}

/// Does it make a chain of the modules that it is given?
pub(super) fn is_sequential(function: &Expr) -> bool {
    matches!(function, Expr::Torch(Module::Nn, name) if name == "Sequential")
}

/// What a layer calls its arguments.
fn names_of(function: &Expr) -> &'static [&'static str] {
    match function {
        Expr::Torch(Module::Nn, name) if name.starts_with("Conv") => &["in_channels", "out_channels", "kernel_size"],
        Expr::Torch(Module::Nn, name) if name == "Linear" => &["in_features", "out_features"],
        Expr::Torch(Module::Nn, name) if name.starts_with("BatchNorm") => &["channels"],
        Expr::Torch(Module::Nn, name) if name == "Dropout" => &["rate"],
        Expr::Torch(Module::Nn, name) if matches!(&**name, "LSTM" | "GRU" | "RNN") => &["inputs", "hidden"],
        Expr::Class(_) => &["inputs", "hidden", "outputs"],
        _ => &["size"],
    }
}
