//! The SHA-256 of the whole file, computed on a second thread while the weights are copied.

use crate::input::{Input, read_at};
use sha2::{Digest, Sha256};
use std::io;

/// How many bytes the hashing thread reads at once.
const PIECE: usize = 1 << 20;

pub fn whole(input: &Input) -> io::Result<[u8; 32]> {
    let mut state = Sha256::new();
    match input.mapped() {
        Some(file) => {
            let mut buffer = vec![0; PIECE];
            let mut at = 0;
            while at < input.len() as u64 {
                match read_at(file, &mut buffer, at)? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    n => {
                        state.update(&buffer[..n]);
                        at += n as u64;
                    }
                }
            }
        }
        None => state.update(&**input),
    }
    Ok(state.finalize().into())
}

pub fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from(b"0123456789abcdef"[usize::from(n)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
