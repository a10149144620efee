//! Shape inference of each operator against its definition, over random shapes and attributes.
//!
//! Definitions count, list and search where the parser computes, and are in the file's order of axes where that is simpler.

mod layers;
mod moves;
mod windows;

use super::build::*;
use cntk_parser::model::{Dim, Source};
use cntk_parser::{Limits, ModelFile, Severity, ValidateOptions, parse, validate};

/// A row-major shape; `None` is a free dimension.
type Row = Vec<Option<u64>>;

/// The result of a definition, or the rule that refuses.
type Expected = Result<Vec<u64>, &'static str>;

const FREE: u64 = u64::MAX - 2;
const INFERRED: u64 = u64::MAX;
const ROUNDS: usize = 150;

/// The same numbers on every run.
pub struct Random(pub u64);

impl Random {
    /// From 0 to `n`, without `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// From `least` to `most`, both included.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        least + self.below((most - least + 1) as u64) as i64
    }

    pub fn flag(&mut self) -> bool {
        self.below(2) == 0
    }

    pub fn shape(&mut self, least: i64, most: i64) -> Vec<u64> {
        (0..self.between(least, most)).map(|_| self.between(1, 5) as u64).collect()
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// Some of 0 to `n`, each once, in any order.
    fn axes(&mut self, n: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            all.swap(i, self.below(i as u64 + 1) as usize);
        }
        all
    }

    /// A file axis, counted from either end.
    fn signed(&mut self, axis: usize, rank: usize) -> i32 {
        if self.flag() { axis as i32 } else { axis as i32 - rank as i32 }
    }
}

fn reversed<T: Clone>(dims: &[T]) -> Vec<T> {
    dims.iter().rev().cloned().collect()
}

fn known(dims: &[u64]) -> Row {
    dims.iter().copied().map(Some).collect()
}

/// The row-major shapes of the outputs, or the rule of the first error.
fn infer_records(op: u64, operands: &[Record], attributes: &[(&str, Value)]) -> Result<Vec<Row>, &'static str> {
    let uids: Vec<String> = (0..operands.len()).map(|i| format!("x{i}")).collect();
    let inputs: Vec<&str> = uids.iter().map(String::as_str).collect();
    let variables: Vec<Record> = operands.iter().zip(&uids).map(|(v, uid)| v.clone().set("uid", text(uid))).collect();
    let bytes = model("F", &variables, &[function("F", op, &inputs, attributes)]).file();
    let source = ModelFile::new(&bytes);
    let validation = validate(parse(&source, &Limits::default()).unwrap(), &ValidateOptions::default());
    let Some(model) = validation.model else {
        return Err(validation.findings.iter().find(|f| f.severity == Severity::Error).unwrap().rule);
    };
    let Source::Output(f, _) = model.outputs()[0].source else { panic!("no function") };
    let row = |dims: &[Dim]| dims.iter().map(|dim| dim.known()).collect();
    Ok(model.output_types(f).iter().map(|value| row(&value.shape)).collect())
}

/// The same for inputs of row-major shapes, with a batch axis unless CNTK takes none there: kernels, weights of classes, tables,
/// statistics.
fn infer(op: u64, operands: &[Row], attributes: &[(&str, Value)]) -> Result<Vec<Row>, &'static str> {
    let records: Vec<Record> = operands
        .iter()
        .enumerate()
        .map(|(i, row)| {
            let record = input("", &reversed(&row.iter().map(|dim| dim.unwrap_or(FREE)).collect::<Vec<_>>()));
            if matches!((op, i), (33 | 45 | 46, 0) | (74, 1) | (40, 1..)) {
                record.set("dynamic_axis", list(&[]))
            } else {
                record
            }
        })
        .collect();
    infer_records(op, &records, attributes)
}

/// Checks the first output; then, that a free dimension in place of a known one leaves what is known true.
fn check(random: &mut Random, op: u64, operands: &[Vec<u64>], attributes: &[(&str, Value)], expected: &Expected) {
    let mut rows: Vec<Row> = operands.iter().map(|dims| known(dims)).collect();
    let found = infer(op, &rows, attributes).map(|outputs| outputs[0].clone());
    assert_eq!(found, expected.clone().map(|dims| known(&dims)), "op {op} of {operands:?}");
    let Ok(expected) = expected else { return };
    let i = random.below(rows.len() as u64) as usize;
    if rows[i].is_empty() {
        return;
    }
    let k = random.below(rows[i].len() as u64) as usize;
    rows[i][k] = None;
    match infer(op, &rows, attributes) {
        Ok(found) => {
            let same = |(a, b): (&Option<u64>, &u64)| a.is_none_or(|a| a == *b);
            let agree = found[0].len() == expected.len() && found[0].iter().zip(expected).all(same);
            assert!(agree, "op {op} of {rows:?} is {:?}, not {expected:?}", found[0]);
        }
        // A kernel has definite dimensions.
        Err(rule) => assert!(op == 33 && i == 0, "op {op} of {rows:?}: {rule}"),
    }
}

