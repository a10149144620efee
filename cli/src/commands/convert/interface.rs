//! What inputs and outputs of the result are called, of which size they are, and how they are given.

use clap::builder::NonEmptyStringValueParser;
use cntk2onnx::InputShape;

#[derive(Clone, clap::Args)]
pub struct Interface {
    /// Call inputs otherwise, by name or uid: OLD=NEW, several with commas
    #[arg(long, value_name = "OLD=NEW", value_delimiter = ',', value_parser = renamed)]
    pub rename_inputs: Vec<(String, String)>,
    /// Call outputs otherwise
    #[arg(long, value_name = "OLD=NEW", value_delimiter = ',', value_parser = renamed)]
    pub rename_outputs: Vec<(String, String)>,
    /// Fix the size of the batch
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    pub batch: Option<u64>,
    /// Fix sizes of an input, one for each dimension that it has in the result, `?` for what stays open: features=1,3,224,224
    #[arg(long, value_name = "NAME=SIZES", value_parser = shape)]
    pub input_shape: Vec<InputShape>,
    /// Take an input that is one-hot, as words are, as int64 indices without the last axis
    ///
    /// A product with a weight becomes a look-up, and no row as long as the vocabulary is made; other uses of the input make
    /// one-hot rows of the indices. An index that is out of range, as -1 for padding, stands for a row of zeros.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    pub ids: Vec<String>,
}

/// What ONNX's readers take as a size.
const MOST: u64 = i32::MAX as u64;

fn renamed(text: &str) -> Result<(String, String), &'static str> {
    match text.rsplit_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => Ok((old.to_owned(), new.to_owned())),
        _ => Err("OLD=NEW is expected"),
    }
}

fn shape(text: &str) -> Result<InputShape, String> {
    let (input, sizes) = text.rsplit_once('=').ok_or("NAME=SIZES is expected, such as features=1,3,224,224")?;
    let size = |part: &str| match part.trim() {
        "?" => Ok(None),
        part => match part.parse() {
            Ok(n @ 1..=MOST) => Ok(Some(n)),
            _ => Err(format!("{part:?} is not a size; `?` leaves one open")),
        },
    };
    Ok(InputShape { input: input.to_owned(), sizes: sizes.split(',').map(size).collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_they_are_typed() {
        assert_eq!(renamed("a=b=c"), Ok(("a=b".to_owned(), "c".to_owned())));
        assert!(["a", "=a", "a="].iter().all(|bad| renamed(bad).is_err()));
        let read = shape("x=1, ?,3").unwrap();
        assert_eq!((&*read.input, &*read.sizes), ("x", &[Some(1), None, Some(3)][..]));
        assert!(["x", "x=", "x=0", "x=a", "x=-1", "x=1,,2"].iter().all(|bad| shape(bad).is_err()));
    }
}
