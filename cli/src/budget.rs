//! `--max-work-per-sample` and `--max-activation` refuse models that are too expensive to serve.

use cntk_parser::model::ValidatedModel;
use cntk2onnx::Cost;

/// Limits on the cost of one evaluation.
#[derive(Clone, Copy, clap::Args)]
pub struct Budget {
    /// Refuse a model that takes more multiply-adds for a sample
    #[arg(long, global = true, value_name = "N", help_heading = "Limits", hide_short_help = true)]
    pub max_work_per_sample: Option<u64>,
    /// Refuse a model whose values take more bytes at once, for a sample, parameters not counted
    #[arg(long, global = true, value_name = "BYTES", help_heading = "Limits", hide_short_help = true)]
    pub max_activation: Option<u64>,
    /// Steps of a sample's sequences, for these two
    #[arg(long, global = true, value_name = "N", help_heading = "Limits", hide_short_help = true, default_value_t = 1)]
    pub budget_steps: u64,
}

impl Budget {
    /// The reason why a model exceeds the limits; `None` if it does not.
    pub fn refuses(&self, model: &ValidatedModel<'_>) -> Option<String> {
        if self.max_work_per_sample.is_none() && self.max_activation.is_none() {
            return None;
        }
        let cost = Cost::of(model);
        if cost.unknown > 0 {
            return Some(format!(
                "{} functions have sizes that are known only at run time: no budget holds",
                cost.unknown
            ));
        }
        let over = |what: &str, needs: u64, most: Option<u64>| {
            most.filter(|most| needs > *most)
                .map(|most| format!("a sample takes {needs} {what}, over the budget of {most}"))
        };
        over("multiply-adds", cost.multiply_adds.at(1, self.budget_steps), self.max_work_per_sample)
            .or_else(|| over("bytes of values", cost.peak_activation(1, self.budget_steps), self.max_activation))
    }

    /// The options as words of a command line.
    pub fn words(&self) -> Vec<String> {
        let mut words = vec![format!("--budget-steps={}", self.budget_steps)];
        words.extend(self.max_work_per_sample.map(|n| format!("--max-work-per-sample={n}")));
        words.extend(self.max_activation.map(|n| format!("--max-activation={n}")));
        words
    }
}
