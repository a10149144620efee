//! User-defined functions and files that attributes name. Nothing named here exists.

use super::build::*;
use super::{Pair, check, check_with, pair};
use cntk_parser::ValidateOptions;

fn user(native: bool, state: &[(&str, Value)]) -> Record {
    let record = Record(vec![
        ("version", size(0)),
        ("type", text("UserDefinedFunction")),
        ("uid", text("UserDefinedFunction1")),
        ("inputs", texts(&["x"])),
        ("native", flag(native)),
        ("user_defined_state", dictionary(state)),
    ]);
    model("UserDefinedFunction1", &[input("x", &[3])], &[record])
}

fn python(module: &str, class: &str) -> Record {
    user(false, &[("module", text(module)), ("class", text(class)), ("op_name", text("op"))])
}

fn native(module: &str) -> Record {
    let state = [("type", text("NativeUserDefinedFunction")), ("module", text(module)), ("op", text("op"))];
    user(true, &[&state[..], &[("deserialize_method", text("make"))]].concat())
}

fn lattice(path: &str) -> Record {
    let variables = [input("a", &[3]), input("b", &[3])];
    model("F1", &variables, &[function("F1", 90, &["a", "b"], &[("SymListPath", text(path))])])
}

fn custom(op: u64, attributes: &[(&str, Value)]) -> Record {
    model("F1", &[input("x", &[3])], &[function("F1", op, &["x"], attributes)])
}

pub fn pairs() -> Vec<Pair> {
    let good = || custom(2, &[]);
    vec![
        pair("code.python", python("some.module", "Class"), good()),
        pair("code.native", native("library"), good()),
        pair("code.statement-injection", python("some\nstatement()", "Class"), good()),
        pair("code.statement-injection", python("some.module", "Class()"), good()),
        pair("code.library-path", native("/nowhere/library"), good()),
        pair("code.library-path", native("\\\\host\\share\\library"), good()),
        pair("code.file-path", lattice("/nowhere/symbols"), lattice("")),
        pair("code.file-path", lattice("\\\\host\\share\\symbols"), lattice("")),
        pair(
            "code.custom-op",
            custom(93, &[("customOp", text("op")), ("newDataType", int(1)), ("outputShape", shape(&[3]))]),
            good(),
        ),
    ]
}

#[test]
fn names_are_no_injection_and_no_path() {
    let (_, findings) = check(&python("some.module", "Class").file());
    assert!(findings.iter().all(|f| f.rule != "code.statement-injection"));
    let (_, findings) = check(&native("Cntk.Library-2.7").file());
    assert!(findings.iter().all(|f| f.rule != "code.library-path"));
}

#[test]
fn a_share_is_worse_than_a_file() {
    assert!(check(&lattice("symbols.txt").file()).0);
    assert!(!check(&lattice("//host/share/symbols").file()).0);
}

#[test]
fn user_functions_can_be_allowed() {
    let mut options = ValidateOptions::default();
    options.allow_udf = true;
    let (passes, findings) = check_with(&python("a;b", "Class").file(), &options);
    assert!(passes && findings.iter().any(|f| f.rule == "code.python"), "{findings:?}");
}

/// What was reported of a user function is its text in one line, whatever the text holds.
#[test]
fn text_of_the_file_is_escaped() {
    let (_, findings) = check(&python("a\nerror: none\u{1b}[0m", "\u{202e}").file());
    for finding in &findings {
        assert!(!finding.message.contains(['\n', '\u{1b}', '\u{202e}']), "{finding:?}");
    }
}
