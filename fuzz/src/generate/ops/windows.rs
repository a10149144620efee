//! Generates functions with sliding windows: convolution and its transpose, pooling and its inverse, regions.

use crate::generate::maker::{Maker, Value};
use crate::generate::values::{double, entry, file_shape, flag, list, number};
use crate::mutate::Choice;
use crate::schema::Entry;
use cntk_parser::ops::Op;

/// How a window slides along one spatial axis.
#[derive(Clone, Copy)]
struct Slide {
    kernel: u64,
    stride: u64,
    auto: bool,
    lower: u64,
    upper: u64,
}

impl Slide {
    fn any(m: &mut Maker<'_, '_>, n: u64) -> Self {
        let auto = m.choice.one_in(2);
        let kernel = 1 + m.choice.below(n.min(3) as usize) as u64;
        let pad =
            |m: &mut Maker<'_, '_>| if auto || m.options.runnable { 0 } else { m.choice.below(kernel as usize) as u64 };
        let (lower, upper) = (pad(m), pad(m));
        let stride = 1 + m.choice.below(2) as u64;
        // Where padding is given, windows have to reach across the whole of the axis.
        let reach = (n + lower + upper - kernel) / stride * stride + kernel;
        let stride = if reach < n + lower { 1 } else { stride };
        Self { kernel, stride, auto, lower, upper }
    }

    fn output(&self, n: u64, ceil: bool) -> u64 {
        let span = if self.auto { n - 1 } else { n + self.lower + self.upper - self.kernel };
        (if ceil { span.div_ceil(self.stride) } else { span / self.stride }) + 1
    }
}

/// A list in file order, one entry per spatial axis, then the channel's.
fn spread<T>(slides: &[Slide], channel: T, of: impl Fn(&Slide) -> T) -> Vec<T> {
    slides.iter().rev().map(of).chain([channel]).collect()
}

fn image(v: &Value) -> bool {
    (2..=4).contains(&v.shape.len()) && v.known().is_some() && v.batch
}

fn attributes(slides: &[Slide], kernel: &[u64], transpose: bool, groups: u64) -> Vec<Entry> {
    let flags = |list: Vec<bool>| self::list(list.into_iter().map(flag).collect());
    let file: Vec<u64> = kernel.iter().rev().copied().collect();
    vec![
        entry("strides", file_shape(&spread(slides, 1, |s| s.stride))),
        entry("dilation", file_shape(&[1])),
        entry("sharing", flags(vec![true])),
        entry("autoPadding", flags(spread(slides, false, |s| s.auto))),
        entry("lowerPad", file_shape(&spread(slides, 0, |s| s.lower))),
        entry("upperPad", file_shape(&spread(slides, 0, |s| s.upper))),
        entry("transpose", flag(transpose)),
        entry("outputShape", file_shape(&[0])),
        entry("kernelShape", file_shape(&file)),
        entry("maxTempMemSizeInSamples", number(0)),
        entry("groups", number(groups)),
        entry("sequential", flag(false)),
    ]
}

pub(super) fn convolution(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(image)?;
    let dims = x.known()?;
    let (channels, spatial) = (dims[0], &dims[1..]);
    let mut slides: Vec<Slide> = spatial.iter().map(|n| Slide::any(m, *n)).collect();
    if m.choice.one_in(3) {
        slides.iter_mut().for_each(|s| (s.lower, s.upper) = (0, 0));
        return transposed(m, &x, &dims, &slides);
    }
    let groups = if m.choice.one_in(3) { channels } else { 1 };
    let maps = groups * m.size();
    let windows: Vec<u64> = slides.iter().map(|s| s.kernel).collect();
    let kernel = [&[maps, channels / groups][..], &windows].concat();
    let w = m.tensor_of(&kernel, false, x.elem, None);
    let sizes = spatial.iter().zip(&slides).map(|(n, s)| Some(s.output(*n, false)));
    let shape = [Some(maps)].into_iter().chain(sizes).collect();
    m.function(Op::Convolution, &[&w, &x], attributes(&slides, &kernel[1..], false, groups), x.shaped(shape));
    Some(())
}

