//! A model under construction: its records, and the values that further functions can read.

use super::options::Options;
use super::values::{batch_axis, dictionary, entry, flag, list, number, row_shape, sequence_axis, text};
use crate::mutate::{Choice, tagged};
use crate::schema::{DictionaryValue, DoubleValues, Entry, FloatValues, Member, NdArrayView, NdShape, Values};
use arbitrary::Unstructured;
use cntk_parser::ops::{Op, OpSpec};

/// `NDArrayView.DataType`.
pub const FLOAT: u64 = 1;
pub const DOUBLE: u64 = 2;
pub const HALF: u64 = 4;

/// A value that functions can read, with its type.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// The uid in references.
    pub uid: String,
    /// The function that computes it.
    pub function: Option<String>,
    /// The row-major shape; `None` for a size known only at run time.
    pub shape: Vec<Option<u64>>,
    /// `DataType`.
    pub elem: u64,
    /// Does it have the batch axis?
    pub batch: bool,
    /// Its sequence axis: an index into the maker's names.
    pub sequence: Option<usize>,
}

impl Value {
    /// The shape, if all of it is known.
    pub fn known(&self) -> Option<Vec<u64>> {
        self.shape.iter().copied().collect()
    }

    /// Does it have the dynamic axes of `other`?
    pub fn same_axes(&self, other: &Self) -> bool {
        (self.batch, self.sequence) == (other.batch, other.sequence)
    }

    /// The value of a function with the same type as this one.
    pub fn like(&self) -> Self {
        Self { uid: String::new(), function: None, ..self.clone() }
    }

    /// This type with another shape.
    pub fn shaped(&self, shape: Vec<Option<u64>>) -> Self {
        Self { shape, ..self.like() }
    }
}

/// Makes a model.
pub struct Maker<'c, 'b> {
    pub choice: &'c mut Unstructured<'b>,
    pub options: Options,
    pub variables: Vec<DictionaryValue>,
    pub functions: Vec<DictionaryValue>,
    /// The values that can be read here.
    pub pool: Vec<Value>,
    /// Every value of a function, also inside blocks.
    pub all: Vec<Value>,
    pub operators: Vec<&'static str>,
    pub refusable: bool,
    /// Uids of parameters and constants, in order.
    pub stored: Vec<String>,
    pub depth: u32,
    axes: Vec<String>,
    elem: u64,
    counter: usize,
}

impl<'c, 'b> Maker<'c, 'b> {
    pub fn new(choice: &'c mut Unstructured<'b>, options: Options) -> Self {
        let elem = match choice.below(8) {
            0 => DOUBLE,
            1 if !options.runnable => HALF,
            _ => FLOAT,
        };
        Self {
            choice,
            options,
            variables: Vec::new(),
            functions: Vec::new(),
            pool: Vec::new(),
            all: Vec::new(),
            operators: Vec::new(),
            refusable: false,
            stored: Vec::new(),
            depth: 0,
            axes: vec!["defaultDynamicAxis".to_owned(), "second".to_owned()],
            elem,
            counter: 0,
        }
    }

    /// A size of an axis.
    pub fn size(&mut self) -> u64 {
        1 + self.choice.below(5) as u64
    }

    /// A shape of up to `rank` axes.
    pub fn shape(&mut self, rank: usize) -> Vec<u64> {
        (0..self.choice.below(rank + 1)).map(|_| self.size()).collect()
    }

    /// Another sequence axis.
    pub fn new_axis(&mut self, name: String) -> usize {
        self.axes.push(name);
        self.axes.len() - 1
    }

    /// A list of a value's dynamic axes.
    pub fn dynamic_axes(&self, batch: bool, sequence: Option<usize>) -> DictionaryValue {
        let mut axes: Vec<_> = sequence.map(|s| sequence_axis(&self.axes[s])).into_iter().collect();
        if batch {
            axes.push(batch_axis());
        }
        list(axes)
    }

    fn unique(&mut self, prefix: &str) -> String {
        self.counter += 1;
        format!("{prefix}{}", self.counter)
    }

    /// A new input of the model.
    pub fn input(&mut self) {
        let sequence = [None, Some(0), Some(1)][self.choice.below(3)];
        let mut shape: Vec<_> = self.shape(4).into_iter().map(Some).collect();
        if !self.options.runnable && self.choice.one_in(8) && shape.len() > 1 {
            let axis = 1 + self.choice.below(shape.len() - 1);
            shape[axis] = None;
        }
        let batch = sequence.is_some() || !self.choice.one_in(16);
        let value = Value { shape, batch, sequence, ..self.blank() };
        let uid = self.unique("Input");
        let value = self.variable(0, value, uid, None);
        self.pool.push(value);
    }

    fn blank(&self) -> Value {
        Value { uid: String::new(), function: None, shape: Vec::new(), elem: self.elem, batch: false, sequence: None }
    }

    /// A placeholder of a value's type, with this uid or a new one.
    pub fn placeholder(&mut self, like: &Value, uid: Option<String>) -> Value {
        let uid = uid.unwrap_or_else(|| self.unique("Placeholder"));
        self.variable(4, like.like(), uid, None)
    }

