//! Valid models, made from bytes: random graphs of every operator with shapes that fit, blocks, recurrences, several
//! sequence axes, both layouts of the file.
//!
//! The operators come from the parser's op table. Their requirements on operands and their result types are implemented
//! here a second time, so that a wrong rule in the validator shows as a difference.

mod block;
mod maker;
mod ops;
mod options;
mod recurrence;
mod values;

pub use maker::{Maker, Value};
pub use options::Options;

use crate::mutate::{Choice, File, to_tail};
use crate::schema::Dictionary;
use arbitrary::Unstructured;
use values::{entry, list, number, text};

/// A generated model.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The metadata and perhaps a tail.
    pub file: File,
    /// All values with the types that they must have.
    pub values: Vec<Value>,
    /// The operators, by uid prefix.
    pub operators: Vec<&'static str>,
    /// Does it have operators without an ONNX form?
    pub refusable: bool,
}

/// The most functions outside of blocks.
const MOST: usize = 16;

/// Makes a model from `bytes`.
pub fn generate(bytes: &mut Unstructured<'_>, options: Options) -> Generated {
    let mut maker = Maker::new(bytes, options);
    for _ in 0..=maker.choice.below(2) {
        maker.input();
    }
    let wanted = 1 + maker.choice.below(MOST);
    let mut tries = 0;
    while maker.functions.len() < wanted && tries < 4 * MOST {
        step(&mut maker);
        tries += 1;
    }
    if maker.functions.is_empty() {
        ops::identity(&mut maker);
    }
    finish(maker)
}

/// Adds a function, a block or a recurrence, or nothing if the choice does not fit.
fn step(maker: &mut Maker<'_, '_>) {
    let _ = match maker.choice.below(16) {
        14 => block::block(maker, step),
        15 => recurrence::recurrence(maker),
        _ => ops::any(maker),
    };
}

/// Puts the records together: the root is the last function, or a Combine of several.
fn finish(mut maker: Maker<'_, '_>) -> Generated {
    let mut made: Vec<Value> = maker.pool.iter().filter(|v| v.function.is_some()).cloned().collect();
    let keep = 1 + maker.choice.below(3);
    let tail = made.split_off(made.len().saturating_sub(keep));
    let only_outputs = tail.iter().all(|v| v.uid.ends_with("_Output_0"));
    let root = match tail.as_slice() {
        [one] if only_outputs => one.function.clone().unwrap_or_default(),
        several => maker.combine(several),
    };
    let large = maker.choice.one_in(8);
    let metadata = Dictionary {
        version: 2,
        data: vec![
            entry("version", number(3)),
            entry("type", text("CompositeFunction")),
            entry("root", text(&root)),
            entry("uid", text("CompositeFunction0")),
            entry("inputs", list(maker.variables)),
            entry("primitive_functions", list(maker.functions)),
        ],
    };
    let file = File { metadata, tail: None };
    Generated {
        file: if large { to_tail(file) } else { file },
        values: maker.all,
        operators: maker.operators,
        refusable: maker.refusable,
    }
}
