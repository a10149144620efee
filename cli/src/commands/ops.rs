//! `ops`: lists the operators and how they are converted.

use crate::{
    args::{Common, Format},
    json::Json,
    outcome::Outcome,
    terminal::{self, Terminal},
};
use anyhow::Result;
use cntk_parser::ops::Op;
use cntk2onnx::catalogue;

/// List the operators and how they are converted
#[derive(clap::Args)]
pub struct Args {
    /// Form of the table
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

pub fn run(_: &Terminal, _: &Common, args: Args) -> Result<Outcome> {
    if args.format == Format::Text {
        terminal::report(&Op::ALL.iter().map(|op| line(*op)).collect::<String>())?;
    }
    Ok(Outcome::done(vec![("ops", Json::list(Op::ALL, |op| entry(*op)))]))
}

fn line(op: Op) -> String {
    let (spec, row) = (op.spec(), catalogue::entry(op));
    let restrictions = if row.restrictions.is_empty() { String::new() } else { format!(" ({})", row.restrictions) };
    let text = format!("{:>3} {:<32} {:<9} {}{restrictions}", spec.code, spec.name, row.status.as_str(), row.onnx);
    text.trim_end().to_owned() + "\n"
}

fn entry(op: Op) -> Json {
    let (spec, row) = (op.spec(), catalogue::entry(op));
    Json::Object(vec![
        ("code", Json::Number(spec.code)),
        ("name", Json::from(spec.name)),
        ("min_inputs", Json::from(spec.min_inputs)),
        ("max_inputs", if spec.max_inputs == usize::MAX { Json::Null } else { Json::from(spec.max_inputs) }),
        ("attributes", Json::list(spec.attributes, |a| Json::from(a.key))),
        ("status", Json::from(row.status.as_str())),
        ("onnx", Json::from(row.onnx)),
        ("restrictions", Json::from(row.restrictions)),
    ])
}
