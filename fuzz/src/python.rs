//! Checks that a file is valid Python by the rules of the emitted subset, with a tokenizer of its own: code is
//! printable ASCII, brackets match, names are bound before they are read, and imports and built-ins are from short
//! lists.

use std::collections::{HashMap, HashSet};

/// What an emitted file may import from.
const MODULES: &[&str] = &["math", "pathlib", "typing", "safetensors", "torch", "unittest", "model"];
/// Built-ins that it may use.
const BUILTINS: &[&str] = &[
    "NotImplementedError",
    "__file__",
    "__name__",
    "__package__",
    "bool",
    "dict",
    "float",
    "globals",
    "int",
    "isinstance",
    "len",
    "list",
    "max",
    "min",
    "print",
    "range",
    "reversed",
    "set",
    "str",
    "super",
    "tuple",
    "zip",
    "enumerate",
];
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "class", "def", "else", "except", "for", "from", "if", "import",
    "in", "is", "not", "or", "raise", "return", "try", "while", "with",
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'t> {
    Name(&'t str),
    Number,
    Text(&'t str),
    Sign(char),
}

/// A logical line: brackets hold it together.
#[derive(Debug)]
struct Line<'t> {
    indent: usize,
    tokens: Vec<Token<'t>>,
}

/// Checks a file and gives what its classes hold: the names that follow `self.`, by class.
///
/// # Panics
///
/// If it is not sound.
pub fn check(text: &str) -> HashMap<&str, HashSet<&str>> {
    assert!(text.ends_with('\n') && !text.contains('\t') && !text.contains('\r'));
    let lines = lines(text);
    let mut globals: HashSet<&str> = BUILTINS.iter().copied().collect();
    // What a top-level `if` or `else` binds is bound in the whole file.
    let mut global = true;
    for line in &lines {
        if line.indent == 0 {
            global = !matches!(line.tokens[0], Token::Name("class" | "def"));
        }
        if global || line.indent == 0 {
            bind(line, &mut globals);
        }
        import(line);
    }
    let mut held: HashMap<&str, HashSet<&str>> = HashMap::new();
    let mut class = "";
    let mut local = HashSet::new();
    for line in &lines {
        match line.tokens[..] {
            [Token::Name("class"), Token::Name(name), ..] => class = name,
            [Token::Name("def"), Token::Name(name), ..] => {
                local.clear();
                if line.indent > 0 {
                    assert!(held.entry(class).or_default().insert(name), "{class} has two members {name}");
                } else {
                    class = "";
                }
            }
            // An annotation in a class declares a member.
            [Token::Name(name), Token::Sign(':'), ..] if line.indent == 4 && !class.is_empty() && local.is_empty() => {
                held.entry(class).or_default().insert(name);
                continue;
            }
            _ => {}
        }
        if line.indent == 0 {
            read(line, &globals, &HashSet::new());
            continue;
        }
        members(line, held.entry(class).or_default());
        // A comprehension reads what it binds further on; assignments alone bind what was unbound before.
        if line.tokens.iter().any(|t| matches!(t, Token::Name("for" | "as" | "def"))) {
            bind(line, &mut local);
        }
        read(line, &globals, &local);
        bind(line, &mut local);
    }
    // Members are found in every method before any is held to them: `forward` may stand before what it calls.
    let mut class = "";
    for line in &lines {
        if let [Token::Name("class"), Token::Name(name), ..] = line.tokens[..] {
            class = name;
        }
        for of_self in line.tokens.windows(3).filter(|w| w[..2] == [Token::Name("self"), Token::Sign('.')]) {
            let Token::Name(member) = of_self[2] else { panic!("self. what? {line:?}") };
            let inherited = ["register_buffer", "register_parameter"].contains(&member);
            assert!(inherited || held[class].contains(member), "{class} has no {member}: {line:?}");
        }
    }
    held
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut open = Vec::new();
    let mut rest = text;
    let mut fresh = true;
    let mut indent = 0;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\n' => {
                fresh |= open.is_empty();
                indent = 0;
                1
            }
            ' ' => {
                let spaces = rest.len() - rest.trim_start_matches(' ').len();
                indent = spaces;
                spaces
            }
            '#' => {
                let end = rest.find('\n').unwrap_or(rest.len());
                super::targets::check::line(&rest[..end]);
                end
            }
            _ => {
                let (length, token) = token(rest);
                match token {
                    Token::Sign(c @ ('(' | '[' | '{')) => open.push(c),
                    Token::Sign(c @ (')' | ']' | '}')) => {
                        let pair = (open.pop().unwrap_or(' '), c);
                        assert!(matches!(pair, ('(', ')') | ('[', ']') | ('{', '}')), "{pair:?} in {text}");
                    }
                    _ => {}
                }
                if fresh {
                    assert_eq!(
                        indent % 4,
                        0,
                        "indented by {indent}: {}",
                        &rest[..rest.find('\n').unwrap_or(rest.len())]
                    );
                    lines.push(Line { indent, tokens: Vec::new() });
                    fresh = false;
                }
                lines.last_mut().expect("a line").tokens.push(token);
                length
            }
        };
        rest = &rest[length..];
    }
    assert!(open.is_empty(), "{open:?} stay open");
    // Documentation says what it likes.
    lines.retain(|line| !matches!(line.tokens[..], [Token::Text(_)]));
    lines
}

