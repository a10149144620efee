//! Parameters and constants: their places, sizes and statistics.

use super::{
    layers::grouped,
    statistics::{BINS, Statistics},
    text::name,
};
use crate::{Paths, Symbols};
use cntk_parser::model::{Source, ValidatedModel, VariableId, VariableKind};
use std::fmt::Write;

/// `read`: look at the numbers, too.
pub fn write(html: &mut String, model: &ValidatedModel<'_>, read: bool) {
    let stored: Vec<VariableId> = model
        .variable_ids()
        .filter(|id| matches!(model.variable(*id).kind, VariableKind::Parameter | VariableKind::Constant))
        .collect();
    if stored.is_empty() {
        return;
    }
    html.push_str("<section aria-labelledby=\"weights-title\">\n<h2 id=\"weights-title\">Weights</h2>\n");
    if !read {
        html.push_str("<p>The numbers were not read.</p>\n");
    }
    let numbers = "<th scope=\"col\">Least</th><th scope=\"col\">Mean</th><th scope=\"col\">Most</th>\
                   <th scope=\"col\">Deviation</th><th scope=\"col\">Distribution</th><th scope=\"col\">To look at</th>";
    let _ = write!(
        html,
        "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Weights, scrolls\"><table>\n<thead><tr>\
         <th scope=\"col\">Tensor</th><th scope=\"col\">Kind</th><th scope=\"col\">Type and shape</th>\
         <th scope=\"col\">Elements</th>{}</tr></thead>\n<tbody>\n",
        if read { numbers } else { "" }
    );
    let (paths, mut symbols) = (Paths::new(model), Symbols::default());
    for id in stored {
        let variable = model.variable(id);
        let kind = if variable.kind == VariableKind::Parameter { "parameter" } else { "constant" };
        let elements = variable.value.as_ref().map_or(0, |a| a.shape.elements().unwrap_or(u64::MAX));
        let _ = write!(
            html,
            "<tr><td><code>{}</code></td><td>{kind}</td><td><code>{}</code></td><td class=\"number\">{}</td>",
            name(&paths.variable(id)),
            symbols.text(model, Source::Variable(id)),
            grouped(elements),
        );
        if read {
            match variable.value.as_ref().and_then(Statistics::of) {
                Some(all) => statistics(html, &all),
                None => html.push_str("<td colspan=\"6\"></td>"),
            }
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table></div>\n</section>\n");
}

fn statistics(html: &mut String, all: &Statistics) {
    for value in [all.least, all.mean, all.most, all.deviation] {
        let _ = write!(html, "<td class=\"number\">{}</td>", number(value));
    }
    html.push_str("<td>");
    histogram(html, all);
    html.push_str("</td><td>");
    let flags: Vec<_> = all.flags().iter().map(|flag| format!("<strong class=\"flag\">{flag}</strong>")).collect();
    html.push_str(&flags.join(" "));
    html.push_str("</td>");
}

/// A number with three significant digits.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if (1e-3..1e5).contains(&size) => {
            let digits = (2 - size.log10().floor() as i32).clamp(0, 5) as usize;
            format!("{value:.digits$}")
        }
        _ => format!("{value:.2e}"),
    }
}

/// The bars as one path. The longest one takes the whole height.
fn histogram(html: &mut String, all: &Statistics) {
    let fullest = all.bins.iter().max().copied().unwrap_or(0);
    if fullest == 0 {
        return;
    }
    let _ = write!(
        html,
        "<svg class=\"histogram\" width=\"96\" height=\"20\" viewBox=\"0 0 {BINS} 20\" preserveAspectRatio=\"none\" \
         aria-hidden=\"true\"><path d=\"M0 20"
    );
    for count in all.bins {
        let height = count as f64 / fullest as f64 * 19.0;
        // A bar that is not empty is visible.
        let height = if count > 0 { height.max(1.0) } else { 0.0 };
        let _ = write!(html, "V{}h1", (20.0 - height).round());
    }
    html.push_str("V20z\"/></svg>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let shown = [0.0, 1.0, -0.012_345, 123.456, 98_765.4, 1e-7, f64::from(f32::MAX)].map(number);
        assert_eq!(shown, ["0", "1.00", "-0.0123", "123", "98765", "1.00e-7", "3.40e38"]);
    }
}
