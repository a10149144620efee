//! Limits on what a file may make the reader do.

use crate::error::{Error, ErrorKind};

/// Named limits, each with a default that every known model stays far below. Set any of them:
///
/// ```
/// let limits = cntk_parser::Limits { functions: 1_000, ..Default::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "every limit is to be settable; new ones come with a default")]
pub struct Limits {
    /// Protobuf messages inside one another, below the root. Default and maximum: 100, the limit of CNTK's own reader.
    pub nesting: u32,
    /// Axes of a stored tensor. 12: CNTK's own shapes hold no more.
    pub tensor_rank: u32,
    /// Entries of any other shape. 256.
    pub shape_rank: u32,
    /// Function records. 4 million.
    pub functions: u64,
    /// Variable records. 4 million.
    pub variables: u64,
    /// Findings kept; later ones are only counted. 1000.
    pub findings: u32,
    /// Bytes that parsing may allocate for the model. Default: 4 GiB. Without this limit too, a file cannot make it
    /// allocate more than about 8 times its structure (tensors not counted).
    pub memory: u64,
}

impl Limits {
    /// The deepest nesting that [`Limits::nesting`] can be set to, so that the recursion's stack stays bounded.
    pub const MAX_NESTING: u32 = 100;

    /// Name, value and meaning of each limit, for help texts and reports.
    pub fn list(&self) -> [(&'static str, u64, &'static str); 7] {
        [
            ("nesting", self.nesting.into(), "protobuf messages inside one another"),
            ("tensor-rank", self.tensor_rank.into(), "axes of a stored tensor"),
            ("shape-rank", self.shape_rank.into(), "entries of any other shape"),
            ("functions", self.functions, "function records"),
            ("variables", self.variables, "variable records"),
            ("findings", self.findings.into(), "findings kept"),
            ("memory", self.memory, "bytes allocated for what is kept"),
        ]
    }

    /// Sets a limit by its name in [`Limits::list`]. False if there is no such limit or the value is out of its range.
    #[must_use]
    pub fn set(&mut self, name: &str, value: u64) -> bool {
        match (name, u32::try_from(value)) {
            ("nesting", Ok(n)) if n <= Self::MAX_NESTING => self.nesting = n,
            ("tensor-rank", Ok(n)) => self.tensor_rank = n,
            ("shape-rank", Ok(n)) => self.shape_rank = n,
            ("functions", _) => self.functions = value,
            ("variables", _) => self.variables = value,
            ("findings", Ok(n)) => self.findings = n,
            ("memory", _) => self.memory = value,
            _ => return false,
        }
        true
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            nesting: Self::MAX_NESTING,
            tensor_rank: 12,
            shape_rank: 256,
            functions: 4_000_000,
            variables: 4_000_000,
            findings: 1000,
            memory: 4 << 30,
        }
    }
}

/// The rest of [`Limits::memory`] while a file is parsed.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    left: u64,
    max: u64,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { left: limits.memory, max: limits.memory }
    }

    /// Spends the memory of `count` values of type `T`.
    pub(crate) fn spend<T>(&mut self, count: usize, at: u64) -> Result<(), Error> {
        let bytes = (count as u64).saturating_mul(size_of::<T>() as u64);
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Error::new(
                ErrorKind::Limit {
                    limit: "memory",
                    value: self.max.saturating_sub(self.left).saturating_add(bytes),
                    max: self.max,
                },
                at,
            )),
        }
    }
}
