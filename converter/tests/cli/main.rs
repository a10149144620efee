//! The command line, run as a user runs it.

mod convert;
mod failures;
mod model;
mod report;
mod tool;
mod weights;
