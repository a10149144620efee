//! Strided views of stored tensors, which are checked, simplified and written in chunks.

use super::{ElemType, WriteError, gather::Gather, output::Output};
use smallvec::SmallVec;
use std::ops::Range;

/// How much converted data is held at a time. It is large enough that a transposed matrix is read in long runs.
const CHUNK_BYTES: usize = 4 << 20;

/// How elements are stored in the source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stored {
    /// f32, 4 bytes.
    F32,
    /// f64, 8 bytes.
    F64,
    /// i8.
    I8,
}

/// A strided view of a contiguous tensor of the source file: element `(i0, i1, …)` is at
/// `start + (offset + i0*strides[0] + i1*strides[1] + …) * size`. Written in row-major order of `dims`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// File range of the whole stored tensor.
    pub range: Range<u64>,
    /// Element encoding in the file.
    pub stored: Stored,
    /// Offset of the first element, in elements.
    pub offset: u64,
    /// Sizes of the view.
    pub dims: SmallVec<[u64; 4]>,
    /// Strides in elements, which may be negative.
    pub strides: SmallVec<[i64; 4]>,
}

impl View {
    /// The number of elements.
    pub fn count(&self) -> u64 {
        self.dims.iter().product()
    }

    /// Is the view row-major without gaps?
    pub fn is_contiguous(&self) -> bool {
        let dense = row_major(&self.dims);
        self.dims.iter().zip(&self.strides).zip(&dense).all(|((n, a), b)| *n == 1 || a == b)
    }
}

impl Stored {
    /// Bytes per element in the file.
    pub fn size(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
            Self::I8 => 1,
        }
    }
}

/// The number of elements. Checks that the view lies within its tensor, and the tensor within the source.
pub(super) fn check(view: &View, elem: ElemType, source: &[u8]) -> Result<u64, &'static str> {
    if converter(view.stored, elem).is_none() {
        return Err("a view's elements cannot be converted to its type");
    }
    if view.range.start > view.range.end || view.range.end > source.len() as u64 {
        return Err("a view's tensor is not within the file");
    }
    if view.dims.len() != view.strides.len() {
        return Err("a view has as many strides as dimensions");
    }
    let too_large = "a view is too large";
    let count = view.dims.iter().try_fold(1u64, |n, d| n.checked_mul(*d)).ok_or(too_large)?;
    if count == 0 {
        return Ok(0);
    }
    let (mut low, mut high) = (i128::from(view.offset), i128::from(view.offset));
    for (dim, stride) in view.dims.iter().zip(&view.strides) {
        let reach = i128::from(dim - 1).checked_mul(i128::from(*stride)).ok_or(too_large)?;
        let end = if reach < 0 { &mut low } else { &mut high };
        *end = end.checked_add(reach).ok_or(too_large)?;
    }
    let stored = (view.range.end - view.range.start) / view.stored.size();
    if low < 0 || high >= i128::from(stored) { Err("a view reaches outside its tensor") } else { Ok(count) }
}

/// Writes a view that [`check`] passed. `chunk` is scratch space.
pub(super) fn write(
    view: &View,
    elem: ElemType,
    source: &[u8],
    chunk: &mut Vec<u8>,
    out: &mut Output<'_>,
) -> Result<(), WriteError> {
    if view.dims.contains(&0) {
        return Ok(());
    }
    let (dims, strides) = simplify(view);
    let (first, last) = (view.range.start as usize, view.range.end as usize);
    let (size, written) = (view.stored.size() as usize, elem.size());
    let inner = *dims.last().unwrap_or(&1);

    if size == written && strides.last().is_none_or(|s| *s == 1) {
        let outer = dims.len().saturating_sub(1);
        return each_index(&dims[..outer], &strides[..outer], view.offset as isize, |at| {
            let start = first + at as usize * size;
            out.copy(source, start..start + inner * size)
        });
    }

    let Some(convert) = converter(view.stored, elem) else { return Ok(()) };
    let data = &source[first..last];
    let per_chunk = CHUNK_BYTES / written;
    // The first axis of which several steps fit in a chunk; all axes after it fit as a whole.
    let mut axis = dims.len();
    let mut tail = 1usize;
    while axis > 0 && dims[axis - 1] * tail <= per_chunk {
        axis -= 1;
        tail *= dims[axis];
    }
    let split = axis.saturating_sub(1);
    let tail: usize = dims.iter().skip(split + 1).product();
    let (whole, step) = match dims.first() {
        Some(_) => (dims[split], (per_chunk / tail).clamp(1, dims[split])),
        None => (1, 1),
    };
    each_index(&dims[..split], &strides[..split], view.offset as isize, |at| {
        for start in (0..whole).step_by(step) {
            let mut part: Axes<usize> = dims.iter().skip(split).copied().collect();
            if let Some(first) = part.first_mut() {
                *first = step.min(whole - start);
            }
            let stride = strides.get(split).copied().unwrap_or(0);
            let gather = Gather {
                data,
                start: at + start as isize * stride,
                dims: &part,
                strides: strides.get(split..).unwrap_or_default(),
            };
            chunk.resize(part.iter().product::<usize>() * written, 0);
            convert(&gather, chunk);
            out.write(chunk)?;
        }
        Ok(())
    })
}

