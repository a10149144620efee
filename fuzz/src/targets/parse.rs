//! Parse: any bytes give a model or one error, at the cost that was promised.

use super::{check, digest};
use crate::meter::{Bound, within};
use cntk_parser::{Limits, ModelFile, parse};

/// The parser's promise: 8 times the structure and a constant, linear time.
pub const BOUND: Bound = Bound { factor: 8, constant: 64 << 10, nanoseconds: 2_000 };

/// The same for files of CNTK 1, whose nodes are shorter than what they become.
const NODES: Bound = Bound { factor: 32, ..BOUND };

/// Parses `data`.
pub fn run(data: &[u8]) {
    let limits = Limits::default();
    let file = ModelFile::new(data);
    let bound = if data.starts_with(b"B\0C\0N\0") { NODES } else { BOUND };
    let result = within(bound, data, || parse(&file, &limits));
    let end = data.len() as u64;
    match &result {
        Ok(model) => {
            model.warnings.iter().for_each(|w| check::finding(w, end));
            assert!(model.functions.iter().all(|f| f.at < end) && model.variables.iter().all(|v| v.at < end));
        }
        Err(error) => check::error(error, end),
    }
    if digest(data).is_multiple_of(16) {
        let file = ModelFile::new(data);
        let again = parse(&file, &limits);
        assert_eq!(format!("{result:?}"), format!("{again:?}"), "equal input, equal output");
    }
}
