//! Shape inference of each operator against its definition, over random shapes and attributes.
//!
//! Definitions count, list and search where the parser computes, and are in the file's order of axes where that is simpler.

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

/// The same for inputs of row-major shapes.
fn infer(op: u64, operands: &[Row], attributes: &[(&str, Value)]) -> Result<Vec<Row>, &'static str> {
    let records: Vec<Record> = operands
        .iter()
        .map(|row| input("", &reversed(&row.iter().map(|dim| dim.unwrap_or(FREE)).collect::<Vec<_>>())))
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
            check(random, criterion, &shapes, &[], &sum.map(|_| vec![]));
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
fn slices() {
    let random = &mut Random(2);
    for _ in 0..ROUNDS {
        let x = random.shape(1, 4);
        let mut file = reversed(&x);
        let count = random.between(1, x.len() as i64) as usize;
        let axes: Vec<usize> = random.axes(x.len())[..count].to_vec();
        let mut expected: Result<(), &'static str> = Ok(());
        let mut ranges = Vec::new();
        for k in &axes {
            let n = file[*k] as i64;
            let (begin, end) = (random.between(-n - 1, n - 1), random.between(-n, n + 1));
            let stride: i32 = random.pick(&[1, 1, 2, 3, -1, -2, 0]);
            let from = if begin < 0 { begin + n } else { begin };
            let to = if end <= 0 { end + n } else { end };
            let inside = 0 <= from && to <= n && from < to && to - from >= i64::from(stride.abs());
            if stride == 0 {
                expected = expected.and(Err("attribute.range"));
            } else if !inside {
                expected = expected.and(Err("attribute.slice"));
            } else {
                file[*k] = (from..to).step_by(stride.unsigned_abs() as usize).count() as u64;
            }
            ranges.push([random.signed(*k, x.len()), begin as i32, end as i32, stride]);
        }
        let each = |i: usize, of: fn(i32) -> Value| list(&ranges.iter().map(|r| of(r[i])).collect::<Vec<_>>());
        let [k, begin, end, stride] = ranges[0];
        let attributes = if count == 1 {
            vec![("axis", axis(k)), ("beginIndex", int(begin)), ("endIndex", int(end)), ("sliceStrides", int(stride))]
        } else {
            vec![
                ("axisVec", each(0, axis)),
                ("beginIndexVec", each(1, int)),
                ("endIndexVec", each(2, int)),
                ("sliceStridesVec", each(3, int)),
            ]
        };
        check(random, 14, &[x], &attributes, &expected.map(|()| reversed(&file)));
    }
}

#[test]
fn slices_of_free_axes() {
    let of = |begin, end, stride| {
        let attributes =
            [("axis", axis(0)), ("beginIndex", int(begin)), ("endIndex", int(end)), ("sliceStrides", int(stride))];
        infer(14, &[vec![Some(2), None]], &attributes).map(|outputs| outputs[0][1])
    };
    assert_eq!(of(1, 7, 2), Ok(Some(3)));
    assert_eq!(of(-4, -1, 1), Ok(Some(3)));
    assert_eq!(of(0, 0, 1), Ok(None));
    assert_eq!(of(1, -1, 1), Ok(None));
    assert_eq!(of(7, 7, 1), Err("attribute.slice"));
}

