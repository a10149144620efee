//! The summary that `convert` prints.

use super::hash;
use crate::{input::Input, json::Json, outcome::dimension, terminal::Terminal};
use cntk2onnx::{Port, Summary};
use std::path::Path;

/// Sizes of what was written.
pub struct Written {
    pub opset: i64,
    pub model: u64,
    pub side: Option<u64>,
    pub in_place: u64,
    /// The SHA-256 of the whole source, if it was asked for.
    pub digest: Option<[u8; 32]>,
}

/// Prints the interface and the warnings, before the files get their names.
pub fn before(terminal: &Terminal, written: &Written, summary: &Summary) {
    for warning in &summary.warnings {
        terminal.warning(warning);
    }
    for dropped in &summary.dropped {
        terminal.say(format_args!("dropped {dropped}"));
    }
    let port = |role: &str, port: &Port| {
        terminal.say(format_args!("{role:6} {} {}[{}]", port.name, port.elem, port.dims.join(", ")));
    };
    summary.inputs.iter().for_each(|p| port("input", p));
    summary.outputs.iter().for_each(|p| port("output", p));
    terminal.say(format_args!(
        "{} CNTK functions became {} ONNX nodes of opset {}",
        summary.functions, summary.nodes, written.opset
    ));
}

/// Prints which files were written.
pub fn after(terminal: &Terminal, path: &Path, written: &Written) {
    let path = path.display();
    terminal.say(format_args!("wrote {path}, {}", size(written.model)));
    if let Some(side) = written.side {
        terminal.say(format_args!("wrote {path}.data, {}", size(side)));
    }
    if written.in_place > 0 {
        terminal.say(format_args!(
            "{} of weights are read from the model's file: do not move, change or delete it",
            size(written.in_place)
        ));
    }
}

/// The entries that every target has.
pub fn written(input: &Input, target: &str, path: &Path, digest: Option<[u8; 32]>) -> Vec<(&'static str, Json)> {
    vec![
        ("input", Json::text(&input.name)),
        ("target", Json::text(target)),
        ("output", Json::text(path.display().to_string())),
        ("source_sha256", digest.map_or(Json::Null, |sum| Json::Text(hash::hex(&sum)))),
    ]
}

pub fn json(input: &Input, path: &Path, done: &Written, summary: &Summary) -> Vec<(&'static str, Json)> {
    let port = |port: &Port| {
        Json::Object(vec![
            ("name", Json::text(&port.name)),
            ("uid", Json::text(&port.uid)),
            ("type", Json::text(&port.elem)),
            ("shape", Json::list(&port.dims, |d| dimension(d))),
        ])
    };
    let mut entries = written(input, "onnx", path, done.digest);
    entries.extend([
        ("opset", Json::Number(done.opset.unsigned_abs())),
        ("bytes", Json::Number(done.model)),
        ("side_bytes", done.side.map_or(Json::Null, Json::Number)),
        ("in_place_bytes", Json::Number(done.in_place)),
        ("inputs", Json::list(&summary.inputs, port)),
        ("outputs", Json::list(&summary.outputs, port)),
        ("dropped", Json::list(&summary.dropped, Json::text)),
        ("warnings", Json::list(&summary.warnings, Json::text)),
        ("functions", Json::from(summary.functions)),
        ("nodes", Json::from(summary.nodes)),
    ]);
    entries
}

/// A number of bytes for people.
pub fn size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", tenths(1_000)),
        1_000_000..1_000_000_000 => format!("{} MB", tenths(1_000_000)),
        _ => format!("{} GB", tenths(1_000_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let shown = [0, 999, 1_000, 17_340, 513_258_995, 2_400_000_000].map(size);
        assert_eq!(shown, ["0 bytes", "999 bytes", "1.0 kB", "17.3 kB", "513.2 MB", "2.4 GB"]);
    }
}
