//! Makes `reference.safetensors` from recorded inputs and outputs of CNTK, which are checked against the model.
//!
//! Keys: `input.ARGUMENT`, `output.I`, and `steps.I`, the valid steps of output I if it has sequences.

use super::interface::{Interface, Port, Size, numpy};
use super::reference::counts;
use super::safetensors::Tensor;
use crate::record::{Array, Record, RecordError, wrong};
use crate::weights::{Data, ElemType};
use cntk_parser::model::SequenceAxisId;
use std::collections::{BTreeMap, BTreeSet};

/// The tensors, and warnings about the record.
pub(super) fn tensors(
    interface: &Interface,
    record: &mut Record<'_>,
) -> Result<(Vec<Tensor>, Vec<String>), RecordError> {
    let ports = || interface.inputs.iter().chain(&interface.outputs);
    let taken = ports().flat_map(|p| [p.name.as_str(), p.given.as_str(), p.uid.as_str()]).collect();
    let mut reader = Reader { record, taken, batch: None, steps: BTreeMap::new(), free: BTreeMap::new() };
    let mut all = Vec::new();
    for port in &interface.inputs {
        let Some((name, mut array)) = reader.record.array(&all_names(port))? else {
            return Err(wrong(format!("has no array {}, the input {port}", both(port))));
        };
        if let Some(classes) = port.classes.filter(|_| array.elem != ElemType::Int64) {
            array = array.ids(classes).map_err(|why| wrong(format!("{name}: {why}")))?;
        }
        reader.fit(&name, "input", port, &array)?;
        all.push(tensor(format!("input.{}", port.argument), array));
    }
    let mut lengths = reader.lengths(interface)?;
    for (axis, argument) in &interface.lengths {
        all.push(counts(format!("input.{argument}"), &lengths[axis]));
    }
    let inputs: BTreeSet<SequenceAxisId> = lengths.keys().copied().collect();
    let mut warnings = Vec::new();
    for (i, port) in interface.outputs.iter().enumerate() {
        let names = names(reader.record, interface, port);
        let Some((name, array)) = reader.record.array(&names)? else {
            warnings.push(format!("the record lacks the output {}: it will not be compared", both(port)));
            continue;
        };
        if let Some(axis) = port.axis() {
            let most = array.dims.get(1).copied().unwrap_or(0);
            // Outputs may have a batch of their own. An empty array, whose sizes mean nothing, is refused below.
            let samples = if array.dims.contains(&0) { 1 } else { array.dims.first().copied().unwrap_or(1) };
            if let Some(given) = reader.lengths_of(&names, most, samples)? {
                if inputs.contains(&axis) && lengths[&axis] != given {
                    return Err(wrong(format!("has other lengths for {} than for the inputs on its axis", both(port))));
                }
                let place = interface.counts.iter().position(|o| *o == i);
                all.extend(place.map(|k| counts(format!("output.{}", interface.outputs.len() + k), &given)));
                lengths.insert(axis, given);
            }
            let valid = lengths.entry(axis).or_insert_with(|| vec![most; samples as usize]);
            reader.steps.insert(axis, Steps::AtLeast(valid.iter().copied().max().unwrap_or(1)));
            all.push(counts(format!("steps.{i}"), valid));
        }
        reader.fit(&name, "output", port, &array)?;
        all.push(tensor(format!("output.{i}"), array));
    }
    if warnings.len() == interface.outputs.len() {
        let wanted: Vec<String> = interface.outputs.iter().map(both).collect();
        return Err(wrong(format!("has none of the outputs: {}", wanted.join(", "))));
    }
    let unread = reader.record.unread();
    warnings.extend(unread.iter().map(|n| format!("the record's array {n} is neither input nor output here")));
    Ok((all, warnings))
}

/// What the arrays of an output may be called. One that is an input as well may have arrays of its own beside the input's.
fn names<'p>(record: &Record<'_>, interface: &Interface, port: &'p Port) -> Vec<&'p str> {
    let shared = interface.inputs.iter().any(|input| input.uid == port.uid);
    if shared && record.has(&port.name) { vec![&port.name] } else { all_names(port) }
}

fn all_names(port: &Port) -> Vec<&str> {
    vec![&port.name, &port.given, &port.uid]
}

struct Reader<'i, 'b, 'r> {
    record: &'b mut Record<'r>,
    /// Names of inputs and outputs, which therefore are not names of lengths.
    taken: BTreeSet<&'i str>,
    batch: Option<u64>,
    steps: BTreeMap<SequenceAxisId, Steps>,
    free: BTreeMap<u32, u64>,
}

