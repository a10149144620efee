//! Breaks lines where `ruff format` breaks them.

/// The longest line.
const WIDTH: usize = 88;

/// Lines of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    text: String,
}

impl Lines {
    /// Adds one line without breaking it.
    pub(crate) fn push(&mut self, depth: usize, line: &str) {
        if !line.is_empty() {
            self.text.extend(std::iter::repeat_n("    ", depth));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    /// Adds several lines without breaking them.
    pub(crate) fn block(&mut self, depth: usize, text: &str) {
        text.lines().for_each(|line| self.push(depth, line));
    }

    /// Adds `head` and an expression, broken at the last bracket if it is too long.
    pub(crate) fn statement(&mut self, depth: usize, head: &str, expr: &str) {
        let room = WIDTH - 4 * depth;
        if head.chars().count() + expr.chars().count() <= room {
            return self.push(depth, &format!("{head}{expr}"));
        }
        match last_call(expr) {
            Some((before, inside)) => {
                self.push(depth, &format!("{head}{before}"));
                self.inside(depth + 1, inside);
                self.push(depth, if before.ends_with('[') { "]" } else { ")" });
            }
            None if head.ends_with("= ") || head == "return " => {
                self.push(depth, &format!("{head}("));
                self.push(depth + 1, expr);
                self.push(depth, ")");
            }
            None => self.push(depth, &format!("{head}{expr}")),
        }
    }

    /// Adds `head`, a call and a colon, broken at the call's brackets if it is too long.
    pub(crate) fn opening(&mut self, depth: usize, head: &str, call: &str) {
        let line = format!("{head}{call}:");
        match last_call(call) {
            Some((before, inside)) if line.chars().count() + 4 * depth > WIDTH => {
                self.push(depth, &format!("{head}{before}"));
                self.inside(depth + 1, inside);
                self.push(depth, "):");
            }
            _ => self.push(depth, &line),
        }
    }

    /// Adds `head` and a collection in brackets, with one item on each line if they do not fit on one. Imported names
    /// get brackets only in that case.
    pub(crate) fn collection(&mut self, head: &str, brackets: &str, items: &[String]) {
        let (open, close) = brackets.split_at(brackets.len() / 2);
        let line = format!("{head}{open}{}{close}", items.join(", "));
        if line.chars().count() <= WIDTH {
            return self.push(0, &line);
        }
        let (open, close) = if brackets.is_empty() { ("(", ")") } else { (open, close) };
        self.push(0, &format!("{head}{open}"));
        items.iter().for_each(|item| self.push(1, &format!("{item},")));
        self.push(0, close);
    }

    /// `def name(arguments) -> result:`
    pub(crate) fn signature(&mut self, depth: usize, name: &str, arguments: &[String], result: &str) {
        let all = arguments.join(", ");
        let line = format!("def {name}({all}) -> {result}:");
        if line.len() + 4 * depth <= WIDTH {
            return self.push(depth, &line);
        }
        self.push(depth, &format!("def {name}("));
        self.inside(depth + 1, &all);
        let end = format!(") -> {result}:");
        if end.len() + 4 * depth <= WIDTH {
            return self.push(depth, &end);
        }
        match last_call(result) {
            Some((before, inside)) => {
                self.push(depth, &format!(") -> {before}"));
                self.inside(depth + 1, inside);
                self.push(depth, "]:");
            }
            None => self.push(depth, &end),
        }
    }

    /// `return` of one or several results.
    pub(crate) fn returned(&mut self, depth: usize, results: &[String]) {
        if let [one] = results {
            return self.statement(depth, "return ", one);
        }
        let all = results.join(", ");
        if all.len() + 7 + 4 * depth <= WIDTH {
            return self.push(depth, &format!("return {all}"));
        }
        self.push(depth, "return (");
        results.iter().for_each(|r| self.argument(depth + 1, "", r));
        self.push(depth, ")");
    }

    /// Adds arguments: on one line if they fit, else one on each line.
    fn inside(&mut self, depth: usize, inside: &str) {
        if inside.chars().count() + 4 * depth <= WIDTH {
            return self.push(depth, inside);
        }
        let all = arguments(inside);
        if let [list] = all.as_slice()
            && let Some(items) = list.strip_prefix('[').and_then(|l| l.strip_suffix(']'))
        {
            return self.list(depth, items);
        }
        for argument in arguments(inside) {
            let (head, expr) = match argument.split_once('=') {
                Some((name, value)) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                    (format!("{name}="), value)
                }
                _ => (String::new(), argument),
            };
            self.argument(depth, &head, expr);
        }
    }

    /// Adds a list that is too long for one line: a comprehension, or one item on each line.
    fn list(&mut self, depth: usize, items: &str) {
        self.push(depth, "[");
        match comprehension(items) {
            Some((item, clause)) => {
                self.statement(depth + 1, "", item);
                self.push(depth + 1, clause);
            }
            None => arguments(items).into_iter().for_each(|item| self.argument(depth + 1, "", item)),
        }
        self.push(depth, "]");
    }

    fn argument(&mut self, depth: usize, head: &str, expr: &str) {
        let fits = head.chars().count() + expr.chars().count() + 1 + 4 * depth <= WIDTH;
        match last_call(expr) {
            Some((before, inside)) if !fits => {
                self.push(depth, &format!("{head}{before}"));
                self.inside(depth + 1, inside);
                self.push(depth, if before.ends_with('[') { "]," } else { ")," });
            }
            _ => self.push(depth, &format!("{head}{expr},")),
        }
    }

    /// The file.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// Splits an expression that ends in a bracket into the text up to the opening bracket, and the text inside.
fn last_call(expr: &str) -> Option<(&str, &str)> {
    if !expr.ends_with([')', ']']) {
        return None;
    }
    let mut depth = 0usize;
    for (at, c) in expr.char_indices().rev() {
        match c {
            ')' | ']' => depth += 1,
            '(' | '[' => {
                depth -= 1;
                if depth == 0 {
                    let inside = &expr[at + 1..expr.len() - 1];
                    return (at > 0 && !inside.is_empty()).then_some((&expr[..=at], inside));
                }
            }
            _ => {}
        }
    }
    None
}

/// Splits `item for variables in iterable` before its `for` outside of brackets.
fn comprehension(text: &str) -> Option<(&str, &str)> {
    let outside = |at: &usize| {
        let opened = text[..*at].matches(['(', '[']).count();
        opened == text[..*at].matches([')', ']']).count()
    };
    let at = text.match_indices(" for ").map(|(at, _)| at).find(outside)?;
    Some((&text[..at], &text[at + 1..]))
}

/// Splits at commas outside of brackets.
fn arguments(text: &str) -> Vec<&str> {
    let mut depth = 0usize;
    let mut start = 0;
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(text[start..].trim());
    found.retain(|a| !a.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_calls_are_broken() {
        let mut lines = Lines::default();
        lines.statement(2, "x = ", "F.relu(x)");
        lines.statement(2, "self.conv = ", &format!("nn.Conv2d({}, bias=False)", "1234567890".repeat(6)));
        let args = ["1234567890"; 9].join(", ");
        lines.statement(2, "x = ", &format!("f({args})"));
        let text = lines.finish();
        let wanted = format!(
            "        x = F.relu(x)\n        self.conv = nn.Conv2d(\n            {}, bias=False\n        )\n        x = f(\n{}        )\n",
            "1234567890".repeat(6),
            "            1234567890,\n".repeat(9)
        );
        assert_eq!(text, wanted);
    }

    #[test]
    fn collections() {
        let mut lines = Lines::default();
        lines.collection("from .model import ", "", &["Net".to_owned(), "load".to_owned()]);
        lines.collection("STEPS = ", "{}", &[]);
        lines.collection("from .model import ", "", &["N".repeat(80), "load".to_owned()]);
        lines.collection("X = ", "[]", &["\"a\"".to_owned(), format!("\"{}\"", "b".repeat(80))]);
        let long = ["N".repeat(80), "b".repeat(80)];
        let wanted = format!(
            "from .model import Net, load\nSTEPS = {{}}\nfrom .model import (\n    {},\n    load,\n)\nX = [\n    \"a\",\n    \"{}\",\n]\n",
            long[0], long[1]
        );
        assert_eq!(lines.finish(), wanted);
    }
}
