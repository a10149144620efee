//! The interface of the model: inputs and outputs.

use super::text::name;
use crate::{Symbols, graph::Interface};
use cntk_parser::model::{Source, ValidatedModel};
use std::fmt::Write;

pub fn write(html: &mut String, model: &ValidatedModel<'_>, interface: &Interface) {
    let mut symbols = Symbols::default();
    html.push_str(
        "<section aria-labelledby=\"interface-title\">\n<h2 id=\"interface-title\">Interface</h2>\n<table>\n\
         <thead><tr><th scope=\"col\">Role</th><th scope=\"col\">Name</th><th scope=\"col\">Type and shape</th>\
         <th scope=\"col\">uid in CNTK</th></tr></thead>\n<tbody>\n",
    );
    let arguments = interface
        .arguments
        .iter()
        .map(|a| ("input", a.name.as_str(), model.variable(a.variable).uid, Source::Variable(a.variable)));
    let outputs = interface.outputs.iter().map(|o| ("output", o.name.as_str(), o.uid.as_str(), o.source));
    for (role, called, uid, source) in arguments.chain(outputs) {
        let _ = writeln!(
            html,
            "<tr><td>{role}</td><td><code>{}</code></td><td><code>{}</code></td><td><code>{}</code></td></tr>",
            name(called),
            symbols.text(model, source),
            name(uid),
        );
    }
    html.push_str("</tbody>\n</table>\n</section>\n");
}
