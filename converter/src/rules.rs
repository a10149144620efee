//! Explanations of the validator's rules for users.

use cntk_parser::{Rule, Severity, rules};

/// The rule with this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    rules().iter().copied().find(|rule| rule.id == id)
}

/// The usual cause of a violation and what to do about it, by the group with which the id begins.
pub fn advice(id: &str) -> &'static str {
    match id.split('.').next().unwrap_or_default() {
        "file" => {
            "The file is something other than a CNTK model. Its hint says what to do; often the download gave a page, a \
             pointer or an archive in its place."
        }
        "wire" | "dictionary" | "container" => {
            "The bytes do not follow the format that CNTK writes. The file is damaged, cut short, or made to mislead readers: \
             compare its size and digest with the original, and get it again from where it came from."
        }
        "limit" | "resource" => {
            "Reading or evaluating the model would take more than is allowed. If the file is trusted, raise the limit with \
             the --max flag that the message names."
        }
        "record" | "variable" | "function" | "attribute" | "tensor" | "graph" | "block" => {
            "The file can be read, but what it describes is not a model that CNTK writes. It was altered by another program, \
             or on purpose; save the model again from its source. Where CNTK itself would crash or read memory that is not its \
             own, the rule says so."
        }
        "type" => {
            "Shapes, element types or dynamic axes of the graph contradict each other. CNTK refuses such a model or computes \
             something else than its author meant; save it again from its source."
        }
        "code" => {
            "Loading or evaluating the model in CNTK would run code or open files that the model names. Do not load it anywhere \
             unless you trust who made it. --allow-udf makes user-defined functions a warning; they are never run."
        }
        "data" => {
            "The weights hold values that no training leaves behind, or that would make every result wrong. Find out where the \
             model comes from, and whether its training diverged."
        }
        "text" => "A text in the file could mislead somebody who reads a report. What is printed here is escaped.",
        _ => "See docs/rules.md.",
    }
}

/// The consequence of a violation.
pub fn consequence(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "an error: the model is not used",
        Severity::Warning => "a warning: the model can be used",
        Severity::Note => "a note: worth knowing",
    }
}
