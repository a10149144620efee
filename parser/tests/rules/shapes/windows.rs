//! Convolution and pooling.

use super::*;

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
