//! The command line, run as a user runs it.

mod convert;
mod diff;
mod eval;
mod examples;
mod failures;
mod machine;
mod migrate;
mod names;
mod picture;
mod pytorch;
mod record;
mod report;
mod schema;
mod siblings;
mod signing;
mod threats;
mod tool;
mod weights;
