//! State that is passed along while a file is read, besides the model.

use crate::limits::{Budget, Limits};
use crate::report::{Finding, Severity};

/// State that is passed along while a file is read, besides the model.
pub(crate) struct Context<'l> {
    pub(crate) limits: &'l Limits,
    pub(crate) budget: Budget,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) more_warnings: u64,
}

impl<'l> Context<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self { limits, budget: Budget::new(limits), warnings: Vec::new(), more_warnings: 0 }
    }

    #[cold]
    pub(crate) fn warn(&mut self, rule: &'static str, offset: u64, path: String, message: String) {
        if self.warnings.len() < self.limits.findings as usize {
            self.warnings.push(Finding { rule, severity: Severity::Warning, offset, path, message });
        } else {
            self.more_warnings = self.more_warnings.saturating_add(1);
        }
    }
}
