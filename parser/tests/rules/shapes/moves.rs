//! Operators that move elements: slices, splices, transpositions, reshapes, pads, crops.

use super::*;

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
