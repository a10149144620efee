//! Bodies of inputs, parameters and statistics.

use super::{Body, Said};
use crate::error::Error;
use crate::model::Shape;
use crate::v1::matrix::Matrix;
use crate::v1::said::{Input, Parameter, Statistic};

pub(in crate::v1) fn input<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    input_of(body, false)
}

pub(in crate::v1) fn sparse_input<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    input_of(body, true)
}

fn input_of<'a>(body: &mut Body<'_, '_, 'a>, sparse: bool) -> Result<Said<'a>, Error> {
    let (rows, _columns) = (body.reader.u64()?, body.reader.u64()?);
    let mut shape = body.reader.legacy_shape().map_err(|e| e.in_key("shape"))?;
    let mut axis = "";
    if body.version >= 8 {
        let at = body.reader.at();
        match body.reader.u32()? {
            0 => {}
            1 => axis = body.reader.file().keep_text(body.reader.text()?),
            count => return body.bad("at most one dynamic axis", count, at),
        }
    }
    let learns = body.version >= 10 && learning_rate(body)? > 0.0;
    let count = shape.elements();
    if rows != 0 && count != Some(rows) {
        shape = Shape::from([rows]);
    }
    Ok(Said::Input(Box::new(Input { shape, sparse, learns, axis })))
}

pub(in crate::v1) fn parameter<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let (learns, shape) = if body.version >= 3 {
        let rate = body.reader.f32()?;
        (rate != 0.0, body.reader.shape().map_err(|e| e.in_key("shape"))?)
    } else {
        let learns = body.reader.flag()?;
        let (rows, columns) = (body.reader.u64()?, body.reader.u64()?);
        let shape = if rows == 0 {
            let mut shape = body.reader.legacy_shape().map_err(|e| e.in_key("shape"))?;
            if columns > 1 {
                shape.0.push(columns);
            }
            shape
        } else {
            Shape::from([rows, columns])
        };
        (learns, shape)
    };
    let matrix = matrix(body)?;
    Ok(Said::Parameter(Box::new(Parameter { shape, learns, matrix })))
}

/// The multiplier of an input's learning rate; CNTK refuses a negative one.
fn learning_rate(body: &mut Body<'_, '_, '_>) -> Result<f32, Error> {
    let at = body.reader.at();
    let rate = body.reader.f32()?;
    if rate < 0.0 { body.bad("a multiplier of the learning rate", rate, at) } else { Ok(rate) }
}

pub(in crate::v1) fn statistic<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let computed = body.reader.flag()?;
    let matrix = matrix(body)?;
    Ok(Said::Statistic(Box::new(Statistic { computed, matrix })))
}

fn matrix<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Matrix<'a>, Error> {
    Matrix::read(body.reader, body.data_type, body.context).map_err(|e| e.in_key("value"))
}

pub(in crate::v1) fn dynamic_axis<'a>(_: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    Ok(Said::Axis)
}
