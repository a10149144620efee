//! Compares texts with those recorded in the repository.

use std::path::Path;
use std::{env, fs};

/// Fails if `made` is not the text recorded in the file, and shows the differing lines and how to record the new text.
/// With `BLESS=1`, records it.
///
/// # Panics
///
/// The texts differ, or the file cannot be written.
#[track_caller]
pub fn check(path: impl AsRef<Path>, made: &str) {
    let path = path.as_ref();
    if env::var_os("BLESS").is_some() {
        fs::write(path, made).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        return;
    }
    let recorded = fs::read_to_string(path).unwrap_or_default();
    if recorded == made {
        return;
    }
    panic!(
        "{} is not what the code says now:\n{}\nBLESS=1 records the new text",
        path.display(),
        differences(&recorded, made)
    );
}

/// The most lines that are shown.
const SHOWN: usize = 20;

/// The differing lines of both texts, from the first difference on.
fn differences(recorded: &str, made: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (recorded.lines().collect(), made.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[same..], &new[same..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    let mut lines = vec![format!("from line {} on", same + 1)];
    for (sign, part) in [('-', old), ('+', new)] {
        lines.extend(part.iter().take(SHOWN).map(|line| format!("{sign} {line}")));
        if part.len() > SHOWN {
            lines.push(format!("{sign} … {} more lines", part.len() - SHOWN));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::differences;

    #[test]
    fn what_differs_is_shown_with_its_line() {
        assert_eq!(differences("a\nb\nc\n", "a\nx\ny\nc\n"), "from line 2 on\n- b\n+ x\n+ y");
        assert_eq!(differences("", "a\n"), "from line 1 on\n+ a");
    }
}
