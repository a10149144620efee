//! `docs/ops.md` is generated from the op table and the corpus. `BLESS=1` writes it anew.

use cntk_parser::ops::Op;
use cntk2onnx::catalogue::entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// For each op, the recorded cases that hold it and those among them that match.
fn counts() -> BTreeMap<String, (usize, usize)> {
    let corpus = root().join("corpus");
    let known = fs::read_to_string(corpus.join("known-failures.txt")).expect("the list of known failures");
    let failing: BTreeSet<&str> =
        known.lines().filter_map(|l| l.split_whitespace().next()).filter(|l| !l.starts_with('#')).collect();
    let mut counts = BTreeMap::new();
    for set in ["ops", "zoo", "attributes"] {
        for file in fs::read_dir(corpus.join(set)).expect("a folder of the corpus") {
            let path = file.expect("a file of the corpus").path();
            if path.extension().is_none_or(|e| e != "json") || !path.with_extension("model").exists() {
                continue;
            }
            let text = fs::read_to_string(&path).expect("a case");
            let case: serde_json::Value = serde_json::from_str(&text).expect("a case is JSON");
            let name = format!("{set}/{}", path.file_stem().expect("a name").to_string_lossy());
            for op in case["ops"].as_array().expect("a list of ops") {
                let op = op.as_str().expect("an op's name").to_owned();
                let count: &mut (usize, usize) = counts.entry(op).or_default();
                count.0 += 1;
                count.1 += usize::from(!failing.contains(name.as_str()));
            }
        }
    }
    counts
}

fn page() -> String {
    let counts = counts();
    let mut out = String::from(
        "# Operators\n\n\
         What becomes of each primitive operator of CNTK 2.7. The last column counts the recorded cases that hold the operator and whose\n\
         converted model gives CNTK's numbers in ONNX Runtime. Generated from the op table by the test `ops_page` (`BLESS=1` rewrites it).\n\n\
         | code | operator | status | ONNX | restrictions | cases that match |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for op in Op::ALL {
        let spec = op.spec();
        let e = entry(*op);
        let (all, good) = [spec.name, spec.uid_prefix].iter().find_map(|n| counts.get(*n).copied()).unwrap_or_default();
        let matching = if all == 0 { "none recorded".to_owned() } else { format!("{good} of {all}") };
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {matching} |",
            spec.code,
            spec.name,
            e.status.as_str(),
            e.onnx,
            e.restrictions
        )
        .expect("writing to a string");
    }
    out
}

#[test]
fn the_ops_page_is_up_to_date() {
    cntk_testing::golden::check(root().join("docs/ops.md"), &page());
}
