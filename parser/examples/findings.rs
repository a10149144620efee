//! Prints everything that is wrong with a model: `cargo run --example findings -- tagger.model`.

use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("name a model")?;
    let bytes = std::fs::read(path)?;
    let file = ModelFile::new(&bytes);
    let validation = validate(parse(&file, &Limits::default())?, &ValidateOptions::default());
    for finding in &validation.findings {
        println!("{}: {finding}", finding.severity);
    }
    println!("{}", if validation.model.is_some() { "the model may be used" } else { "the model must not be used" });
    Ok(())
}
