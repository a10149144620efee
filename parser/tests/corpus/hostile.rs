//! The labelled bad files of the families that parsing decides: refused at the right place, or read.

use crate::support;
use cntk_parser::{Limits, ModelFile, parse};

const FAMILIES: [&str; 8] =
    ["container_", "control_", "dictionary_", "foreign_", "integrity_", "tensor_", "utf8_", "wire_"];

/// What only validation can tell: the structure is sound.
const LEFT_TO_VALIDATION: [&str; 2] = ["tensor_dtype_disagrees", "integrity_op_code"];

#[test]
fn labelled_files_end_as_labelled() {
    let mut wrong = Vec::new();
    for case in support::cases("hostile") {
        let (name, expect) = (&case.name, case.label["expect"].as_str().unwrap());
        let file = ModelFile::new(&case.bytes);
        let result = parse(&file, &Limits::default());
        if std::env::var_os("SHOW").is_some() {
            match &result {
                Ok(model) => println!("{name} ({expect}): ok, {:?}", model.warnings),
                Err(error) => println!("{name} ({expect}): {error:?}"),
            }
        }
        let parsing_decides = FAMILIES.iter().any(|family| name.starts_with(family));
        match result {
            Ok(_) if expect == "reject" && parsing_decides && !LEFT_TO_VALIDATION.contains(&name.as_str()) => {
                wrong.push(format!("{name} was read"));
            }
            Err(error) if expect.starts_with("accept") => wrong.push(format!("{name} was refused: {error}")),
            Err(error) if expect == "reject" && !names_the_place(&case, &error.to_string()) => {
                wrong.push(format!("{name}: elsewhere: {error}, not {}", case.label["where"]));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Does the message name one of the label's places? Cut-off and foreign files need only some offset.
fn names_the_place(case: &support::Case, message: &str) -> bool {
    let place = &case.label["where"];
    let names = place["names"].as_array().unwrap().iter().chain(Some(&place["path"]));
    let offset = place["offset"].as_u64();
    let loose = ["truncated", "length", "foreign", "container"].iter().any(|part| case.name.contains(part));
    let unplaced = place["names"].as_array().unwrap().is_empty() && place["path"].is_null() && offset.is_none();
    unplaced
        || loose
        || names.filter_map(|n| n.as_str()).any(|name| message.contains(name))
        || offset.is_some_and(|o| (o.saturating_sub(2)..o + 12).any(|o| message.contains(&format!("{o:#x}"))))
}
