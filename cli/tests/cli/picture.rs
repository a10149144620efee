//! `inspect --format dot|svg|html`: pictures and pages.

use super::tool::{Folder, corpus};
use std::fs;

#[test]
fn a_picture_goes_to_stdout_or_to_a_file() {
    let folder = Folder::with_model();
    let svg = folder.run(&["inspect", "m.model", "--format", "svg"]).done().out();
    assert!(svg.starts_with("<svg ") && svg.contains("Convolution") && svg.ends_with("</svg>\n"), "{svg}");
    let run = folder.run(&["inspect", "m.model", "--format", "svg", "-o", "m.svg"]).done();
    assert!(run.stdout.is_empty() && run.stderr.contains("wrote m.svg"), "{}", run.stderr);
    assert_eq!(folder.read("m.svg"), svg.as_bytes());
    let dash = folder.run(&["inspect", "m.model", "--format", "svg", "-o", "-"]).done().out();
    assert_eq!(dash, svg);
    folder.run(&["inspect", "m.model", "--format", "dot", "-o", "m.svg"]).fails(2, "m.svg: exists already");
    folder.run(&["inspect", "m.model", "--format", "dot", "-o", "m.svg", "--force"]).done();
    assert!(folder.read("m.svg").starts_with(b"digraph model {\n"));
}

#[test]
fn a_page_says_whether_the_model_is_safe() {
    let folder = Folder::with_model();
    let page = folder.run(&["inspect", "m.model", "--format", "html"]).done().out();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<h1>m.model</h1>"));
    assert!(page.contains("class=\"verdict safe\"") && page.contains("cntk2onnx convert m.model -o m.onnx"));
    folder.write("udf.model", &fs::read(corpus("hostile/udf_native.model")).unwrap());
    let run = folder.run(&["inspect", "udf.model", "--format", "html"]).fails(1, "user-defined");
    assert!(run.out().contains("class=\"verdict refused\"") && run.out().contains("code.native"));
    folder.write("page.model", b"<!DOCTYPE html><title>404</title>");
    let run = folder.run(&["inspect", "page.model", "--format", "html", "-o", "p.html"]).fails(1, "page.model: at 0x0");
    assert!(run.stdout.is_empty());
    let page = String::from_utf8(folder.read("p.html")).unwrap();
    assert!(page.contains("class=\"verdict foreign\"") && page.contains("kind of file: html"));
    // printf %s '<!DOCTYPE html><title>404</title>' | sha256sum
    assert!(page.contains("444be1ba1cbf81fc740159464ff07268995110f110aa3498b03b87082763a944"), "{page}");
}

#[test]
fn there_is_no_picture_of_a_model_that_is_refused() {
    let folder = Folder::new();
    folder.write("bad.model", &fs::read(corpus("hostile/udf_native.model")).unwrap());
    for format in ["dot", "svg"] {
        let run = folder.run(&["inspect", "bad.model", "--format", format, "-o", "out"]).fails(1, "bad.model");
        assert!(run.stdout.is_empty() && !folder.path("out").exists());
    }
}

#[test]
fn options_that_do_not_go_together_are_told() {
    let folder = Folder::with_model();
    folder.run(&["inspect", "m.model", "-o", "x"]).fails(2, "--output is for --format dot, svg and html");
    folder.run(&["inspect", "m.model", "--format", "svg", "--tree"]).fails(2, "--nodes and --tree are for");
    folder.run(&["inspect", "m.model", "--format", "png"]).code.filter(|code| *code == 2).unwrap();
}
