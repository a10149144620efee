//! Bodies of delays, random numbers, criteria, and of operators that name things outside of the file.

use super::{Body, Composition, Said, composed, typed};
use crate::error::Error;
use crate::model::Foreign;
use crate::ops::attributes::{
    Dropout, EditDistanceError, ForwardBackward, LatticeSequenceWithSoftmax, RandomSample, RandomState,
};
use crate::ops::{Op, Operator};
use crate::v1::table::NO_COUNTERPART;

pub(in crate::v1) fn past_value<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    delay(body, false)
}

pub(in crate::v1) fn future_value<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    delay(body, true)
}

fn delay<'a>(body: &mut Body<'_, '_, 'a>, forward: bool) -> Result<Said<'a>, Error> {
    let step = body.reader.i32()?;
    if body.version >= 4 {
        body.reader.shape().map_err(|e| e.in_key("shape"))?;
    } else {
        let (_rows, _columns) = (body.reader.u64()?, body.reader.u64()?);
    }
    let initial = if body.version >= 2 { body.number()? } else { 0.1 };
    if step < 0 {
        let text =
            format!("a delay by {step} steps looks the other way, which CNTK 2.7 computes outside of loops only");
        body.note = Some(("v1.ignored", text));
    }
    let (forward, offset) = (forward != (step < 0), step.unsigned_abs().min(i32::MAX.cast_unsigned()));
    Ok(composed(Composition::Delay { forward, offset: offset.into(), initial }))
}

/// The dropout rate is not stored, because evaluation does not need it.
pub(in crate::v1) fn dropout<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let random = random_state(body)?;
    Ok(typed(Operator::Dropout(Dropout { rate: 0.0, random })))
}

pub(in crate::v1) fn random_sample<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    sample(body).map(|sample| typed(Operator::RandomSample(sample)))
}

pub(in crate::v1) fn inclusion_frequency<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    sample(body).map(|sample| typed(Operator::RandomSampleInclusionFrequency(sample)))
}

fn sample(body: &mut Body<'_, '_, '_>) -> Result<RandomSample, Error> {
    let allow_duplicates = body.reader.flag()?;
    let num_samples = body.reader.u64()?;
    let random = random_state(body)?;
    Ok(RandomSample { num_samples, allow_duplicates, random })
}

fn random_state(body: &mut Body<'_, '_, '_>) -> Result<RandomState, Error> {
    if body.version < 16 {
        return Ok(RandomState::default());
    }
    // Version 16 wrote the seed as `unsigned long`, 8 bytes on Linux and 4 on Windows. To tell which, look where the
    // next node or the end of the list begins after the seed and the 8 bytes of the offset.
    let short = body.version == 16 && !follows(body, 16) && follows(body, 12);
    let seed = if short { body.reader.u32()?.into() } else { body.reader.u64()? };
    let offset = body.reader.u64()?;
    Ok(RandomState { seed: Some(seed), offset: Some(offset) })
}

/// Does a node or the end of the list begin this many bytes ahead?
fn follows(body: &Body<'_, '_, '_>, ahead: u64) -> bool {
    let mut after = body.reader.clone();
    after.bytes(ahead).is_ok() && ["float", "double", "half", "", "ENodeList"].iter().any(|text| after.next_is(text))
}

pub(in crate::v1) fn edit_distance_error<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let reader = &mut *body.reader;
    Ok(typed(Operator::EditDistanceError(EditDistanceError {
        substitution_penalty: reader.f32()?,
        deletion_penalty: reader.f32()?,
        insertion_penalty: reader.f32()?,
        squash_inputs: reader.flag()?,
        tokens_to_ignore: reader.sizes()?,
    })))
}

pub(in crate::v1) fn forward_backward<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let delay_constraint = body.reader.i32()?;
    let blank_token_id = body.reader.u64()?;
    Ok(typed(Operator::ForwardBackward(ForwardBackward { blank_token_id, delay_constraint })))
}

/// Some old writers added the evaluation mode, a small number with which nothing else that may follow can begin.
pub(in crate::v1) fn cross_entropy_with_softmax<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let mut after = body.reader.clone();
    if after.u32().is_ok_and(|mode| mode <= LAST_MODE) {
        *body.reader = after;
    }
    Ok(Said::Plain(Op::CrossEntropyWithSoftmax))
}

/// The largest evaluation mode (that of noise-contrastive estimation).
const LAST_MODE: u32 = 3;

pub(in crate::v1) fn noise_contrastive_estimation<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let mut after = body.reader.clone();
    if after.i32()? <= LAST_MODE.cast_signed() {
        *body.reader = after;
    }
    Ok(Said::Foreign(Foreign { name: body.op, why: NO_COUNTERPART, criterion: true }))
}

/// LatticeSequenceWithSoftmax names files outside of the model, which are reported and never opened.
pub(in crate::v1) fn lattice<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    const KEYS: [&str; 5] = ["SymListPath", "PhonePath", "StateListPath", "TransProbPath", "LatticeConfigPath"];
    let mut paths = Vec::with_capacity(KEYS.len());
    for key in KEYS {
        let path = body.reader.text()?;
        paths.push((key, body.reader.file().keep_text(path)));
    }
    for _ in 0..6 {
        body.reader.f64()?;
    }
    for _ in 0..2 {
        body.reader.flag()?;
    }
    Ok(typed(Operator::LatticeSequenceWithSoftmax(LatticeSequenceWithSoftmax { paths })))
}

pub(in crate::v1) fn environment_input<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    body.reader.units()?;
    let why = "its value comes from the program that trains, not from the file";
    Ok(Said::Foreign(Foreign { name: body.op, why, criterion: false }))
}

/// Trace prints its input during training; its value is that of its input.
pub(in crate::v1) fn trace<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let reader = &mut *body.reader;
    reader.units()?;
    let (_first, _frequency) = (reader.u64()?, reader.u64()?);
    for _ in 0..2 {
        reader.flag()?;
    }
    reader.units()?;
    for _ in 0..2 {
        reader.flag()?;
    }
    for _ in 0..8 {
        while reader.u8()? != 0 {}
    }
    let (_rows, _steps) = (reader.u64()?, reader.u64()?);
    Ok(Said::Plain(Op::Pass))
}