fn transposed(m: &mut Maker<'_, '_>, x: &Value, dims: &[u64], slides: &[Slide]) -> Option<()> {
    let maps = m.size();
    let windows: Vec<u64> = slides.iter().map(|s| s.kernel).collect();
    let kernel = [&[dims[0], maps][..], &windows].concat();
    let w = m.tensor_of(&kernel, false, x.elem, None);
    let size = |n: u64, s: &Slide| (n - 1) * s.stride + if s.auto { 1 } else { s.kernel };
    let sizes = dims[1..].iter().zip(slides).map(|(n, s)| Some(size(*n, s)));
    let shape = [Some(maps)].into_iter().chain(sizes).collect();
    m.function(Op::Convolution, &[&w, x], attributes(slides, &kernel[1..], true, 1), x.shaped(shape));
    Some(())
}

pub(super) fn sequence_shape(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.shape.len() == 1 && v.known().is_some() && v.sequence.is_some() && v.batch)?;
    let kernel = [2, x.shape[0]?, 1];
    let w = m.tensor_of(&kernel, false, x.elem, None);
    let slides = [Slide { kernel: 1, stride: 1, auto: true, lower: 0, upper: 0 }];
    let mut made = x.shaped(vec![Some(1)]);
    made.sequence = None;
    m.function(Op::ConvolutionSequenceShape, &[&w, &x], attributes(&slides, &kernel[1..], false, 1), made);
    Some(())
}

fn pooling_attributes(window: &str, average: bool, slides: &[Slide]) -> Vec<Entry> {
    let reversed = |of: fn(&Slide) -> u64| file_shape(&slides.iter().rev().map(of).collect::<Vec<_>>());
    vec![
        entry("poolingType", number(u64::from(average))),
        entry(window, reversed(|s| s.kernel)),
        entry("strides", reversed(|s| s.stride)),
        entry("autoPadding", list(slides.iter().rev().map(|s| flag(s.auto)).collect())),
        entry("lowerPad", reversed(|s| s.lower)),
        entry("upperPad", reversed(|s| s.upper)),
    ]
}

fn pooled(x: &Value, dims: &[u64], slides: &[Slide], ceil: bool) -> Value {
    let sizes = dims[1..].iter().zip(slides).map(|(n, s)| Some(s.output(*n, ceil)));
    x.shaped([Some(dims[0])].into_iter().chain(sizes).collect())
}

pub(super) fn pooling(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(image)?;
    let dims = x.known()?;
    let slides: Vec<Slide> = dims[1..].iter().map(|n| Slide::any(m, *n)).collect();
    let ceil = m.choice.one_in(3);
    let mut attributes = pooling_attributes("poolingWindowShape", m.choice.one_in(2), &slides);
    attributes.push(entry("ceilOutDim", flag(ceil)));
    attributes.push(entry("includePad", flag(m.choice.one_in(2))));
    let made = pooled(&x, &dims, &slides, ceil);
    m.function(Op::Pooling, &[&x], attributes, made);
    Some(())
}

/// A pooling and its unpooling.
pub(super) fn unpooling(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(image)?;
    let dims = x.known()?;
    let slides: Vec<Slide> = (dims[1..].iter())
        .map(|n| {
            let kernel = 1 + m.choice.below((*n).min(2) as usize) as u64;
            Slide { kernel, stride: kernel, auto: false, lower: 0, upper: 0 }
        })
        .collect();
    let attributes = pooling_attributes("poolingWindowShape", false, &slides);
    let small = m.function(Op::Pooling, &[&x], attributes, pooled(&x, &dims, &slides, false));
    let attributes = pooling_attributes("unpoolingWindowShape", false, &slides);
    m.function(Op::Unpooling, &[&small, &x], attributes, x.like());
    Some(())
}

pub(super) fn roi_pooling(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.shape.len() == 3 && v.known().is_some() && v.batch && v.sequence.is_none())?;
    let (count, width, height) = (m.size(), m.size().min(x.shape[2]?), m.size().min(x.shape[1]?));
    // Each sample has its own regions.
    let regions = m.tensor_of(&[count, 4], true, x.elem, Some(1.0));
    let made = x.shaped(regions.shape.clone());
    let regions = m.function(Op::ReconcileDynamicAxis, &[&regions, &x], vec![], made);
    let attributes = vec![
        entry("poolingType", number(0)),
        entry("roiOutputShape", file_shape(&[width, height])),
        entry("spatialScale", double(1.0)),
    ];
    let shape = vec![Some(count), x.shape[0], Some(height), Some(width)];
    m.function(Op::ROIPooling, &[&x, &regions], attributes, x.shaped(shape));
    Some(())
}
