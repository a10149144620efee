//! Reports parts of a model that make CNTK run code or open files (spec 3.9, U1 and U2). Nothing here does either.

use super::ValidateOptions;
use super::arena::ids;
use super::findings::{Findings, Place, Quoted};
use super::operators::Operators;
use super::rules::{self, Rule};
use crate::model::{FunctionId, FunctionKind, Model, UserFunction};
use crate::ops::Operator;
use crate::report::Severity;

/// Reports all of them, even those that the root does not need, because CNTK runs their code when it loads the file.
pub(super) fn check<'a>(
    model: &Model<'a>,
    operators: &Operators<'a>,
    options: &ValidateOptions,
    findings: &mut Findings<'_, 'a>,
) {
    for (id, function) in ids::<FunctionId, _>(&model.functions) {
        match &function.kind {
            FunctionKind::User(user) => user_function(id, user, options.allow_udf, findings),
            FunctionKind::Primitive(_) => match operators.get(id) {
                Some(Operator::LatticeSequenceWithSoftmax(lattice)) => {
                    for (key, path) in &lattice.paths {
                        file_path(id, key, path, findings);
                    }
                }
                Some(Operator::CustomProxyOp(custom)) => {
                    let text = format!("evaluation calls the native op {}", Quoted(custom.custom_op));
                    findings.add(&rules::CUSTOM_OP, Place::Attribute(id, "customOp"), text);
                }
                _ => {}
            },
            FunctionKind::Block(_) | FunctionKind::Foreign(_) => {}
        }
    }
}

fn user_function(id: FunctionId, user: &UserFunction<'_>, allow: bool, findings: &mut Findings<'_, '_>) {
    let mut add = |rule: &'static Rule, text: String| {
        let severity = if allow { Severity::Warning } else { rule.severity };
        findings.add_as(rule, severity, Place::Function(id), text);
    };
    let shown = |text: Option<&str>| text.map_or_else(|| "(not given)".to_owned(), |text| Quoted(text).to_string());
    if user.native {
        add(
            &rules::NATIVE_CODE,
            format!(
                "a user-defined function: CNTK loads the library {} and calls {} in it",
                shown(user.module),
                shown(user.method)
            ),
        );
        if let Some(module) = user.module.filter(|module| is_path(module)) {
            let kind = if is_unc(module) { "a network share" } else { "a path" };
            add(&rules::LIBRARY_PATH, format!("the library of a user-defined function is {kind}: {}", Quoted(module)));
        }
        return;
    }
    add(
        &rules::PYTHON_CODE,
        format!(
            "a user-defined function: CNTK imports the Python module {} and evaluates {}",
            shown(user.module),
            shown(user.class)
        ),
    );
    for (key, text) in [("module", user.module), ("class", user.class)] {
        if let Some(text) = text.filter(|text| !is_dotted_name(text)) {
            let text = format!("the {key} of a user-defined function is source text, not a name: {}", Quoted(text));
            add(&rules::STATEMENT_INJECTION, text);
        }
    }
}

/// Reports a path in an attribute.
fn file_path(id: FunctionId, key: &'static str, path: &str, findings: &mut Findings<'_, '_>) {
    if path.is_empty() {
        return;
    }
    let unc = is_unc(path);
    let severity = if unc { Severity::Error } else { Severity::Warning };
    let what = if unc { "a network share" } else { "a file" };
    let text = format!("evaluation opens {what}: {}", Quoted(path));
    findings.add_as(&rules::FILE_PATH, severity, Place::Attribute(id, key), text);
}

/// Is the text a path, more than a bare file name?
fn is_path(text: &str) -> bool {
    text.contains(['/', '\\']) || text.get(1..2) == Some(":")
}

/// `\\host\share` or `//host/share`: opening it sends credentials to the host.
fn is_unc(text: &str) -> bool {
    let mut bytes = text.bytes();
    let mut slash = || matches!(bytes.next(), Some(b'/' | b'\\'));
    slash() && slash()
}

/// Is the text a dotted name such as `a.b.c`, whose parts are Python identifiers?
fn is_dotted_name(text: &str) -> bool {
    text.split('.').all(|part| {
        let mut chars = part.chars();
        chars.next().is_some_and(|c| c == '_' || c.is_alphabetic()) && chars.all(|c| c == '_' || c.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths() {
        assert!(is_dotted_name("cntk.ops.functions"));
        for bad in ["", "a.", "a b", "os;import x", "a\nb", "1a", "f()"] {
            assert!(!is_dotted_name(bad), "{bad:?}");
        }
        assert!(is_unc("\\\\host\\share\\x") && is_unc("//host/x") && !is_unc("/usr/lib/x") && !is_unc(""));
        assert!(is_path("../x") && is_path("C:x") && !is_path("Cntk.ExtensibilityExamples-2.7"));
    }
}
