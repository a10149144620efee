//! `large MEGABYTES FILE`: writes a model of about that size, for the tests of the page. Its layers are those that hold most of
//! VGG's weights: 25088 inputs and as many units as it takes, then 4096 and 1000.

use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(megabytes), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("large MEGABYTES FILE".into());
    };
    let floats = megabytes.parse::<u64>()? * 250_000;
    let units = floats.saturating_sub(4096 * 1000) / (25088 + 4096);
    fs::write(path, cntk_testing::models::perceptron(&[25088, units.max(1), 4096, 1000]))?;
    Ok(())
}
