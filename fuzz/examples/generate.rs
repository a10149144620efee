//! Writes generated models: `cargo run --example generate -- FOLDER FIRST COUNT [runnable]`. A seed gives one model, always
//! the same.

use arbitrary::Unstructured;
use cntk_fuzz::generate::{Options, generate};
use cntk_fuzz::mutate::{Choice, Random};

/// Bytes of decisions for a model.
const DECISIONS: usize = 512;

fn main() {
    let mut args = std::env::args().skip(1);
    let folder = args.next().expect("a folder");
    let first: u64 = args.next().and_then(|n| n.parse().ok()).expect("the first seed");
    let count: u64 = args.next().and_then(|n| n.parse().ok()).expect("how many");
    let options = Options { runnable: args.next().as_deref() == Some("runnable") };
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    for seed in first..first + count {
        let mut random = Random::new(seed);
        let bytes: Vec<u8> = (0..DECISIONS).map(|_| random.below(256) as u8).collect();
        let model = generate(&mut Unstructured::new(&bytes), options);
        std::fs::write(format!("{folder}/{seed:05}.model"), model.file.encode()).expect("the file can be written");
        std::fs::write(format!("{folder}/{seed:05}.ops"), model.operators.join("\n")).expect("the file can be written");
    }
}
