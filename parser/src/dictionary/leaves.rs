//! `NDShape` and `Axis`.

use crate::error::{Error, ErrorKind};
use crate::model::{Axis, Shape, Sizes};
use crate::wire::{Payload, Reader};

/// The most entries of a shape that are decoded: a longer list is refused before memory is reserved for it.
/// [`crate::Limits`] decides what is allowed; this only bounds decoding where no limits are at hand.
const LONGEST: usize = 1 << 16;

pub(super) fn shape(mut reader: Reader<'_>) -> Result<Shape, Error> {
    let at = reader.at();
    let mut dims = Sizes::new();
    while let Some(field) = reader.field()? {
        if field.number != 1 {
            continue;
        }
        match field.payload {
            Payload::Varint(dim) => dims.push(dim),
            Payload::Bytes(mut packed) => {
                while !packed.is_empty() {
                    dims.push(packed.varint()?);
                    check(dims.len(), at)?;
                }
            }
            _ => return Err(field.wrong("shape_dim")),
        }
        check(dims.len(), at)?;
    }
    Ok(Shape(dims))
}

fn check(rank: usize, at: u64) -> Result<(), Error> {
    if rank > LONGEST {
        return Err(Error::new(ErrorKind::Rank { rank: rank as u64, limit: LONGEST as u64 }, at));
    }
    Ok(())
}

pub(super) fn axis(mut reader: Reader<'_>) -> Result<Axis<'_>, Error> {
    let (mut index, mut name, mut ordered) = (None, None, None);
    while let Some(field) = reader.field()? {
        match field.number {
            1 => field.once(&mut index, field.int32("static_axis_idx")?, "static_axis_idx")?,
            2 => field.once(&mut name, field.string("axis name")?, "name")?,
            3 => {
                let flag = field.varint("is_ordered_dynamic_axis")? != 0;
                field.once(&mut ordered, flag, "is_ordered_dynamic_axis")?;
            }
            _ => {}
        }
    }
    Ok(Axis { index: index.unwrap_or(0), name: name.unwrap_or(""), ordered: ordered.unwrap_or(false) })
}