type Axes<T> = SmallVec<[T; 6]>;

/// The same elements with fewer axes: axes of size 1 are dropped, and neighbours with matching strides are joined.
fn simplify(view: &View) -> (Axes<usize>, Axes<isize>) {
    let mut dims = Axes::<usize>::new();
    let mut strides = Axes::<isize>::new();
    for (dim, stride) in view.dims.iter().zip(&view.strides) {
        let (dim, stride) = (*dim as usize, *stride as isize);
        if dim == 1 {
            continue;
        }
        match (dims.last_mut(), strides.last_mut()) {
            (Some(d), Some(s)) if *s == stride.wrapping_mul(dim as isize) => {
                *d *= dim;
                *s = stride;
            }
            _ => {
                dims.push(dim);
                strides.push(stride);
            }
        }
    }
    (dims, strides)
}

/// Calls `f` with the offset of each index, in row-major order.
fn each_index<E>(
    dims: &[usize],
    strides: &[isize],
    start: isize,
    mut f: impl FnMut(isize) -> Result<(), E>,
) -> Result<(), E> {
    let mut index: Axes<usize> = SmallVec::from_elem(0, dims.len());
    let mut at = start;
    loop {
        f(at)?;
        let mut axis = dims.len();
        loop {
            if axis == 0 {
                return Ok(());
            }
            axis -= 1;
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < dims[axis] {
                break;
            }
            at -= strides[axis] * dims[axis] as isize;
            index[axis] = 0;
        }
    }
}

