//! `--placeholder NAME=TYPE`: parses the type of a placeholder that nothing binds.

use cntk_parser::{PlaceholderDims, PlaceholderType, model::DataType};

/// Parses `NAME=float`, `NAME=double[batch, 3]` or `NAME=half[batch, sequence, ?, 4]`.
pub fn parse(text: &str) -> Result<PlaceholderType, String> {
    let (placeholder, of) = text.rsplit_once('=').ok_or("NAME=TYPE is expected, such as x=float[batch, 3]")?;
    let (name, dims) = match of.split_once('[') {
        None => (of, None),
        Some((name, rest)) => (name, Some(rest.trim_end().strip_suffix(']').ok_or("the closing ] is missing")?)),
    };
    let data_type = match name.trim() {
        "float" => DataType::Float,
        "double" => DataType::Double,
        "half" => DataType::Float16,
        other => return Err(format!("{other:?} is not float, double or half")),
    };
    Ok(PlaceholderType { placeholder: placeholder.to_owned(), data_type, dims: dims.map(dimensions).transpose()? })
}

fn dimensions(text: &str) -> Result<PlaceholderDims, String> {
    const MOST: u64 = i32::MAX as u64;
    let mut dims = PlaceholderDims::default();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match part {
            "batch" if !dims.batch && dims.shape.is_empty() => dims.batch = true,
            "sequence" if dims.batch && !dims.sequence && dims.shape.is_empty() => dims.sequence = true,
            "?" => dims.shape.push(None),
            _ => match part.parse() {
                Ok(size @ 1..=MOST) => dims.shape.push(Some(size)),
                _ => return Err(format!("{part:?} is not a size; batch, then sequence, stand in front of the sizes")),
            },
        }
    }
    Ok(dims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_as_they_are_typed() {
        let parsed = parse("a=b=half[batch, sequence, ?, 4]").unwrap();
        assert_eq!((&*parsed.placeholder, parsed.data_type), ("a=b", DataType::Float16));
        let dims = PlaceholderDims { batch: true, sequence: true, shape: vec![None, Some(4)] };
        assert_eq!(parsed.dims, Some(dims));
        assert_eq!(parse("x=double").unwrap().dims, None);
        assert_eq!(parse("x=float[]").unwrap().dims, Some(PlaceholderDims::default()));
        for bad in
            ["x", "x=int", "x=float[3", "x=float[0]", "x=float[sequence]", "x=float[3, batch]", "x=float[batch, batch]"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