fn token(rest: &str) -> (usize, Token<'_>) {
    let first = rest.chars().next().expect("there is more");
    if let Some(inside) = rest.strip_prefix("\"\"\"") {
        let end = inside.find("\"\"\"").expect("documentation ends");
        let inside = &inside[..end];
        inside.lines().for_each(super::targets::check::line);
        assert!(!inside.contains('\\'), "an escape in {inside}");
        return (end + 6, Token::Text(inside));
    }
    if let Some(inside) = rest.strip_prefix('"') {
        let end = inside.find('"').expect("text ends");
        let inside = &inside[..end];
        let plain = |c: char| c == ' ' || c.is_ascii_graphic() && c != '\\';
        assert!(inside.chars().all(plain), "{inside:?} is not plain");
        return (end + 2, Token::Text(inside));
    }
    let length = |of: fn(char) -> bool| rest.find(|c| !of(c)).unwrap_or(rest.len());
    if first.is_ascii_digit() {
        let length = length(|c| c.is_ascii_alphanumeric() || c == '.');
        // An exponent has a sign of its own.
        let signed = rest[..length].ends_with('e') && !rest.starts_with("0x");
        let more = if signed { 1 + rest[length + 1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(0) } else { 0 };
        return (length + more, Token::Number);
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let length = length(|c| c.is_ascii_alphanumeric() || c == '_');
        return (length, Token::Name(&rest[..length]));
    }
    assert!("()[]{},.:=+-*/%@<>!&|~".contains(first), "{first:?} is not of the emitted subset");
    (1, Token::Sign(first))
}

/// Adds what a line binds.
fn bind<'t>(line: &Line<'t>, names: &mut HashSet<&'t str>) {
    let tokens = &line.tokens;
    match tokens[..] {
        [Token::Name("def"), Token::Name(name), ..] => {
            if line.indent == 0 {
                names.insert(name);
            }
            // Parameters follow a bracket or a comma, annotations a colon.
            for pair in tokens[2..].windows(2) {
                if let [Token::Sign('(' | ',' | '*'), Token::Name(parameter)] = pair {
                    names.insert(parameter);
                }
            }
        }
        [Token::Name("class"), Token::Name(name), ..] => drop(names.insert(name)),
        [Token::Name("from" | "import"), ..] => {
            let from = tokens.iter().rposition(|t| matches!(t, Token::Name("import" | "as"))).expect("an import");
            names.extend(tokens[from..].iter().filter_map(|t| match t {
                Token::Name(name) => Some(name),
                _ => None,
            }));
        }
        _ => {
            let targets = assigned(tokens);
            names.extend(targets.iter().filter_map(|t| match t {
                Token::Name(name) => Some(name),
                _ => None,
            }));
        }
    }
    for (at, _) in tokens.iter().enumerate().filter(|(_, t)| **t == Token::Name("for")) {
        let targets = tokens[at + 1..].iter().take_while(|t| **t != Token::Name("in"));
        names.extend(targets.filter_map(|t| match t {
            Token::Name(name) => Some(name),
            _ => None,
        }));
    }
    for pair in tokens.windows(2) {
        if let [Token::Name("as"), Token::Name(name)] = pair {
            names.insert(name);
        }
    }
}

