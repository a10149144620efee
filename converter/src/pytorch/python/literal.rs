//! Numbers as Python literals.

/// The shortest literal that gives the same number in the type.
pub(crate) fn number(value: f64, single: bool) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "what does not fit the type is infinite in it")]
    let single = single.then_some(value as f32);
    let held = single.map_or(value, f64::from);
    if held.is_nan() {
        return "float(\"nan\")".to_owned();
    }
    if held.is_infinite() {
        return format!("{}float(\"inf\")", if held < 0.0 { "-" } else { "" });
    }
    single.map_or_else(|| format!("{value:?}"), |single| format!("{single:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_exact() {
        assert_eq!(number(f64::from(0.1f32), true), "0.1");
        assert_eq!(number(1.0, true), "1.0");
        assert_eq!(number(1e300, true), "float(\"inf\")");
        assert_eq!(number(1e-7, false), "1e-7");
        assert_eq!(number(1e20, false), "1e20");
    }
}
