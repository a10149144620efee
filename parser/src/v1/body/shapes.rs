//! Bodies of slices, stacks, reshapes, reductions and other operators that change shapes or sequences.

use super::{Body, Composition, Said, axis, axis_from_1, composed, dynamic_axes, typed};
use crate::error::{Error, ErrorKind};
use crate::model::{Axis, Shape};
use crate::ops::Operator;
use crate::ops::attributes::{
    Crop, EyeLike, ReduceElements, Reduction, Reshape, Slice, SliceRange, Splice, ToSequence, TransposeAxes,
    UnpackSequence, Where,
};

/// `Axis::AllStaticAxes()`.
const ALL_STATIC: i32 = 2_147_483_646;
/// `Axis::AllAxes()`.
const ALL: i32 = 2_147_483_643;
/// The index that stands for a dynamic axis.
const DYNAMIC: i32 = i32::MAX;

pub(in crate::v1) fn slice<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let count = if body.version >= 22 { axes(body, 16)? } else { 1 };
    let mut ranges = Vec::new();
    for _ in 0..count {
        let begin_at = body.reader.at();
        let begin = body.reader.i64()?;
        let length = body.reader.i64()?;
        let small = |n: Option<i64>| n.and_then(|n| i32::try_from(n).ok());
        let (Some(first), Some(end)) = (small(Some(begin)), small(begin.checked_add(length))) else {
            return Err(Error::new(ErrorKind::NotInt32 { field: "slice" }, begin_at));
        };
        let axis = if body.version >= 3 { stored_axis(body)? } else { axis(0) };
        if body.version >= 27 {
            let at = body.reader.at();
            let stride = body.reader.i32()?;
            if stride == 0 || (length > 0 && i64::from(stride.unsigned_abs()) > length) {
                return body.bad("a stride that is not longer than its range", stride, at);
            }
            if stride != 1 {
                let text = format!("the stride {stride} of a v1 slice has no effect, as in CNTK 2.7");
                body.note = Some(("v1.ignored", text));
            }
        }
        ranges.push(SliceRange { axis, begin: first, end, stride: 1 });
    }
    Ok(typed(Operator::Slice(Slice { ranges })))
}

/// The number of axes that follow, each at least `smallest` bytes long.
fn axes(body: &mut Body<'_, '_, '_>, smallest: u64) -> Result<u32, Error> {
    let at = body.reader.at();
    let count = body.reader.i32()?;
    let left = body.reader.left();
    match u32::try_from(count) {
        Ok(n) if n > 0 && u64::from(n) <= left.checked_div(smallest).unwrap_or(0) => Ok(n),
        Ok(n) if n > 0 => Err(Error::new(ErrorKind::Count { what: "axes", count: n.into(), left }, at)),
        _ => body.bad("a positive number of axes", count, at),
    }
}

/// A static axis that the file counts from 1.
fn stored_axis(body: &mut Body<'_, '_, '_>) -> Result<Axis<'static>, Error> {
    let at = body.reader.at();
    match body.reader.i32()? {
        index if index > 0 => Ok(axis_from_1(index)),
        other => body.bad("an axis, counted from 1", other, at),
    }
}

pub(in crate::v1) fn row_stack<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let axis = if body.version >= 3 { stored_axis(body)? } else { axis(0) };
    Ok(typed(Operator::Splice(Splice { axis })))
}

pub(in crate::v1) fn row_repeat<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let at = body.reader.at();
    match body.reader.u64()? {
        0 => body.bad("at least one repetition", 0, at),
        // Each repetition becomes an input of a Splice.
        count if count > MOST_REPETITIONS => {
            Err(Error::new(ErrorKind::Limit { limit: "repetitions", value: count, max: MOST_REPETITIONS }, at))
        }
        count => Ok(composed(Composition::RowRepeat(count))),
    }
}

const MOST_REPETITIONS: u64 = 4096;

/// A begin of 0 or less stands for the first axis, such an end for the last one, as in BrainScript.
pub(in crate::v1) fn reshape<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let (begin, end) = (body.reader.i32()?, body.reader.i32()?);
    let new_shape = inferred(body.reader.shape()?);
    Ok(typed(Operator::Reshape(Reshape {
        new_shape,
        begin: Some(axis_from_1(begin.max(1))),
        end: (end > 0).then(|| axis_from_1(end)),
    })))
}

/// Marks dimensions to infer: v1 writes 0 where v2 has a sentinel.
fn inferred(mut shape: Shape) -> Shape {
    for dim in shape.0.iter_mut() {
        if *dim == 0 {
            *dim = Shape::INFERRED;
        }
    }
    shape
}

