//! Generated.
/// Stub.
pub fn run(_data: &[u8]) {}
