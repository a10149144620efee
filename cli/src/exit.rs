//! Exit codes.

/// Success.
pub const DONE: u8 = 0;
/// The file is malformed, unsafe, or over a limit.
pub const REJECTED: u8 = 1;
/// Wrong usage, or a file that cannot be read or written.
pub const IO: u8 = 2;
/// The model is valid, but cannot be converted as asked.
pub const REFUSED: u8 = 3;