type Convert = fn(&Gather<'_>, &mut [u8]);

/// The conversion from stored to written elements; `None` if there is none between these types.
fn converter(stored: Stored, elem: ElemType) -> Option<Convert> {
    use super::half;
    let convert: Convert = match (stored, elem) {
        (Stored::F32, ElemType::Float) => |g, out| g.run(out, |b: [u8; 4]| b),
        (Stored::F32, ElemType::Double) => |g, out| g.run(out, |b| f64::from(f32::from_le_bytes(b)).to_le_bytes()),
        (Stored::F32, ElemType::Float16) => {
            |g, out| g.run(out, |b| half::from_f32(f32::from_le_bytes(b)).to_le_bytes())
        }
        (Stored::F64, ElemType::Double) => |g, out| g.run(out, |b: [u8; 8]| b),
        (Stored::F64, ElemType::Float) => |g, out| g.run(out, |b| (f64::from_le_bytes(b) as f32).to_le_bytes()),
        (Stored::F64, ElemType::Float16) => {
            |g, out| g.run(out, |b| half::from_f64(f64::from_le_bytes(b)).to_le_bytes())
        }
        (Stored::I8, ElemType::Int8) => |g, out| g.run(out, |b: [u8; 1]| b),
        (Stored::I8, ElemType::Float) => |g, out| g.run(out, |b| f32::from(i8::from_le_bytes(b)).to_le_bytes()),
        _ => return None,
    };
    Some(convert)
}

/// Strides of a row-major tensor, in elements.
pub(crate) fn row_major(dims: &[u64]) -> SmallVec<[i64; 4]> {
    let mut strides: SmallVec<[i64; 4]> = dims.iter().map(|_| 1).collect();
    for i in (1..dims.len()).rev() {
        strides[i - 1] = strides[i].saturating_mul(i64::try_from(dims[i]).unwrap_or(i64::MAX));
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::ControlFlow;

    fn view(len: usize, offset: u64, dims: &[u64], strides: &[i64]) -> View {
        let range = 3..3 + 4 * len as u64;
        View { range, stored: Stored::F32, offset, dims: dims.into(), strides: strides.into() }
    }

    fn written(view: &View, elem: ElemType, source: &[u8]) -> Vec<u8> {
        assert_eq!(check(view, elem, source), Ok(view.dims.iter().product()));
        let mut bytes = vec![];
        let mut progress = |_| ControlFlow::Continue(());
        let mut out = Output::new(&mut bytes, &mut progress);
        write(view, elem, source, &mut vec![], &mut out).unwrap();
        out.drain().unwrap();
        drop(out);
        bytes
    }

    /// The offsets of a view's elements, computed by the definition.
    fn offsets(view: &View) -> Vec<i64> {
        let mut all = vec![view.offset as i64];
        for (dim, stride) in view.dims.iter().zip(&view.strides) {
            all = all.iter().flat_map(|at| (0..*dim as i64).map(move |i| at + i * stride)).collect();
        }
        all
    }

    fn source(len: usize) -> Vec<u8> {
        [vec![9; 3], (0..len).flat_map(|i| (i as f32).to_le_bytes()).collect()].concat()
    }

    #[test]
    fn every_layout_agrees_with_the_definition() {
        let cases: [(usize, u64, &[u64], &[i64]); 12] = [
            (1, 0, &[], &[]),
            (24, 0, &[2, 3, 4], &[12, 4, 1]),
            (24, 0, &[4, 3, 2], &[1, 4, 12]),
            (24, 0, &[4, 2, 3], &[1, 12, 4]),
            (24, 23, &[2, 3, 4], &[-12, -4, -1]),
            (24, 8, &[2, 1, 4], &[12, 99, 1]),
            (24, 3, &[2, 3, 2], &[12, 4, -2]),
            (6, 0, &[3, 2], &[0, 1]),
            (70 * 90, 0, &[90, 70], &[1, 90]),
            (70 * 90, 89, &[90, 70], &[-1, 90]),
            (20 * 7 * 40, 0, &[7, 40, 20], &[40, 1, 280]),
            (5000, 0, &[0, 4], &[4, 1]),
        ];
        for (len, offset, dims, strides) in cases {
            let (view, source) = (view(len, offset, dims, strides), source(len));
            let wanted: Vec<u8> = offsets(&view).iter().flat_map(|i| (*i as f32).to_le_bytes()).collect();
            assert_eq!(written(&view, ElemType::Float, &source), wanted, "{dims:?} {strides:?}");
            let wanted: Vec<u8> = offsets(&view).iter().flat_map(|i| (*i as f64).to_le_bytes()).collect();
            assert_eq!(written(&view, ElemType::Double, &source), wanted, "{dims:?} {strides:?}");
        }
    }

    #[test]
    fn larger_than_a_chunk() {
        for (dims, strides) in [([1500u64, 1000], [1i64, 1500]), ([2, 750_000], [750_000, 1])] {
            let (view, source) = (view(1_500_000, 0, &dims, &strides), source(1_500_000));
            let all = offsets(&view);
            let bytes = written(&view, ElemType::Double, &source);
            assert_eq!(bytes.len(), 12_000_000);
            for (at, want) in all.iter().enumerate() {
                assert_eq!(bytes[at * 8..at * 8 + 8], (*want as f64).to_le_bytes());
            }
        }
        let (view, source) = (view(3_000_000, 2_999_999, &[3_000_000], &[-1]), source(3_000_000));
        let bytes = written(&view, ElemType::Float, &source);
        assert!(bytes.chunks(4).enumerate().all(|(i, b)| b == ((2_999_999 - i) as f32).to_le_bytes()));
    }

    #[test]
    fn what_reaches_outside_is_refused() {
        let source = source(24);
        let bad =
            |offset, dims: &[u64], strides: &[i64]| check(&view(24, offset, dims, strides), ElemType::Float, &source);
        assert!(bad(0, &[25], &[1]).is_err());
        assert!(bad(0, &[2], &[-1]).is_err());
        assert!(bad(24, &[], &[]).is_err());
        assert!(bad(0, &[2], &[]).is_err());
        assert!(bad(0, &[u64::MAX, u64::MAX], &[0, 0]).is_err());
        assert!(bad(0, &[3, 2], &[i64::MAX, i64::MIN]).is_err());
        assert!(bad(100, &[0, 7], &[1, 1]).is_ok());
        assert!(check(&view(25, 0, &[1], &[1]), ElemType::Float, &source).is_err());
        assert!(check(&view(24, 0, &[1], &[1]), ElemType::Int64, &source).is_err());
    }
}
