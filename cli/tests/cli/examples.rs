//! The examples of help, manual, README and documentation do what they say: each is run, in the order of its text, in a folder
//! that has the files they name.

use super::tool::{Folder, corpus};
use std::{fs, path::Path};

/// Lines that are not run here, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("openssl ", "makes keys: the tests' own stand in the folder"),
    ("cargo ", "builds, or runs what is built here"),
    ("python ", "needs torch; `tests/pytorch.rs` runs the emitted tests"),
    ("pip ", "installs"),
    ("cntk2onnx verify ", "is of the Python package, whose tests run it"),
];

/// The texts with examples, by name.
fn texts(folder: &Folder) -> Vec<(String, Vec<String>)> {
    let help = |args: &[&str]| folder.run(args).done().out();
    let main = help(&["--help"]);
    let commands: Vec<&str> = (main.lines().skip_while(|line| *line != "Commands:").skip(1))
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() >= 10, "{commands:?}");
    let mut all = vec![("--help".to_owned(), after(&main, "Examples:"))];
    for command in &commands {
        all.push((format!("{command} --help"), after(&help(&[command, "--help"]), "Examples:")));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pages = fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "md"));
    let mut pages: Vec<_> = pages.chain([root.join("README.md"), root.join("cli/README.md")]).collect();
    pages.sort();
    for page in pages {
        all.push((
            page.file_name().unwrap().to_string_lossy().into_owned(),
            blocks(&fs::read_to_string(&page).unwrap()),
        ));
    }
    all.retain(|(_, lines)| !lines.is_empty());
    all
}

/// The commands of the paragraph below a heading, without what is said of them beside.
fn after(text: &str, heading: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| line.starts_with("  "));
    let commands = lines.map(str::trim).filter(|line| line.starts_with("cntk2onnx ") || line.starts_with("openssl "));
    commands.map(|line| line.split("  ").next().unwrap().to_owned()).collect()
}

/// The commands of the code blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    let parts = page.split("```").skip(1).step_by(2);
    let shells = parts.filter(|part| ["", "sh", "console"].contains(&part.lines().next().unwrap_or_default()));
    let lines =
        shells.flat_map(|part| part.lines().skip(1)).map(|line| line.split(" #").next().unwrap().trim().to_owned());
    lines
        .filter(|line| line.starts_with("cntk2onnx ") || NOT_RUN.iter().any(|(start, _)| line.starts_with(start)))
        .collect()
}

/// A safetensors file of zeros.
fn zeros(arrays: &[(&str, &[u64])]) -> Vec<u8> {
    let (mut header, mut end) = (serde_json::Map::new(), 0);
    for (name, shape) in arrays {
        let from = end;
        end += shape.iter().product::<u64>() * 4;
        let entry = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [from, end]});
        header.insert((*name).to_owned(), entry);
    }
    let header = serde_json::Value::Object(header).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; end as usize]].concat()
}

/// What the examples name.
fn supplied() -> Folder {
    let folder = Folder::new();
    let model = |name: &str, of: &str| folder.write(name, &fs::read(corpus(&format!("zoo/{of}.model"))).unwrap());
    for name in ["net", "big", "trusted"] {
        model(&format!("{name}.model"), "alexnet_small");
    }
    model("resnet.model", "resnet_bottleneck");
    model("tagger.model", "gru_tagger");
    model("lm.model", "word_lm_peephole_projection");
    for place in ["models", "out", "share/models"] {
        fs::create_dir_all(folder.path(place)).unwrap();
    }
    model("models/net.model", "alexnet_small");
    model("share/models/tagger.model", "gru_tagger");
    folder.write("in.npz", &zeros(&[("features", &[1, 3, 67, 67])]));
    folder.write("net.npz", &zeros(&[("features", &[1, 3, 67, 67]), ("Block1191_Output_0", &[1, 7])]));
    for name in ["key", "release"] {
        folder.write(&format!("{name}.pem"), include_bytes!("../../../signing/tests/keys/p256.pem"));
        folder.write(&format!("{name}.pub"), include_bytes!("../../../signing/tests/keys/p256.pub.pem"));
    }
    folder
}

#[test]
fn every_example_does_what_it_says() {
    let (mut ran, mut failed) = (0, vec![]);
    for (text, lines) in texts(&Folder::new()) {
        let folder = supplied();
        for line in lines {
            if NOT_RUN.iter().any(|(start, _)| line.starts_with(start)) {
                continue;
            }
            let mut words: Vec<&str> = line.split_whitespace().skip(1).collect();
            let local = words.iter().map(|word| word.strip_prefix("/share").map_or(*word, |_| &word[1..])).collect();
            words = local;
            // Several examples of one text write the same file.
            if words[0] == "convert" && !words.contains(&"--force") {
                words.push("--force");
            }
            let run = folder.run(&words);
            ran += 1;
            if run.code != Some(0) {
                failed.push(format!("{text}: {line}: {:?} {}", run.code, run.stderr));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(ran >= 30, "only {ran} examples are found");
}

/// The manual has the examples of the help.
#[test]
fn the_manual_has_the_examples() {
    let folder = Folder::new();
    let manual = folder.run(&["man"]).done().out().replace("\\-", "-");
    let main = folder.run(&["--help"]).done().out();
    for example in after(&main, "Examples:") {
        assert!(manual.contains(&example), "{example}");
    }
}