#[test]
fn splices() {
    let random = &mut Random(3);
    for _ in 0..ROUNDS {
        let first = random.shape(0, 3);
        let mut files = vec![first.clone()];
        for _ in 0..random.between(1, 2) {
            let mut next = first.clone();
            if !next.is_empty() {
                let k = random.below(next.len() as u64) as usize;
                next[k] = random.pick(&[1, next[k], random.0 % 5 + 1]);
                if random.below(4) == 0 {
                    next.pop();
                }
            }
            files.push(next);
        }
        let rank = files.iter().map(Vec::len).max().unwrap();
        let place = random.below(rank as u64 + 1) as usize;
        let index = if place < rank { random.signed(place, rank) } else { place as i32 };
        let width = rank.max(place + 1);
        let expected = files.iter().try_fold(None, |sum: Option<Vec<u64>>, file| {
            let mut next = file.clone();
            next.resize(width, 1);
            let Some(sum) = sum else { return Ok(Some(next)) };
            (0..width)
                .map(|k| match (sum[k], next[k]) {
                    (m, n) if k == place => Ok(m + n),
                    (m, n) if m == n || n == 1 => Ok(m),
                    (1, n) => Ok(n),
                    _ => Err("type.shape"),
                })
                .collect::<Result<Vec<u64>, _>>()
                .map(Some)
        });
        let rows: Vec<Vec<u64>> = files.iter().map(|file| reversed(file)).collect();
        check(random, 43, &rows, &[("axis", axis(index))], &expected.map(|file| reversed(&file.unwrap())));
    }
    for index in [12, -3] {
        assert_eq!(infer(43, &[known(&[2, 2]), known(&[2])], &[("axis", axis(index))]), Err("attribute.axis"));
    }
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
fn transpositions() {
    let random = &mut Random(5);
    for _ in 0..ROUNDS {
        let x = random.shape(1, 4);
        let file = reversed(&x);
        let permutation = random.axes(x.len());
        let axes: Vec<Value> = permutation.iter().map(|k| axis(random.signed(*k, x.len()))).collect();
        let permuted: Vec<u64> = permutation.iter().map(|k| file[*k]).collect();
        check(random, 12, std::slice::from_ref(&x), &[("axisVec", list(&axes))], &Ok(reversed(&permuted)));

        // Two axes, perhaps beyond those that there are.
        let (a, b) = (random.below(6) as usize, random.below(6) as usize);
        let mut swapped = file.clone();
        swapped.resize(x.len().max(a + 1).max(b + 1), 1);
        swapped.swap(a, b);
        let attributes = [("axis1", axis(a as i32)), ("axis2", axis(b as i32))];
        check(random, 12, &[x], &attributes, &Ok(reversed(&swapped)));
    }
    let swap = |a, b| infer(12, &[known(&[2, 3])], &[("axis1", axis(a)), ("axis2", axis(b))]);
    assert_eq!(swap(-1, 0).unwrap()[0], known(&[3, 2]));
    assert_eq!(swap(11, 0).unwrap()[0].len(), 12);
    assert_eq!(swap(12, 0), Err("attribute.axis"));
    assert_eq!(swap(0, -3), Err("attribute.axis"));
}

#[test]
fn reshapes() {
    let random = &mut Random(6);
    for _ in 0..ROUNDS {
        let x = random.shape(0, 4);
        let (file, rank) = (reversed(&x), x.len());
        let begin = random.below(rank as u64 + 1) as usize;
        let end = begin + random.below((rank - begin) as u64 + 1) as usize;
        let count: u64 = file[begin..end].iter().product();
        // Divisors one after another.
        let (mut made, mut left) = (Vec::new(), count);
        while left > 1 && random.flag() {
            let divisors: Vec<u64> = (1..=left).filter(|d| left.is_multiple_of(*d)).collect();
            made.push(random.pick(&divisors));
            left /= made[made.len() - 1];
        }
        made.push(left);
        let mut written = made.clone();
        let mut expected = Ok(());
        let k = random.below(made.len() as u64) as usize;
        match random.below(4) {
            0 => written[k] = INFERRED,
            1 => {
                written[k] += 1;
                expected = Err("attribute.reshape");
            }
            _ => {}
        }
        let result = [&file[..begin], &made, &file[end..]].concat();
        let mut attributes = vec![("newShape", shape(&written))];
        if begin > 0 || random.flag() {
            attributes.push(("beginAxis", axis(if begin < rank { random.signed(begin, rank) } else { begin as i32 })));
        }
        match random.below(3) {
            _ if end < rank => attributes.push(("endAxis", axis(random.signed(end, rank)))),
            0 => attributes.push(("endAxis", axis(i32::MAX - 3))),
            1 => attributes.push(("endAxis", axis(rank as i32))),
            _ => {}
        }
        check(random, 16, &[x], &attributes, &expected.map(|()| reversed(&result)));
    }
    let of = |x: Row, dims: &[u64], begin, end| {
        let attributes = [("newShape", shape(dims)), ("beginAxis", axis(begin)), ("endAxis", axis(end))];
        infer(16, &[x], &attributes).map(|mut outputs| outputs.remove(0))
    };
    let x = || known(&[2, 3]);
    assert_eq!(of(x(), &[3], 2, 2), Err("attribute.reshape"));
    assert_eq!(of(x(), &[1], 2, 1), Err("attribute.axis"));
    assert_eq!(of(x(), &[6], 3, 2), Err("attribute.axis"));
    assert_eq!(of(x(), &[6], -3, 2), Err("attribute.axis"));
    assert_eq!(of(x(), &[4, INFERRED], 0, 2), Err("attribute.reshape"));
    // A free dimension is what remains when the others cancel out.
    assert_eq!(of(vec![None, Some(6)], &[2, 3, INFERRED], 0, 2), Ok(vec![None, Some(3), Some(2)]));
    assert_eq!(of(vec![None, Some(6)], &[4, INFERRED], 0, 2), Ok(vec![None, Some(4)]));
    assert_eq!(of(vec![None, Some(6)], &[4], 0, 2), Ok(vec![Some(4)]));
}

#[test]
fn squeezes() {
    let random = &mut Random(7);
    for _ in 0..ROUNDS {
        let x: Vec<u64> = random.shape(1, 4).iter().map(|n| if *n > 2 { 1 } else { *n }).collect();
        let file = reversed(&x);
        let chosen: Vec<usize> = random.axes(x.len())[..random.between(0, x.len() as i64) as usize].to_vec();
        let kept: Vec<u64> = (0..x.len()).filter(|k| !chosen.contains(k)).map(|k| file[k]).collect();
        let ones = chosen.iter().all(|k| file[*k] == 1);
        let axes: Vec<Value> = chosen.iter().map(|k| axis(random.signed(*k, x.len()))).collect();
        let expected = if ones { Ok(reversed(&kept)) } else { Err("type.shape") };
        check(random, 88, std::slice::from_ref(&x), &[("axisVec", list(&axes))], &expected);
        let all: Vec<u64> = x.iter().copied().filter(|n| *n != 1).collect();
        assert_eq!(infer(88, &[known(&x)], &[]).unwrap()[0], known(&all));
    }
    let found = infer(88, &[vec![None, Some(1)]], &[]).unwrap();
    assert_eq!(found[0], [None]);
    assert_eq!(infer(88, &[known(&[1])], &[("axisVec", list(&[axis(1)]))]), Err("attribute.axis"));
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

/// A window along one axis.
#[derive(Clone, Copy, Debug)]
struct Window {
    width: u64,
    stride: u64,
    dilation: u64,
    auto: bool,
    lower: u64,
    upper: u64,
}

impl Window {
    fn random(random: &mut Random) -> Self {
        Self {
            width: random.between(1, 3) as u64,
            stride: random.between(1, 3) as u64,
            dilation: random.pick(&[1, 1, 2]),
            auto: random.flag(),
            lower: random.below(3),
            upper: random.below(3),
        }
    }

    /// What the dilated window covers.
    fn span(self) -> u64 {
        (0..self.width).map(|i| i * self.dilation).max().unwrap() + 1
    }

    /// The positions that it takes on an axis of `n`: those where it lies inside.
    fn positions(self, n: u64) -> u64 {
        let padded = n + self.lower + self.upper;
        let all = (0..padded).step_by(self.stride as usize);
        if self.auto {
            let fits = self.width <= n;
            if fits { (0..n).step_by(self.stride as usize).count() as u64 } else { 0 }
        } else {
            let all = all.filter(|at| at + self.span() <= padded).count() as u64;
            if self.reaches(n, all) { all } else { 0 }
        }
    }

    /// Do so many positions reach across an axis of `n`, if it is padded?
    fn reaches(self, n: u64, positions: u64) -> bool {
        let padded = !self.auto && self.lower + self.upper > 0;
        positions > 0 && (!padded || (positions - 1) * self.stride + self.span() >= n + self.lower)
    }

    /// With the last, partial one where positions are rounded up.
    fn positions_rounded_up(self, n: u64) -> u64 {
        let count =
            Self { lower: 0, upper: 0, ..self }.positions(if self.auto { n } else { n + self.lower + self.upper });
        if count == 0 {
            return 0;
        }
        let covered = (count - 1) * self.stride + if self.auto { 1 } else { self.span() };
        let all = if self.auto { n } else { n + self.lower + self.upper };
        let count = count + u64::from(covered < all);
        if self.reaches(n, count) { count } else { 0 }
    }
}

/// The lists of a convolution or pooling in file order.
fn lists(windows: &[Window], channels: bool) -> Vec<(&'static str, Value)> {
    let sizes = |of: fn(&Window) -> u64, rest: u64| {
        let rest = channels.then_some(rest);
        shape(&windows.iter().map(of).chain(rest).collect::<Vec<_>>())
    };
    let auto: Vec<Value> = windows.iter().map(|w| flag(w.auto)).chain(channels.then(|| flag(false))).collect();
    vec![
        ("strides", sizes(|w| w.stride, 1)),
        ("autoPadding", list(&auto)),
        ("lowerPad", sizes(|w| w.lower, 0)),
        ("upperPad", sizes(|w| w.upper, 0)),
    ]
}

#[test]
fn convolutions() {
    let random = &mut Random(9);
    for _ in 0..ROUNDS {
        let spatial = random.between(1, 2) as usize;
        let windows: Vec<Window> = (0..spatial).map(|_| Window::random(random)).collect();
        let sizes: Vec<u64> = (0..spatial).map(|_| random.between(1, 7) as u64).collect();
        let (groups, per_group, maps) =
            (random.between(1, 2) as u64, random.between(1, 3) as u64, random.between(1, 4));
        let (maps, channels) = (maps as u64, groups * per_group + u64::from(random.below(6) == 0));
        let kernel_sizes: Vec<u64> = windows.iter().map(|w| w.width).collect();
        let kernel = reversed(&[&kernel_sizes[..], &[per_group, maps]].concat());
        let x = reversed(&[&sizes[..], &[channels]].concat());
        let mut attributes = lists(&windows, true);
        attributes.push(("sharing", list(&[flag(true)])));
        let dilations: Vec<u64> = windows.iter().map(|w| w.dilation).chain([1]).collect();
        attributes.push(("dilation", shape(&dilations)));
        let plain = [&attributes[..], &[("groups", size(groups))]].concat();
        let found: Vec<u64> = windows.iter().zip(&sizes).map(|(w, n)| w.positions(*n)).collect();
        let expected = if channels != groups * per_group || !maps.is_multiple_of(groups) {
            Err("type.shape")
        } else if found.contains(&0) {
            Err("attribute.window")
        } else {
            Ok(reversed(&[&found[..], &[maps]].concat()))
        };
        check(random, 33, &[kernel.clone(), x], &plain, &expected);

        // Transposed: a size whose convolution has these positions, the least one.
        let x = reversed(&[&sizes[..], &[maps]].concat());
        let undone: Option<Vec<u64>> = windows
            .iter()
            .zip(&sizes)
            .map(|(w, n)| match (n - 1) * w.stride {
                shift if w.auto => Some(shift + 1).filter(|size| w.width <= *size),
                shift => (shift + w.span()).checked_sub(w.lower + w.upper).filter(|size| *size > 0),
            })
            .collect();
        let transposed = [&attributes[..], &[("transpose", flag(true))]].concat();
        let expected = match undone {
            Some(file) => Ok(reversed(&[&file[..], &[per_group]].concat())),
            None => Err("attribute.window"),
        };
        check(random, 33, &[kernel.clone(), x.clone()], &transposed, &expected);

        // With the size said: any whose convolution has these positions.
        let said: Vec<u64> = (0..spatial).map(|_| random.between(1, 12) as u64).collect();
        let goes = windows.iter().zip(&sizes).zip(&said).all(|((w, n), size)| w.positions(*size) == *n);
        let expected = if goes { Ok(reversed(&[&said[..], &[per_group]].concat())) } else { Err("type.shape") };
        let dims = shape(&[&said[..], &[per_group]].concat());
        check(random, 33, &[kernel, x], &[&transposed[..], &[("outputShape", dims)]].concat(), &expected);
    }
}

#[test]
fn one_entry_of_a_list_counts_for_all_axes() {
    let attributes = [
        ("strides", shape(&[2])),
        ("sharing", list(&[flag(true)])),
        ("autoPadding", list(&[flag(true)])),
        ("lowerPad", shape(&[0])),
        ("upperPad", shape(&[0])),
    ];
    let found = infer(33, &[known(&[4, 1, 3, 3]), known(&[1, 5, 6])], &attributes).unwrap();
    assert_eq!(found[0], known(&[4, 3, 3]));
    // A kernel of the input's rank has one output map.
    let found = infer(33, &[known(&[1, 3, 3]), known(&[1, 5, 6])], &attributes).unwrap();
    assert_eq!(found[0], known(&[1, 3, 3]));
    // Several channels are not padded.
    assert_eq!(infer(33, &[known(&[4, 3, 3, 3]), known(&[3, 5, 6])], &attributes), Err("attribute.window"));
    assert_eq!(infer(33, &[known(&[3]), known(&[3, 5, 6])], &attributes), Err("type.shape"));
    assert_eq!(infer(33, &[known(&[]), known(&[])], &attributes), Err("type.shape"));
    let transposed = [&attributes[..], &[("transpose", flag(true))]].concat();
    assert_eq!(infer(33, &[known(&[4, 1, 3, 3]), known(&[3, 5, 6])], &transposed), Err("type.shape"));
    assert_eq!(infer(97, &[known(&[4, 3, 3, 3]), known(&[3, 5, 6])], &attributes).unwrap()[0], known(&[1]));
    assert_eq!(infer(97, &[known(&[4]), known(&[3, 5, 6])], &attributes), Err("type.shape"));
}

#[test]
fn poolings() {
    let random = &mut Random(10);
    for _ in 0..ROUNDS {
        let windows: Vec<Window> =
            (0..random.between(1, 3)).map(|_| Window { dilation: 1, ..Window::random(random) }).collect();
        let beyond = random.below(2) as usize;
        let file: Vec<u64> = (0..windows.len() + beyond).map(|_| random.between(1, 7) as u64).collect();
        let widths: Vec<u64> = windows.iter().map(|w| w.width).collect();
        let mut attributes = lists(&windows, false);
        attributes.push(("poolingType", size(0)));
        let count = |k: usize, ceil: bool| match windows.get(k) {
            None => 1.max(file[k]),
            Some(w) if ceil => w.positions_rounded_up(file[k]),
            Some(w) => w.positions(file[k]),
        };
        for ceil in [false, true] {
            let sizes: Vec<u64> = (0..file.len()).map(|k| count(k, ceil)).collect();
            let expected = if sizes.contains(&0) { Err("attribute.window") } else { Ok(reversed(&sizes)) };
            // One entry counts for all axes of the window, and these only.
            let more = [("poolingWindowShape", shape(&widths)), ("ceilOutDim", flag(ceil))];
            let all = [&attributes[..], &more].concat();
            check(random, 17, &[reversed(&file)], &all, &expected);
            if let (Ok(pooled), false) = (expected, ceil) {
                let all = [&attributes[..], &[("unpoolingWindowShape", shape(&widths))]].concat();
                let mut operands = [pooled, reversed(&file)];
                check(random, 58, &operands, &all, &Ok(reversed(&file)));
                operands[0][0] += 1;
                assert_eq!(infer(58, &operands.map(|dims| known(&dims)), &all), Err("type.shape"));
            }
        }
        let padded = windows.iter().any(|w| w.auto || w.lower + w.upper > 0);
        let all = [&attributes[..], &[("poolingWindowShape", shape(&[u64::MAX - 1]))]].concat();
        let whole: Vec<u64> = (0..file.len()).map(|row| if row == 0 { file[file.len() - 1] } else { 1 }).collect();
        let expected = if padded { Err("attribute.window") } else { Ok(whole) };
        check(random, 17, &[reversed(&file)], &all, &expected);
        let all = [&attributes[..], &[("poolingWindowShape", shape(&vec![1; file.len() + 1]))]].concat();
        assert_eq!(infer(17, &[known(&reversed(&file))], &all), Err("attribute.window"));
    }
    let attributes = [("roiOutputShape", shape(&[6, 5])), ("spatialScale", double(0.5)), ("poolingType", size(0))];
    let roi = |map: &[u64], regions: &[u64]| infer(47, &[known(map), known(regions)], &attributes);
    assert_eq!(roi(&[3, 8, 9], &[7, 4]).unwrap()[0], known(&[7, 3, 5, 6]));
    for (map, regions) in [(&[3, 8][..], &[7, 4][..]), (&[3, 8, 9], &[7, 5]), (&[3, 8, 9], &[4])] {
        assert_eq!(roi(map, regions), Err("type.shape"));
    }
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

#[test]
fn pads() {
    let random = &mut Random(12);
    for _ in 0..ROUNDS {
        let x = random.shape(1, 3);
        let mut file = reversed(&x);
        let mode = random.below(3);
        let mut expected = Ok(());
        let (mut head, mut foot) = (Vec::new(), Vec::new());
        for n in &mut file {
            let amounts = [random.below(4), random.below(4)];
            // How many elements there are to mirror: all, or all but the one at the edge.
            let most = [u64::MAX, *n - 1, *n][mode as usize];
            if amounts.iter().any(|amount| *amount > most) {
                expected = Err("attribute.range");
            }
            *n += amounts[0] + amounts[1];
            head.push(size(amounts[0]));
            foot.push(size(amounts[1]));
        }
        let attributes = [
            ("paddingHead", list(&head)),
            ("paddingFoot", list(&foot)),
            ("paddingMode", size(mode)),
            ("paddingConstantValue", double(0.0)),
        ];
        check(random, 83, std::slice::from_ref(&x), &attributes, &expected.map(|()| reversed(&file)));
        let more = [&head[..], &[size(0)]].concat();
        for key in ["paddingHead", "paddingFoot"] {
            let wrong = attributes.clone().map(|(k, value)| (k, if k == key { list(&more) } else { value }));
            assert_eq!(infer(83, &[known(&x)], &wrong), Err("attribute.range"));
        }
    }
    let nothing = [
        ("paddingHead", list(&[size(0), size(1)])),
        ("paddingFoot", list(&[size(0), size(0)])),
        ("paddingMode", size(0)),
        ("paddingConstantValue", double(0.0)),
    ];
    assert_eq!(infer(83, &[vec![None, None]], &nothing).unwrap()[0], [None, None]);
}

#[test]
fn crops() {
    let random = &mut Random(13);
    for _ in 0..ROUNDS {
        let (x, reference) = (random.shape(1, 4), random.shape(1, 4));
        let (mut file, like) = (reversed(&x), reversed(&reference));
        let offsets = random.flag().then(|| [random.below(3), random.below(3)]);
        let mut expected = if x.len() < 2 || reference.len() < 2 { Err("type.shape") } else { Ok(()) };
        for k in 0..2 {
            let (Some(n), Some(wanted), Ok(())) = (file.get_mut(k), like.get(k), expected) else { continue };
            if offsets.map_or(0, |offsets| offsets[k]) + wanted > *n {
                expected = Err("attribute.slice");
            }
            *n = *wanted;
        }
        let attributes: Vec<_> = offsets.iter().map(|offsets| ("offset", list(&offsets.map(size)))).collect();
        check(random, 84, &[x, reference], &attributes, &expected.map(|()| reversed(&file)));
    }
    for offsets in [&[][..], &[size(0)], &[size(0), size(0), size(0)]] {
        let attributes = [("offset", list(offsets))];
        assert_eq!(infer(84, &[known(&[3, 3]), known(&[2, 2])], &attributes), Err("attribute.range"));
    }
}

#[test]
fn layers() {
    let random = &mut Random(14);
    for _ in 0..ROUNDS {
        let x = random.shape(0, 3);
        let spatial = random.flag();
        let elements = if spatial { *x.first().unwrap_or(&1) } else { x.iter().product() };
        let (odd, wrong) = (random.below(5) as usize, random.below(3) == 0);
        let mut operands = vec![x.clone()];
        for i in 1..6 {
            operands.push(vec![if i == odd && wrong { elements + 1 } else { elements }]);
        }
        let attributes = [
            ("spatial", flag(spatial)),
            ("epsilon", double(1e-5)),
            ("normalizationTimeConstant", double(0.0)),
            ("blendTimeConstant", double(0.0)),
            ("useCuDNNEngine", flag(false)),
        ];
        // The last counts what was seen: one number.
        operands[5] = vec![];
        let expected = if wrong && odd > 0 { Err("type.shape") } else { Ok(x) };
        let rows: Vec<Row> = operands.iter().map(|dims| known(dims)).collect();
        assert_eq!(infer(40, &rows, &attributes).map(|outputs| outputs[0].clone()), expected.map(|x| known(&x)));

        let (hidden, layers, both) = (random.between(1, 3) as u64, random.between(1, 3) as u64, random.flag());
        let (name, gates) = random.pick(&[("lstm", 4), ("gru", 3), ("rnnReLU", 1), ("rnnTanh", 1)]);
        let width = random.between(1, 4) as u64;
        let mut weights = 0;
        for layer in 0..layers {
            for _ in 0..if both { 2 } else { 1 } {
                let input = if layer == 0 { width } else { hidden * if both { 2 } else { 1 } };
                weights += gates * (input * hidden + hidden * hidden + 2 * hidden);
            }
        }
        let wrong = random.below(3) == 0;
        let attributes = [
            ("hiddenSize", size(hidden)),
            ("numLayers", size(layers)),
            ("bidirectional", flag(both)),
            ("recurrentOp", text(name)),
        ];
        let result = hidden * if both { 2 } else { 1 };
        let expected = if wrong { Err("type.rnn-parameters") } else { Ok(vec![known(&[result])]) };
        let of = |x: &[u64]| {
            let operands = [sequence_input("", "s", x), parameter("", &[weights + u64::from(wrong)])];
            infer_records(49, &operands, &attributes)
        };
        assert_eq!(of(&[width]), expected, "{name}");
        assert_eq!(of(&[width, 1]), Err("type.shape"));
    }
}

#[test]
fn random_numbers() {
    let random = &mut Random(15);
    for _ in 0..20 {
        let x = random.shape(0, 3);
        let file = reversed(&x);
        let distribution =
            [("randomDistributionType", text("normal")), ("randomDistributionArgs", list(&[double(0.0), double(1.0)]))];
        check(random, 76, std::slice::from_ref(&x), &distribution, &Ok(x.clone()));
        let own = [&distribution[..], &[("newShape", shape(&file)), ("newDataType", int(1))]].concat();
        assert_eq!(infer(76, &[], &own).unwrap()[0], known(&x));
        assert_eq!(infer(76, &[], &distribution), Err("attribute.range"));
        let zero = [&distribution[..], &[("newShape", shape(&[0])), ("newDataType", int(1))]].concat();
        assert_eq!(infer(76, &[], &zero), Err("type.dimension-range"));
        let count = random.below(4);
        let sample = [("numSamples", size(count)), ("allowDuplicates", flag(true))];
        let expected = |dims: &[u64]| if count == 0 { Err("attribute.range") } else { Ok(dims.to_vec()) };
        let classes = [vec![random.between(1, 5) as u64]];
        check(random, 45, &classes, &sample, &expected(&[count, classes[0][0]]));
        check(random, 46, &classes, &sample, &expected(&classes[0]));
        let custom = [("customOp", text("op")), ("newDataType", int(1)), ("outputShape", shape(&file))];
        check(random, 93, &[vec![2]], &custom, &Ok(x));
    }
}

#[test]
fn between_static_and_dynamic_axes() {
    let sequence = |dims: &[u64]| sequence_input("", "s", dims);
    let of = |op, operands: &[Record], attributes: &[(&str, Value)]| {
        infer_records(op, operands, attributes).map(|mut outputs| outputs.swap_remove(0))
    };
    let unpack = |suppress| {
        let attributes =
            [("sequenceUnpackPaddingValue", double(0.0)), ("sequenceUnpackSuppressMaskOutput", flag(suppress))];
        infer_records(72, &[sequence(&[3, 2])], &attributes).unwrap()
    };
    let unpacked = vec![None, Some(2), Some(3)];
    assert_eq!(unpack(true), [unpacked.clone()].as_slice());
    assert_eq!(unpack(false), [unpacked, vec![None]].as_slice());
    assert_eq!(of(79, &[input("", &[3])], &[]), Ok(vec![None, Some(3)]));
    let pack = |op, operand: Record, like: Option<Record>| {
        let operands: Vec<Record> = std::iter::once(operand).chain(like).collect();
        of(op, &operands, &[])
    };
    assert_eq!(pack(70, input("", &[3, 2]), None), Ok(vec![Some(3)]));
    assert_eq!(pack(70, input("", &[]), None), Err("type.shape"));
    assert_eq!(pack(71, input("", &[3, 2]), Some(sequence(&[1]))), Ok(vec![Some(3)]));
    assert_eq!(pack(80, parameter("", &[3, 2]), None), Ok(vec![Some(3)]));
    assert_eq!(of(13, &[sequence(&[1])], &[]), Ok(vec![]));
    assert_eq!(of(13, &[sequence(&[2])], &[]), Err("type.shape"));
    assert_eq!(of(18, &[sequence(&[2])], &[]), Ok(vec![]));
    for (number, expected) in [(3.0, Ok(vec![Some(4)])), (1.0, Ok(vec![Some(2)])), (0.0, Err("attribute.range"))] {
        let vectors = || [input("", &[4]), input("", &[4]), constant("", &[], &[1.0])];
        let operands = [&vectors()[..], &[constant("", &[], &[number])]].concat();
        assert_eq!(of(67, &operands, &[]), expected);
        let operands = [&vectors()[..], &[input("", &[])]].concat();
        assert_eq!(of(67, &operands, &[]), Err("type.shape"));
    }
    let target = || parameter("", &[3, 2]);
    assert_eq!(of(73, &[target(), parameter("", &[3, 2])], &[]), Ok(known(&[2, 3])));
    assert_eq!(of(73, &[target(), parameter("", &[3, 1])], &[]), Err("type.shape"));
    assert_eq!(of(73, &[target(), parameter("", &[3, 2, 1])], &[]), Err("type.shape"));
}
