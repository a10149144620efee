//! Compares two tensors element by element.

use cntk_parser::model::{Array, DataType, ElementStorage};

/// The difference between two tensors.
pub enum Change {
    /// A difference in type or shape, or in elements that cannot be compared as numbers.
    Form { from: String, to: String },
    /// A difference in elements.
    Numbers(Numbers),
}

/// Statistics of two tensors with the same shape. An element that is NaN on either side counts as changed, but does not
/// enter any other figure.
#[derive(Debug, PartialEq)]
pub struct Numbers {
    pub elements: u64,
    pub changed: u64,
    /// The row-major index of the first changed element.
    pub first: Vec<u64>,
    /// The largest difference between two elements.
    pub largest: f64,
    pub largest_at: Vec<u64>,
    /// The mean difference over all elements.
    pub mean: f64,
    /// The cosine of the angle between both tensors as vectors.
    pub cosine: f64,
    pub norm_before: f64,
    pub norm_after: f64,
    /// The number of elements that are NaN in the second tensor only.
    pub new_nan: u64,
}

/// A change of at most one in this many elements counts as few.
const FEW: u64 = 10_000;

impl Numbers {
    /// Did so few elements change that it cannot be training? Planted changes look like this.
    pub fn few(&self) -> bool {
        self.elements >= FEW && self.changed <= self.elements / FEW
    }
}

impl Change {
    pub fn words(&self) -> String {
        match self {
            Self::Form { from, to } => format!("{from} became {to}"),
            Self::Numbers(n) => {
                let mut text = format!(
                    "{} of {} elements, the first at {:?}; largest change {:e} at {:?}, mean {:e}, cosine {:.6}, norm {:e} became {:e}",
                    n.changed,
                    n.elements,
                    n.first,
                    n.largest,
                    n.largest_at,
                    n.mean,
                    n.cosine,
                    n.norm_before,
                    n.norm_after
                );
                if n.new_nan > 0 {
                    text.push_str(&format!(", {} new NaN", n.new_nan));
                }
                if n.few() {
                    text.push_str("; so few that this was no training");
                }
                text
            }
        }
    }
}

/// The difference between two tensors; `None` if they are equal bit by bit.
pub fn compare(a: &Array<'_>, b: &Array<'_>) -> Option<Change> {
    if a.data_type != b.data_type || a.shape != b.shape {
        let form = |array: &Array<'_>| {
            let dims: Vec<_> = array.shape.0.iter().rev().map(u64::to_string).collect();
            format!("{:?}[{}]", array.data_type, dims.join(", "))
        };
        return Some(Change::Form { from: form(a), to: form(b) });
    }
    if pieces(a).concat_eq(&pieces(b)) {
        return None;
    }
    let decode: fn(&[u8]) -> f64 = match (a.data_type, &a.elements, &b.elements) {
        (_, ElementStorage::ZigZag(_) | ElementStorage::Absent, _)
        | (_, _, ElementStorage::ZigZag(_) | ElementStorage::Absent) => {
            return Some(Change::Form { from: "some integers".to_owned(), to: "others".to_owned() });
        }
        (DataType::Double, ..) => |e| e.try_into().map_or(f64::NAN, f64::from_le_bytes),
        (DataType::Int8, ..) => |e| e.try_into().map_or(f64::NAN, |e| f64::from(i8::from_le_bytes(e))),
        _ => |e| e.try_into().map_or(f64::NAN, |e| f64::from(f32::from_le_bytes(e))),
    };
    let width = match a.data_type {
        DataType::Double => 8,
        DataType::Int8 => 1,
        _ => 4,
    };
    let mut sums = Sums::default();
    let one = pieces(a).0.iter().flat_map(|piece| piece.chunks_exact(width));
    let other = pieces(b).0.iter().flat_map(|piece| piece.chunks_exact(width));
    for (p, q) in one.zip(other) {
        sums.add(p != q, decode(p), decode(q));
    }
    Some(Change::Numbers(sums.numbers(&a.shape.0)))
}

/// The bytes of a tensor, as pieces in order.
struct Pieces<'t, 'a>(&'t [&'a [u8]]);

fn pieces<'t, 'a>(array: &'t Array<'a>) -> Pieces<'t, 'a> {
    Pieces(match &array.elements {
        ElementStorage::Contiguous(bytes) => std::slice::from_ref(bytes),
        ElementStorage::Pieces(pieces) | ElementStorage::ZigZag(pieces) => pieces,
        ElementStorage::Absent => &[],
    })
}

impl Pieces<'_, '_> {
    /// Are the bytes equal, however they are divided into pieces?
    fn concat_eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            ([one], [other]) => one == other,
            (one, other) => one.iter().copied().flatten().eq(other.iter().copied().flatten()),
        }
    }
}

#[derive(Default)]
struct Sums {
    elements: u64,
    changed: u64,
    first: u64,
    largest: f64,
    largest_at: u64,
    difference: f64,
    product: f64,
    before: f64,
    after: f64,
    new_nan: u64,
}

impl Sums {
    fn add(&mut self, changed: bool, p: f64, q: f64) {
        if changed {
            if self.changed == 0 {
                (self.first, self.largest_at) = (self.elements, self.elements);
            }
            self.changed += 1;
            self.new_nan += u64::from(q.is_nan() && !p.is_nan());
        }
        if !p.is_nan() && !q.is_nan() {
            let distance = (q - p).abs();
            if distance > self.largest {
                (self.largest, self.largest_at) = (distance, self.elements);
            }
            self.difference += distance;
            self.product += p * q;
            self.before += p * p;
            self.after += q * q;
        }
        self.elements += 1;
    }

    /// `shape` is column-major.
    fn numbers(&self, shape: &[u64]) -> Numbers {
        let both = (self.before * self.after).sqrt();
        Numbers {
            elements: self.elements,
            changed: self.changed,
            first: place(self.first, shape),
            largest: self.largest,
            largest_at: place(self.largest_at, shape),
            mean: self.difference / self.elements.max(1) as f64,
            cosine: if both > 0.0 { self.product / both } else { f64::from(self.before == self.after) },
            norm_before: self.before.sqrt(),
            norm_after: self.after.sqrt(),
            new_nan: self.new_nan,
        }
    }
}

/// The row-major index of an element, from its position in the file.
fn place(mut at: u64, shape: &[u64]) -> Vec<u64> {
    let mut index = vec![];
    for size in shape {
        index.push(at % size.max(&1));
        at /= size.max(&1);
    }
    index.reverse();
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(pairs: &[(f64, f64)]) -> Sums {
        let mut sums = Sums::default();
        pairs.iter().for_each(|(p, q)| sums.add(p.to_bits() != q.to_bits(), *p, *q));
        sums
    }

    #[test]
    fn one_element_is_found() {
        let numbers =
            sums(&[(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 4.5), (0.0, 0.0), (0.0, f64::NAN)]).numbers(&[3, 2]);
        assert_eq!((numbers.changed, numbers.new_nan), (2, 1));
        assert_eq!((numbers.first, numbers.largest_at, numbers.largest), (vec![1, 0], vec![1, 0], 0.5));
        assert!((numbers.mean - 0.5 / 6.0).abs() < 1e-15 && numbers.cosine > 0.99);
        assert_eq!(numbers.norm_before, 30f64.sqrt());
    }

    #[test]
    fn few_is_a_part_of_many() {
        let mut numbers = sums(&[(0.0, 1.0)]).numbers(&[1]);
        assert!(!numbers.few());
        (numbers.elements, numbers.changed) = (1_000_000, 100);
        assert!(numbers.few());
        numbers.changed = 101;
        assert!(!numbers.few());
    }
}
