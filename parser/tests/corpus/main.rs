//! The parser on the corpus: what CNTK wrote and recorded, and hostile files with their verdicts.

mod hostile;
mod oracle;
mod order;
mod reading;
mod types;
mod verdicts;

#[path = "../support/proto.rs"]
mod proto;
#[path = "../support/mod.rs"]
mod support;
