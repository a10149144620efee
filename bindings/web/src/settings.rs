//! The settings of the page.

use cntk_parser::{Limits, ValidateOptions};
use cntk2onnx::{Options, Outputs};

/// How files are checked and converted.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What a file may ask for.
    pub limits: Limits,
    /// How it is checked.
    pub validation: ValidateOptions,
    /// How it is converted.
    pub options: Options,
    /// Look at all weights of a large file, too.
    pub weights: bool,
}

impl Settings {
    /// Reads lines `name=value`: `opset`, `outputs` (`inference` or `all`), `allow-udf`, `weights` (`yes` or `no`), and the limits
    /// by name.
    ///
    /// # Errors
    ///
    /// A line that does not have this form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut settings = Self {
            limits: Limits::default(),
            validation: ValidateOptions::default(),
            options: Options::default(),
            weights: false,
        };
        for line in text.lines().filter(|line| !line.is_empty()) {
            line.split_once('=').and_then(|(name, value)| settings.set(name, value)).ok_or_else(|| refuse(line))?;
        }
        settings.validation.findings = settings.limits.findings;
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let yes = || (["yes", "no"].contains(&value)).then_some(value == "yes");
        match name {
            "opset" => self.options.opset = value.parse().ok().filter(|n| Options::OPSETS.contains(n))?,
            "outputs" if value == "all" => self.options.outputs = Outputs::All,
            "outputs" if value == "inference" => self.options.outputs = Outputs::Inference,
            "allow-udf" => self.validation.allow_udf = yes()?,
            "weights" => {
                self.weights = yes()?;
                self.validation.scan_weights = self.weights;
            }
            limit => return self.limits.set(limit, value.parse().ok()?).then_some(()),
        }
        Some(())
    }
}

fn refuse(line: &str) -> String {
    format!("this setting cannot be used: {line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_those_of_the_library() {
        let settings = Settings::parse("opset=21\noutputs=all\nfunctions=7\nfindings=3\nallow-udf=yes\n").unwrap();
        assert_eq!((settings.options.opset, settings.limits.functions), (21, 7));
        assert_eq!(settings.options.outputs, Outputs::All);
        assert!(settings.validation.allow_udf && settings.validation.findings == 3);
        for wrong in ["opset=12", "opset", "outputs=x", "weights=1", "nesting=101", "other=3"] {
            assert!(Settings::parse(wrong).unwrap_err().ends_with(wrong));
        }
    }
}
