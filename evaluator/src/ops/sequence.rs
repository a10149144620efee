//! Operators that convert between sequences, batches and static axes (spec 4.13). Frames have no padding, so no masks
//! are needed.

use super::{Call, Out};
use crate::fault::{Fault, fault};
use crate::value::{Frames, Value, longest};
use cntk_parser::ops::attributes::UnpackSequence;

/// Where: the steps of each sequence at which the condition is not 0. CNTK sums the condition up, and lists a step
/// until the number of listed steps reaches the sum, so a condition of 2 lists its step twice. If the attribute's axes
/// are `[batch]`, there must be exactly one such step.
pub(super) fn positions(call: &mut Call<'_>) -> Out {
    let condition = call.input(0);
    let numbers = condition.contiguous();
    let mut found: Vec<Vec<f64>> = Vec::new();
    for steps in condition.frames.ranges() {
        let (mut sum, mut listed) = (0.0, Vec::new());
        for (step, i) in steps.enumerate() {
            sum += numbers[i];
            call.meter.room(&[(sum - listed.len() as f64).max(0.0) as usize])?;
            while (listed.len() as f64) < sum {
                listed.push(step as f64);
            }
        }
        found.push(listed);
    }
    let lengths: Vec<usize> = found.iter().map(Vec::len).collect();
    if lengths.contains(&0) {
        return fault("a sequence without any step");
    }
    let frames = if call.types.first().is_some_and(|t| t.axes.sequence.is_none()) {
        if lengths.iter().any(|n| *n != 1) {
            return fault("it keeps more than one step of a sequence, and its result is no sequence");
        }
        Frames::Samples(lengths.len())
    } else {
        Frames::Steps(lengths.into())
    };
    Ok(vec![Value::of(frames, &[], found.concat())?])
}

/// PackedIndex: steps of a sequence as positions in CNTK's minibatch, in which all samples of a step come before those
/// of the next step.
pub(super) fn packed_index(call: &mut Call<'_>) -> Out {
    let (source, steps) = (call.input(0), call.input(1));
    let samples = source.frames.samples();
    let numbers = steps.contiguous();
    let ranges = steps.frames.ranges().into_iter().enumerate();
    let places = ranges
        .flat_map(|(sample, frames)| frames.map(|i| numbers[i] * samples as f64 + sample as f64).collect::<Vec<_>>());
    Ok(vec![Value::of(steps.frames.clone(), &[], places.collect())?])
}

/// The frames that packed indices name.
fn packed(indices: &Value, frames: &Frames) -> Result<Vec<usize>, Fault> {
    let (ranges, samples) = (frames.ranges(), frames.samples());
    let place = |index: &f64| {
        let (step, sample) = (*index as usize / samples, *index as usize % samples);
        Some(ranges[sample].start + step).filter(|i| *index >= 0.0 && ranges[sample].contains(i))
    };
    let places: Option<Vec<usize>> = indices.data.iter().map(place).collect();
    places.map_or_else(|| fault("a packed index that is no place in the minibatch"), Ok)
}

/// GatherPacked: the frames at packed indices.
pub(super) fn gather_packed(call: &mut Call<'_>) -> Out {
    let (source, indices) = (call.input(0), call.input(1));
    let places = packed(indices, &source.frames)?;
    call.meter.room(&[places.len(), source.width()])?;
    Ok(vec![source.select(indices.frames.clone(), &places)])
}

/// ScatterPacked: frames at packed indices, added up where an index repeats, in the layout of the condition; other frames are 0.
pub(super) fn scatter_packed(call: &mut Call<'_>) -> Out {
    let (source, indices, layout) = (call.input(0), call.input(1), call.input(2));
    let places = packed(indices, &layout.frames)?;
    let width = source.width();
    call.meter.room(&[layout.frames.count(), width])?;
    let mut elements = vec![0.0; layout.frames.count() * width];
    for (frame, place) in source.contiguous().chunks(width.max(1)).zip(places) {
        elements[place * width..(place + 1) * width].iter_mut().zip(frame).for_each(|(sum, x)| *sum += x);
    }
    Ok(vec![Value::of(layout.frames.clone(), source.shape(), elements)?])
}