/// The targets of an assignment: names and commas before `=`, or a name before its annotation.
fn assigned<'a, 't>(tokens: &'a [Token<'t>]) -> &'a [Token<'t>] {
    let end = tokens.iter().position(|t| !matches!(t, Token::Name(_) | Token::Sign(',' | '(' | ')'))).unwrap_or(0);
    let assigns = match tokens.get(end..) {
        Some([Token::Sign('='), Token::Sign('='), ..]) => false,
        Some([Token::Sign('='), ..]) => true,
        Some([Token::Sign(':'), _, ..]) => end == 1,
        _ => false,
    };
    if assigns { &tokens[..end] } else { &[] }
}

/// Every name that a line reads is bound.
fn read(line: &Line<'_>, globals: &HashSet<&str>, local: &HashSet<&str>) {
    let skipped = match line.tokens[..] {
        [Token::Name("from" | "import"), ..] => return,
        [Token::Name("def" | "class"), ..] => 2,
        _ => assigned(&line.tokens).len(),
    };
    for (at, token) in line.tokens.iter().enumerate().skip(skipped) {
        let Token::Name(name) = *token else { continue };
        let of_something = line.tokens[at - at.min(1)] == Token::Sign('.') && at > 0;
        let keyword = at > 0
            && line.tokens[at + 1..].first() == Some(&Token::Sign('='))
            && line.tokens[at + 1..].get(1) != Some(&Token::Sign('='))
            && matches!(line.tokens[at - 1], Token::Sign('(' | ','));
        if of_something || keyword || KEYWORDS.contains(&name) {
            assert!(!name.starts_with("__") || ["__init__", "__name__", "__file__"].contains(&name), "{name} is magic");
            continue;
        }
        assert!(globals.contains(name) || local.contains(name), "{name} is not bound: {line:?}");
    }
}

/// Adds the members that a line of a method makes.
fn members<'t>(line: &Line<'t>, held: &mut HashSet<&'t str>) {
    use Token::{Name, Sign, Text};
    match line.tokens[..] {
        [Name("self"), Sign('.'), Name("register_buffer" | "register_parameter"), Sign('('), Text(name), ..] => {
            held.insert(name);
        }
        _ => {
            let end = line.tokens.iter().position(|t| *t == Sign('=')).unwrap_or(0);
            let targets = &line.tokens[..end];
            for of_self in targets.windows(3).filter(|w| w[..2] == [Name("self"), Sign('.')]) {
                if let Name(name) = of_self[2] {
                    held.insert(name);
                }
            }
        }
    }
}

/// A line imports from the list; from its own package, the model alone.
fn import(line: &Line<'_>) {
    match line.tokens[..] {
        [Token::Name("from"), Token::Sign('.'), Token::Name("model"), Token::Name("import"), ..] => {}
        [Token::Name("from" | "import"), Token::Name(module), ..] => {
            assert!(MODULES.contains(&module), "imports {module}");
        }
        [Token::Name("from" | "import"), ..] => panic!("imports from elsewhere: {line:?}"),
        _ => {}
    }
}