/// NumPy's broadcasting.
fn joined(a: &[u64], b: &[u64]) -> Option<Vec<u64>> {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    while a.len() < b.len() {
        a.insert(0, 1);
    }
    while b.len() < a.len() {
        b.insert(0, 1);
    }
    a.iter().zip(&b).map(|(m, n)| if m == n || *m == 1 || *n == 1 { Some(*m.max(n)) } else { None }).collect()
}

#[test]
fn elementwise() {
    let random = &mut Random(1);
    for _ in 0..ROUNDS {
        let count = random.pick(&[1, 2, 2, 3]);
        let mut shapes = vec![random.shape(0, 4)];
        while shapes.len() < count {
            // Mostly something that fits.
            let mut next = shapes[0].clone();
            next.drain(..random.below(next.len() as u64 + 1) as usize);
            if !next.is_empty() && random.flag() {
                let k = random.below(next.len() as u64) as usize;
                next[k] = random.pick(&[1, 1, 2]);
            }
            shapes.push(next);
        }
        if random.flag() {
            shapes.reverse();
        }
        let sum = shapes.iter().try_fold(vec![], |sum, next| joined(&sum, next)).ok_or("type.shape");
        let op = match count {
            1 => {
                random.pick(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 51, 54, 55, 56, 62, 64, 65, 75, 77, 81, 86, 94, 96])
            }
            2 => random.pick(&[19, 20, 21, 22, 23, 24, 25, 26, 27, 52, 69]),
            _ => random.pick(&[41, 42]),
        };
        check(random, op, &shapes, &[], &sum);
        if count == 2 {
            let criterion = random.pick(&[34, 35, 36, 48, 53]);
            let [n, m] = [0, 1].map(|i| shapes[i].iter().product::<u64>());
            let fits = match criterion {
                34 => n == m || n == 1 || m == 1,
                36 => true,
                _ => n == m,
            };
            let expected = sum.and_then(|_| if fits { Ok(vec![]) } else { Err("type.shape") });
            check(random, criterion, &shapes, &[], &expected);
        }
    }
}

#[test]
fn free_dimensions_meet_known_ones() {
    let of = |a: Row, b: Row| infer(19, &[a, b], &[]).unwrap().remove(0);
    assert_eq!(of(vec![None], vec![Some(1)]), [None]);
    assert_eq!(of(vec![None], vec![Some(4)]), [Some(4)]);
    assert_eq!(of(vec![Some(4)], vec![None, None]), [None, Some(4)]);
}

#[test]
fn reductions() {
    let random = &mut Random(4);
    for _ in 0..ROUNDS {
        let x = random.shape(0, 4);
        let keep = random.flag();
        let chosen: Vec<usize> =
            random.axes(x.len()).into_iter().take(random.below(x.len() as u64 + 1) as usize).collect();
        let file = reversed(&x);
        let mut expected = Vec::new();
        for (k, n) in file.iter().enumerate() {
            match (chosen.contains(&k), keep) {
                (false, _) => expected.push(*n),
                (true, true) => expected.push(1),
                (true, false) => {}
            }
        }
        let axes: Vec<Value> = chosen.iter().map(|k| axis(random.signed(*k, x.len()))).collect();
        let mut attributes = vec![("reductionOpName", text("Sum")), ("reductionKeepDimensions", flag(keep))];
        attributes.push(if axes.len() == 1 { ("axis", axes[0].clone()) } else { ("axisVec", list(&axes)) });
        let expected = match expected.iter().zip(&file).all(|(left, n)| left == n || *left == 1) {
            _ if chosen.is_empty() => Err("attribute.length"),
            true => Ok(reversed(&expected)),
            false => Err("type.shape"),
        };
        check(random, 39, std::slice::from_ref(&x), &attributes, &expected);
        let all = random.pick(&[i32::MAX - 1, i32::MAX - 4]);
        attributes[2] = ("axis", axis(all));
        let kept = if keep { vec![1; x.len()] } else { vec![] };
        check(random, 39, &[x], &attributes, &Ok(kept));
    }
}