/// ReconcileDynamicAxis: the first operand, repeated for the frames of the second. If both are sequences, their lengths
/// must be equal.
pub(super) fn reconcile(call: &mut Call<'_>) -> Out {
    let (x, layout) = (call.input(0), call.input(1));
    call.meter.room(&[layout.frames.count(), x.width()])?;
    Ok(vec![x.spread(&layout.frames)?])
}

/// UnpackSequence: the steps as the outermost static axis, filled up to the longest sequence; the second result marks
/// the real steps.
pub(super) fn unpack(call: &mut Call<'_>, a: &UnpackSequence) -> Out {
    let x = call.input(0);
    let Frames::Steps(lengths) = &x.frames else { return fault("its operand is no sequence") };
    let (most, width) = (longest(lengths), x.width());
    call.meter.room(&[lengths.len(), most, width])?;
    let (data, mut elements, mut mask) = (x.contiguous(), Vec::new(), Vec::new());
    for steps in x.frames.ranges() {
        let missing = most - steps.len();
        elements.extend(&data[steps.start * width..steps.end * width]);
        elements.extend(std::iter::repeat_n(a.padding_value, missing * width));
        mask.extend((0..most).map(|i| f64::from(u8::from(i < steps.len()))));
    }
    let frames = Frames::Samples(lengths.len());
    let mut results = vec![Value::of(frames.clone(), &[&[most], x.shape()].concat(), elements)?];
    if !a.suppress_mask_output {
        results.push(Value::of(frames, &[most], mask)?);
    }
    Ok(results)
}

/// ToSequence: the outermost static axis as steps, all of them or as many as the second operand gives.
/// ToSequenceLike: as many as the second operand has.
pub(super) fn to_sequence(call: &mut Call<'_>, like: bool) -> Out {
    let x = call.input(0);
    let Some((most, shape)) = x.shape().split_first() else { return fault("its operand has no axis for the steps") };
    let samples = x.frames.samples();
    let lengths: Vec<usize> = match call.inputs.get(1) {
        None => vec![*most; samples],
        Some(other) if like => other.frames.ranges().iter().map(ExactSizeIterator::len).collect(),
        Some(lengths) => lengths.data.iter().map(|n| *n as usize).collect(),
    };
    if lengths.len() != samples || lengths.iter().any(|n| *n == 0 || n > most) {
        return fault(format!("sequences of {lengths:?} steps out of {most} for {samples} samples"));
    }
    let places: Vec<usize> = lengths.iter().enumerate().flat_map(|(i, n)| i * most..i * most + n).collect();
    call.meter.room(&[places.len(), shape.iter().product()])?;
    let rows = Value::of(Frames::Samples(samples * most), shape, x.elements())?;
    Ok(vec![rows.select(Frames::Steps(lengths.into()), &places)])
}

/// UnpackBatch: the batch axis as the outermost static one.
pub(super) fn unpack_batch(call: &mut Call<'_>) -> Out {
    let x = call.input(0);
    if matches!(x.frames, Frames::Steps(_)) {
        return fault("its operand is a sequence");
    }
    let shape = x.data.shape().to_vec();
    Ok(vec![Value::of(Frames::One, &shape, x.elements())?])
}

/// ToBatch: the outermost static axis as the batch axis.
pub(super) fn to_batch(call: &mut Call<'_>) -> Out {
    let x = call.input(0);
    let (Frames::One, Some((samples, shape))) = (&x.frames, x.shape().split_first()) else {
        return fault("its operand has a batch axis already, or no axis to make one of");
    };
    Ok(vec![Value::of(Frames::Samples(*samples), shape, x.elements())?])
}
