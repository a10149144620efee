//! `ops`: the op table.

use super::{
    args::{Format, Ops},
    exit,
    json::Json,
    terminal,
};
use anyhow::Result;
use cntk_parser::ops::Op;
use cntk2onnx::onnx::catalogue::entry;

pub fn run(args: Ops) -> Result<u8> {
    let text = match args.format {
        Format::Text => Op::ALL.iter().map(|op| line(*op)).collect(),
        Format::Json => format!("{}\n", Json::list(Op::ALL, |op| row(*op))),
    };
    terminal::report(&text)?;
    Ok(exit::DONE)
}

fn line(op: Op) -> String {
    let spec = op.spec();
    let e = entry(op);
    let mut line =
        format!("{:>3}  {:<34} {:<10} {:<16} {}", spec.code, spec.name, e.status.as_str(), inputs(op), e.onnx);
    if !e.restrictions.is_empty() {
        line.push_str(if e.onnx.is_empty() { "" } else { "; " });
        line.push_str(e.restrictions);
    }
    format!("{}\n", line.trim_end())
}

fn inputs(op: Op) -> String {
    let spec = op.spec();
    match (spec.min_inputs, spec.max_inputs) {
        (least, usize::MAX) => format!("{least} or more inputs"),
        (1, 1) => "1 input".to_owned(),
        (least, most) if least == most => format!("{least} inputs"),
        (least, most) => format!("{least} to {most} inputs"),
    }
}

fn row(op: Op) -> Json {
    let spec = op.spec();
    Json::Object(vec![
        ("code", Json::Number(spec.code)),
        ("name", Json::from(spec.name)),
        ("status", Json::from(entry(op).status.as_str())),
        ("onnx", Json::from(entry(op).onnx)),
        ("restrictions", Json::from(entry(op).restrictions)),
        ("min_inputs", Json::from(spec.min_inputs)),
        ("max_inputs", if spec.max_inputs == usize::MAX { Json::Null } else { Json::from(spec.max_inputs) }),
        ("attributes", Json::list(spec.attributes, |a| Json::from(a.key))),
    ])
}
