//! Mutation that knows the format: the file is decoded, its tree is edited and encoded again with correct lengths, so
//! that mutants reach deep into the validator and the converter instead of failing at the first wrong length.

mod attribute;
mod choice;
mod edit;
mod layout;
mod nodes;
mod record;
mod walk;

pub use attribute::attribute;
pub use choice::{Choice, Random};
pub use edit::edit;
pub use layout::{File, to_tail};
pub use nodes::edit as edit_nodes;
pub use walk::value as tagged;

/// Marks a fuzz target whose input is a model file.
#[macro_export]
macro_rules! model_mutator {
    () => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutate::bytes(data, size, max_size, seed, libfuzzer_sys::fuzzer_mutate)
        });
    };
}

/// One mutant in this many is left to the engine, which does not know the format.
const BLIND: usize = 4;

/// Mutates the file in `data[..size]` in place, and returns its new size.
pub fn bytes(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    blind: fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut random = Random::new(seed.into());
    if random.below(BLIND) == 0 {
        return blind(data, size, max_size);
    }
    let Some(bytes) = mutant(&data[..size], &mut random) else { return blind(data, size, max_size) };
    match data.get_mut(..bytes.len().min(max_size)) {
        Some(place) if place.len() == bytes.len() => {
            place.copy_from_slice(&bytes);
            bytes.len()
        }
        _ => blind(data, size, max_size),
    }
}

/// A file with some edits, `None` if it cannot be read.
fn mutant(data: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    if data.starts_with(b"B\0C\0N\0") {
        let mut file = crate::nodes::File::decode(data)?;
        for _ in 0..=random.below(3) {
            edit_nodes(&mut file, random);
        }
        return Some(file.encode());
    }
    let mut file = File::decode(data)?;
    for _ in 0..=random.below(3) {
        edit(&mut file.metadata, random);
    }
    if random.below(64) == 0 {
        file = to_tail(file);
    }
    Some(file.encode())
}