/// LegacyReshape: a new shape for each frame. One that regroups frames changes the number of elements, which validation
/// refuses.
pub(in crate::v1) fn legacy_reshape<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let rows = body.reader.u64()?;
    let layout = body.reader.legacy_shape()?;
    let count = layout.elements();
    let new_shape = if !layout.0.is_empty() && count == Some(rows) { layout } else { Shape::from([rows]) };
    Ok(typed(Operator::Reshape(Reshape { new_shape, begin: None, end: None })))
}

pub(in crate::v1) fn transpose<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let at = body.reader.at();
    let (first, second) = if body.version >= 3 { (body.reader.i32()?, body.reader.i32()?) } else { (1, 2) };
    if body.version >= 25 && first == 0 && second == 0 {
        let at = body.reader.at();
        let mut permutation = Vec::new();
        for place in body.reader.sizes()? {
            let Ok(place) = i32::try_from(place) else { return body.bad("axes", place, at) };
            permutation.push(axis(place));
        }
        return Ok(typed(Operator::TransposeAxes(TransposeAxes::Permute(permutation))));
    }
    if first < 1 || second < 1 {
        return body.bad("axes, counted from 1", format!("{first}, {second}"), at);
    }
    Ok(typed(Operator::TransposeAxes(TransposeAxes::Swap(axis_from_1(first), axis_from_1(second)))))
}

pub(in crate::v1) fn reduce<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let count = if body.version >= 27 { axes(body, 4)? } else { 1 };
    let mut axes = Vec::new();
    for _ in 0..count {
        let at = body.reader.at();
        axes.push(match body.reader.i32()? {
            0 => axis(ALL_STATIC),
            -1 => axis(ALL),
            -2 => Axis { index: DYNAMIC, name: "defaultDynamicAxis", ordered: true },
            -3 => Axis { index: DYNAMIC, name: "defaultBatchAxis", ordered: false },
            index if index > 0 => axis_from_1(index),
            other => return body.bad("an axis", other, at),
        });
    }
    let at = body.reader.at();
    let name = body.reader.text()?;
    let Some(reduction) = Reduction::from_name(&name) else { return body.bad("the name of a reduction", name, at) };
    if body.version >= 24 {
        // CNTK 2.7 ignores this flag of a v1 file and keeps the reduced dimensions.
        body.reader.flag()?;
    }
    Ok(typed(Operator::ReduceElements(ReduceElements { axes, reduction, keep_dimensions: true })))
}

/// SumColumnElements: the sum along the first axis.
pub(in crate::v1) fn sum_columns<'a>(_: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let axes = vec![axis(0)];
    Ok(typed(Operator::ReduceElements(ReduceElements { axes, reduction: Reduction::Sum, keep_dimensions: true })))
}

/// A crop. The offsets follow from the paths of the operands to a common ancestor: CNTK 2.7 does not hand on those of the
/// file.
pub(in crate::v1) fn crop<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let (x, y) = (body.reader.f64()?, body.reader.f64()?);
    if !x.is_nan() && !y.is_nan() {
        let text =
            format!("the offsets {x:?} and {y:?} of a v1 Crop have no effect, as in CNTK 2.7, which finds its own");
        body.note = Some(("v1.ignored", text));
    }
    Ok(typed(Operator::Crop(Crop { offset: None })))
}

pub(in crate::v1) fn eye_like<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let output_sparse = body.reader.flag()?;
    Ok(typed(Operator::EyeLikeOp(EyeLike { output_sparse })))
}

pub(in crate::v1) fn positions<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let new_dynamic_axes = if body.version >= 11 { named_axis(body)? } else { None };
    Ok(typed(Operator::Where(Where { new_dynamic_axes, ..Where::default() })))
}

pub(in crate::v1) fn to_sequence<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let new_dynamic_axes = named_axis(body)?;
    Ok(typed(Operator::ToSequence(ToSequence { new_dynamic_axes, ..ToSequence::default() })))
}

/// A sequence axis of that name and the batch axis.
fn named_axis<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Option<Vec<Axis<'a>>>, Error> {
    let name = body.reader.text()?;
    if name.is_empty() {
        return Ok(None);
    }
    Ok(Some(dynamic_axes(body.reader.file().keep_text(name))))
}

pub(in crate::v1) fn unpack_sequence<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let padding_value = body.number()?;
    let suppress_mask_output = body.reader.flag()?;
    Ok(typed(Operator::UnpackSequence(UnpackSequence { padding_value, suppress_mask_output })))
}

macro_rules! without_body {
    ($($name:ident = $composition:ident;)*) => {$(
        pub(in crate::v1) fn $name<'a>(_: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
            Ok(composed(Composition::$composition))
        }
    )*};
}

without_body! {
    normalize = Normalize;
    denormalize = Denormalize;
    lookup_table = LookupTable;
    khatri_rao = KhatriRao;
    diagonal = Diagonal;
    l1 = L1;
    l2 = L2;
    cross_entropy = CrossEntropy;
    multiplexer = Multiplexer;
}