/// What is known of the size of a sequence dimension.
#[derive(Clone, Copy)]
enum Steps {
    Exactly(u64),
    AtLeast(u64),
}

impl Reader<'_, '_, '_> {
    fn samples(&self) -> usize {
        self.batch.unwrap_or(1) as usize
    }

    /// The valid steps of every axis of the inputs.
    fn lengths(&mut self, interface: &Interface) -> Result<BTreeMap<SequenceAxisId, Vec<u64>>, RecordError> {
        let mut all = BTreeMap::new();
        let mut given: BTreeSet<SequenceAxisId> = BTreeSet::new();
        for port in &interface.inputs {
            let Some(axis) = port.axis() else { continue };
            let Some(Steps::Exactly(most)) = self.steps.get(&axis).copied() else { continue };
            let Some(lengths) = self.lengths_of(&all_names(port), most, self.samples() as u64)? else {
                all.entry(axis).or_insert_with(|| vec![most; self.samples()]);
                continue;
            };
            if interface.equal_lengths && lengths.iter().any(|n| *n != most) {
                return Err(wrong("has sequences of several lengths, which --equal-lengths rules out"));
            }
            if given.contains(&axis) && all[&axis] != lengths {
                return Err(wrong(format!("has other lengths for {} than for another input on its axis", both(port))));
            }
            given.insert(axis);
            all.insert(axis, lengths);
        }
        Ok(all)
    }

    /// The valid steps of a port with these names, if the record has them.
    fn lengths_of(&mut self, names: &[&str], most: u64, samples: u64) -> Result<Option<Vec<u64>>, RecordError> {
        let names: Vec<String> = names.iter().map(|n| format!("{n}_lengths")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).filter(|n| !self.taken.contains(n)).collect();
        let Some((name, array)) = self.record.array(&names)? else { return Ok(None) };
        let numbers: Vec<i64> = match array.elem {
            ElemType::Int64 => array.bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b)).collect(),
            ElemType::Int32 => array.bytes.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b).into()).collect(),
            other => return Err(wrong(format!("{name}: lengths are int64 or int32, not {}", numpy(other)))),
        };
        if array.dims != [samples] {
            return Err(wrong(format!("{name}: is {:?}, not one length for each of {samples} samples", array.dims)));
        }
        let lengths = numbers.iter().map(|n| u64::try_from(*n).ok().filter(|n| (1..=most).contains(n)));
        match lengths.collect() {
            Some(lengths) => Ok(Some(lengths)),
            None => Err(wrong(format!("{name}: a length is not between 1 and {most}"))),
        }
    }

    /// Checks type and shape, and records sizes that the model leaves open.
    fn fit(&mut self, name: &str, role: &str, port: &Port, array: &Array) -> Result<(), RecordError> {
        if array.elem != port.elem {
            return Err(wrong(format!("{name}: is {}, but the {role} is {port}", numpy(array.elem))));
        }
        // Every sample has an element, so there are not more samples than bytes.
        let fits = !array.dims.contains(&0)
            && array.dims.len() == port.sizes.len()
            && port.sizes.iter().zip(&array.dims).all(|(size, n)| self.takes(*size, *n));
        if fits {
            Ok(())
        } else {
            Err(wrong(format!("{name}: is {:?}, but the {role} is {port}{}", array.dims, self.bound())))
        }
    }

    fn takes(&mut self, size: Size, n: u64) -> bool {
        match size {
            Size::Known(known) => known == n,
            Size::Batch => *self.batch.get_or_insert(n) == n,
            Size::OtherBatch => true,
            Size::Free(id) => *self.free.entry(id).or_insert(n) == n,
            Size::Steps(axis) => match *self.steps.entry(axis).or_insert(Steps::Exactly(n)) {
                Steps::Exactly(known) => known == n,
                Steps::AtLeast(known) => known <= n,
            },
        }
    }

    /// The value of N, for messages.
    fn bound(&self) -> String {
        self.batch.map_or(String::new(), |n| format!(" with N = {n}"))
    }
}

fn tensor(name: String, array: Array) -> Tensor {
    Tensor { name, elem: array.elem, dims: array.dims, data: Data::Owned(array.bytes) }
}

/// The names that a record may use.
fn both(port: &Port) -> String {
    if port.name == port.uid { port.name.clone() } else { format!("{} ({})", port.name, port.uid) }
}