    /// A stored tensor of the model's element type: a parameter or, with `constant`, a constant.
    pub fn tensor(&mut self, shape: &[u64], constant: bool) -> Value {
        let elem = self.elem;
        self.tensor_of(shape, constant, elem, None)
    }

    /// A stored tensor, filled with `x` or with small numbers of both signs.
    pub fn tensor_of(&mut self, shape: &[u64], constant: bool, elem: u64, x: Option<f64>) -> Value {
        let count: u64 = shape.iter().product();
        let start = self.choice.below(13) as u64;
        let number = |i: u64| x.unwrap_or(((i * 5 + start) % 13) as f64 / 8.0 - 0.75);
        let values = if elem == DOUBLE {
            Values::Double(DoubleValues { value: (0..count).map(number).collect() })
        } else {
            Values::Float(FloatValues { value: (0..count).map(|i| number(i) as f32).collect() })
        };
        let dims: Vec<u64> = shape.iter().rev().copied().collect();
        let array = NdArrayView {
            data_type: elem as i32,
            storage_format: 0,
            shape: Some(NdShape { shape_dim: dims }),
            values: Some(values),
        };
        let value = Value { shape: shape.iter().copied().map(Some).collect(), elem, ..self.blank() };
        let uid = self.unique(if constant { "Constant" } else { "Parameter" });
        self.stored.push(uid.clone());
        self.variable(if constant { 3 } else { 2 }, value, uid, Some(tagged(Member::Array(array))))
    }

    fn variable(&mut self, kind: u64, value: Value, uid: String, tensor: Option<DictionaryValue>) -> Value {
        let mut record = vec![
            entry("version", number(1)),
            entry("type", text("Variable")),
            entry("uid", text(&uid)),
            entry("kind", number(kind)),
            entry("data_type", number(value.elem)),
            entry("dynamic_axis", self.dynamic_axes(value.batch, value.sequence)),
            entry("is_sparse", flag(false)),
            entry("needs_gradient", flag(kind == 2)),
            entry("shape", row_shape(&value.shape)),
        ];
        record.extend(tensor.map(|t| entry("value", t)));
        self.variables.push(dictionary(record));
        Value { uid, function: None, ..value }
    }

    /// A function of one output, which further functions can read.
    pub fn function(&mut self, op: Op, inputs: &[&Value], attributes: Vec<Entry>, made: Value) -> Value {
        self.functions_of(op, inputs, attributes, vec![made]).remove(0)
    }

    /// A function of several outputs.
    pub fn functions_of(&mut self, op: Op, inputs: &[&Value], attributes: Vec<Entry>, made: Vec<Value>) -> Vec<Value> {
        let spec = op.spec();
        let uid = self.unique(spec.uid_prefix);
        let names = inputs.iter().map(|v| text(&v.uid)).collect();
        self.record(spec, &uid, names, attributes, Vec::new());
        self.outputs(&uid, made)
    }

    /// Records the outputs of the function `uid`.
    pub fn outputs(&mut self, uid: &str, made: Vec<Value>) -> Vec<Value> {
        let output =
            |(i, v): (usize, Value)| Value { uid: format!("{uid}_Output_{i}"), function: Some(uid.to_owned()), ..v };
        let made: Vec<_> = made.into_iter().enumerate().map(output).collect();
        self.pool.extend(made.iter().cloned());
        self.all.extend(made.iter().cloned());
        made
    }

    /// A function record; `more` are keys of a block.
    pub fn record(
        &mut self,
        spec: &'static OpSpec,
        uid: &str,
        inputs: Vec<DictionaryValue>,
        attributes: Vec<Entry>,
        more: Vec<Entry>,
    ) {
        let mut record = vec![
            entry("version", number(24)),
            entry("type", text("PrimitiveFunction")),
            entry("uid", text(uid)),
            entry("op", number(spec.code)),
            entry("inputs", list(inputs)),
            entry("attributes", dictionary(attributes)),
        ];
        if self.choice.one_in(4) {
            let name = ["out", "x", "", "é"][self.choice.below(4)];
            record.push(entry("name", text(name)));
        }
        record.extend(more);
        self.operators.push(spec.name);
        self.functions.push(dictionary(record));
    }

    /// A block or function uid that is not taken.
    pub fn uid(&mut self, prefix: &str) -> String {
        self.unique(prefix)
    }

    /// A Combine of values, to be the root.
    pub fn combine(&mut self, values: &[Value]) -> String {
        let uid = self.unique("Combine");
        let inputs = values.iter().map(|v| text(&v.uid)).collect();
        self.record(Op::Combine.spec(), &uid, inputs, Vec::new(), Vec::new());
        uid
    }

    /// A readable value that fits, with later ones more likely.
    pub fn pick(&mut self, suits: impl Fn(&Value) -> bool) -> Option<Value> {
        let found: Vec<usize> = (0..self.pool.len()).filter(|i| suits(&self.pool[*i])).collect();
        let recent = found.len().saturating_sub(1 + self.choice.below(4));
        let place = if self.choice.one_in(4) { self.choice.below(found.len()) } else { recent };
        found.get(place).map(|i| self.pool[*i].clone())
    }
}
