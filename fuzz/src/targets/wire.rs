//! Wire: fields follow one another, end inside their message, and say where they are.

use super::check;
use cntk_parser::fuzzing::{Field, fields};

/// Deeper than the parser goes.
const DEPTH: u32 = 200;

/// Reads `data` as a message of messages, as deep as its bytes allow.
pub fn run(data: &[u8]) {
    let mut budget = 4 * data.len() + 16;
    message(data, 0, DEPTH, &mut budget);
}

fn message(bytes: &[u8], at: u64, depth: u32, budget: &mut usize) {
    let end = at + bytes.len() as u64;
    let mut next = at;
    for field in fields(bytes, at) {
        if *budget == 0 {
            return;
        }
        *budget -= 1;
        let Field { number, at: tag, content } = match field {
            Ok(field) => field,
            Err(error) => {
                assert!((next..=end).contains(&error.offset()), "{error}: outside {next:#x}..{end:#x}");
                check::error(&error, end);
                return;
            }
        };
        assert!((1..1 << 29).contains(&number));
        assert_eq!(tag, next.max(tag), "fields go forward");
        assert!(tag < end);
        next = tag + 1;
        if let Some(content) = content {
            assert!(tag < content.start && content.start <= content.end && content.end <= end);
            next = content.end;
            let inside = &bytes[(content.start - at) as usize..(content.end - at) as usize];
            if depth > 0 {
                message(inside, content.start, depth - 1, budget);
            }
        }
    }
}