#[test]
fn products() {
    let random = &mut Random(8);
    for _ in 0..ROUNDS {
        // In file order: W has the output axes, then the reduced ones; x has those first.
        let (outputs, reduced, mapped) = (random.shape(1, 2), random.shape(0, 2), random.shape(0, 2));
        let mut inner = reduced.clone();
        let mut expected = Ok(reversed(&[&outputs[..], &mapped].concat()));
        if !inner.is_empty() && random.below(4) == 0 {
            inner[0] += 1;
            expected = Err("type.shape");
        }
        let operands = [[&outputs[..], &reduced].concat(), [&inner[..], &mapped].concat()].map(|file| reversed(&file));
        let mut attributes = vec![("outputRank", size(outputs.len() as u64))];
        if random.flag() {
            let map = if mapped.is_empty() || reduced.is_empty() { -1 } else { mapped.len() as i32 };
            attributes.push(("inferInputRankToMap", int(map)));
        }
        check(random, 31, &operands, &attributes, &expected);

        let (o, r) = (random.between(1, 4) as u64, random.between(1, 4) as u64);
        let s = if random.below(4) == 0 { r + 1 } else { r };
        let flat = o == 1 && random.flag();
        let w = if flat { vec![r] } else { vec![o, r] };
        let x = reversed(&[&[s][..], &mapped].concat());
        let expected = if r == s { Ok(reversed(&[&[o][..], &mapped].concat())) } else { Err("type.shape") };
        check(random, 32, &[w, x], &[("outputRank", size(1))], &expected);
    }
    let times = |w: &[u64], x: &[u64], rank, map| {
        let attributes = [("outputRank", size(rank)), ("inferInputRankToMap", int(map))];
        infer(31, &[known(w), known(x)], &attributes).map(|mut outputs| outputs.remove(0))
    };
    assert_eq!(times(&[3], &[2], 1, -1), Ok(known(&[2, 3])));
    assert_eq!(times(&[2, 3], &[], 1, -1), Err("type.shape"));
    assert_eq!(times(&[3, 2], &[3], 3, -1), Err("attribute.output-rank"));
    assert_eq!(times(&[5], &[1], 1, -2), Ok(known(&[1, 5])));
    assert_eq!(times(&[5, 2], &[1], 1, -2), Err("type.shape"));
    assert_eq!(times(&[3, 2], &[3], 1, -3), Ok(known(&[2])));
    assert_eq!(times(&[3, 2], &[3], 1, 1), Err("attribute.range"));
    let transposed = |w: &[u64], x: &[u64], rank| {
        infer(32, &[known(w), known(x)], &[("outputRank", size(rank))]).map(|mut outputs| outputs.remove(0))
    };
    assert_eq!(transposed(&[2, 3], &[3], 2), Err("attribute.output-rank"));
    assert_eq!(transposed(&[2, 3], &[], 1), Err("type.shape"));
    assert_eq!(transposed(&[2, 3, 4], &[4], 1), Err("type.shape"));
}

#[test]
fn indices() {
    let random = &mut Random(11);
    for _ in 0..ROUNDS {
        let (x, table) = (random.shape(0, 3), random.shape(1, 3));
        let (rank, classes) = (x.len() + 1, random.between(1, 5) as u64);
        let place = random.below(rank as u64) as usize;
        let mut file = reversed(&x);
        file.insert(place, classes);
        let attributes = [
            ("numClass", size(classes)),
            ("oneHotOutputSparse", flag(false)),
            ("onehotAxis", axis(random.signed(place, rank))),
        ];
        check(random, 68, std::slice::from_ref(&x), &attributes, &Ok(reversed(&file)));
        let gathered = [&x[..], &table[1..]].concat();
        check(random, 74, &[x.clone(), table], &[], &Ok(gathered));
        if rank > 1 {
            let k = random.below(x.len() as u64) as usize;
            let mut file = reversed(&x);
            let items = random.between(0, file[k] as i64 + 1) as u64;
            let sound = (1..=file[k]).contains(&items);
            file[k] = items;
            let attributes = [("axis", axis(random.signed(k, x.len()))), ("numItems", size(items))];
            let expected = if sound { Ok(reversed(&file)) } else { Err("attribute.range") };
            if let Ok(outputs) = infer(87, &[known(&x)], &attributes) {
                assert_eq!(outputs[0], outputs[1], "values and their places");
            }
            // Of a free axis, as many as are asked for are taken.
            if sound {
                check(random, 87, &[x], &attributes, &expected);
            } else {
                assert_eq!(infer(87, &[known(&x)], &attributes), Err("attribute.range"));
            }
        }
    }
    let one_hot = |place| [("numClass", size(2)), ("oneHotOutputSparse", flag(false)), ("onehotAxis", axis(place))];
    for place in [2, -3] {
        assert_eq!(infer(68, &[known(&[3])], &one_hot(place)), Err("attribute.axis"));
    }
    assert_eq!(infer(74, &[known(&[2]), vec![]], &[]), Err("type.shape"));
    assert_eq!(infer(87, &[known(&[2])], &[("axis", axis(1)), ("numItems", size(1))]), Err("attribute.axis"));
}
