//! What may be generated.

/// What may be generated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Only what CNTK itself evaluates on a CPU, with a value that does not depend on chance.
    pub runnable: bool,
}
