//! How a command ends.

/// Done.
pub const DONE: u8 = 0;
/// The file is malformed, unsafe, or over a limit.
pub const REJECTED: u8 = 1;
/// Usage, or a file that cannot be read or written.
pub const IO: u8 = 2;
/// Valid, but cannot be converted as asked.
pub const REFUSED: u8 = 3;
