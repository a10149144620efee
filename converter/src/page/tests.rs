use super::*;
use std::path::{Path, PathBuf};

fn report_on(bytes: &[u8]) -> String {
    match OwnedModel::load(bytes.to_vec()) {
        Ok(model) => body(&Report::of(&model, "a.model")),
        Err(error) => body(&Report::of_rejected(bytes, &error, "a.model")),
    }
}

#[test]
fn the_verdict_is_that_of_validation() {
    let net = std::fs::read(corpus().join("zoo/alexnet_small.model")).unwrap();
    assert!(report_on(&net).contains("class=\"verdict safe\""));
    let cut = report_on(&net[..net.len() / 2]);
    assert!(cut.contains("class=\"verdict refused\"") && cut.contains("wire.truncated"), "{cut}");
    let page = report_on(b"<!DOCTYPE html><html>");
    assert!(page.contains("class=\"verdict foreign\"") && page.contains("kind of file: html"), "{page}");
    assert!(report_on(b"").contains("empty file"));
}

#[test]
fn digests_are_those_of_a_policy() {
    // printf %s 'alert(1)' | openssl dgst -sha256 -binary | base64
    assert_eq!(digest("alert(1)"), "bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=");
}
fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(corpus().join(folder)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

/// The tags of a page, and the names of their attributes.
fn tags(html: &str) -> Vec<&str> {
    let mut tags = vec![];
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let (mut quoted, mut end) = (false, start);
        for (i, c) in rest[start..].char_indices() {
            match c {
                '"' => quoted = !quoted,
                '>' if !quoted => {
                    end = start + i;
                    break;
                }
                _ => {}
            }
        }
        tags.push(&rest[start..=end]);
        rest = &rest[end + 1..];
    }
    tags
}

/// Markup that text from a file must never bring into a page.
fn harmless(html: &str) {
    for tag in tags(html) {
        let lower = tag.to_lowercase();
        for bad in [
            "<script",
            "<style",
            "<link",
            "<img",
            "<iframe",
            "<a ",
            "<base",
            "<meta",
            "<foreignobject",
            "<use",
            "<image",
        ] {
            assert!(!lower.starts_with(bad), "{tag}");
        }
        for bad in [" on", " style=", " href", " src=", " formaction", "javascript:"] {
            let outside: String = lower.split('"').step_by(2).collect();
            assert!(!outside.contains(bad), "{tag}");
        }
    }
    let odd = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{2066}';
    assert!(!html.contains(odd));
}

/// A model whose names are all replaced by others of the same length, so that the file stays sound.
fn renamed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> =
        bytes.windows(from.len()).enumerate().filter(|(_, w)| *w == from.as_bytes()).map(|(i, _)| i).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|i| bytes[*i..*i + to.len()].copy_from_slice(to.as_bytes()));
    bytes
}

#[test]
fn hostile_names_stay_text() {
    let net = std::fs::read(corpus().join("zoo/resnet_bottleneck.model")).unwrap();
    for name in [
        "<b a=x>b",
        "\"onx=1 \"",
        "'><i>'a>",
        "&lt;x&#1",
        "\u{202e}\u{202e}ab",
        "\n\u{1b}[31m \t",
        "</style>",
        "</title>",
    ] {
        let bytes = renamed(&net, "features", name);
        let page = report_on(&bytes);
        assert!(page.contains("verdict"), "{name:?}");
        harmless(&page);
    }
    let model = OwnedModel::load(net).unwrap();
    let page = document(&Report::of(&model, "</title><script>alert(1)</script>\u{202e}"));
    assert_eq!(page.matches("<script>").count(), 1, "ours");
    assert!(page.contains("<title>&lt;/title&gt;&lt;script&gt;"));
}

#[test]
fn every_file_of_the_corpus_has_a_page_of_moderate_size() {
    for folder in ["zoo", "hostile"] {
        for path in files(folder) {
            let bytes = std::fs::read(&path).unwrap();
            let (page, structure) = match OwnedModel::load(bytes.clone()) {
                Ok(model) => {
                    let structure: usize = model.get().model().structure().map(<[u8]>::len).sum();
                    (body(&Report::of(&model, "a.model")), structure)
                }
                Err(error) => (body(&Report::of_rejected(&bytes, &error, "a.model")), bytes.len()),
            };
            harmless(&page);
            assert!(page.contains("id=\"verdict\""));
            assert!(page.len() <= 24 * structure + 200_000, "{}: {} of {structure}", path.display(), page.len());
        }
    }
}

#[test]
fn a_document_allows_its_own_script_and_style_only() {
    let net = std::fs::read(corpus().join("zoo/logreg_101.model")).unwrap();
    let page = document(&Report::of(&OwnedModel::load(net).unwrap(), "a.model"));
    let between = |start: &str, end: &str| {
        let from = page.find(start).unwrap() + start.len();
        &page[from..from + page[from..].find(end).unwrap()]
    };
    assert!(page.contains(&format!("script-src 'sha256-{}'", digest(between("<script>", "</script>")))));
    assert!(page.contains(&format!("style-src 'sha256-{}'", digest(between("<style>", "</style>")))));
    assert!(page.contains("default-src 'none'") && !page.contains("unsafe-inline"));
    assert!(!page.contains("https://"), "nothing from elsewhere");
}

#[test]
fn weights_that_are_not_at_hand_are_left_out() {
    let net = std::fs::read(corpus().join("zoo/logreg_101.model")).unwrap();
    let model = OwnedModel::load(net).unwrap();
    let with = body(&Report::of(&model, "a.model"));
    let without = body(&Report::of(&model, "a.model").weights(false));
    assert!(with.contains("class=\"histogram\"") && !without.contains("class=\"histogram\""));
    assert!(without.contains("The numbers were not read."));
}
