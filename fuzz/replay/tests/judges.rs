//! Tests of the checkers: the meter and the reader of Python detect what they are meant to detect.

use cntk_fuzz::meter::{Bound, within};
use cntk_fuzz::python::check;
use std::panic::catch_unwind;

const BOUND: Bound = Bound { factor: 0, constant: 1000, nanoseconds: 0 };

#[test]
fn what_is_freed_again_counts_at_its_peak() {
    assert_eq!(within(BOUND, &[], || vec![0_u8; 900].len()), 900);
}

#[test]
#[should_panic(expected = "bytes of heap")]
fn more_than_the_bound_is_noticed() {
    within(BOUND, &[], || drop(vec![0_u8; 1100]));
}

const MODULE: &str = r#""""Documentation."""

from torch import Tensor, nn


class M(nn.Module):
    k: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("k", 1)
        self.a = nn.Linear(3, 2, bias=False)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        u, v = self.a(x), [n + 1e-5 for n in range(3)]
        return self.k * u + v  # a remark
"#;

#[test]
fn members_of_a_class_are_found() {
    let held = &check(MODULE)["M"];
    assert!(["a", "k", "forward"].iter().all(|name| held.contains(name)), "{held:?}");
}

const TEST: &str = r#"import unittest

if __package__:
    from .model import load
else:
    from model import load


def made() -> None:
    return load()
"#;

#[test]
fn what_a_condition_imports_is_bound() {
    check(TEST);
    for (from, to) in [("from .model", "from ..model"), ("from .model", "from .os"), ("import load", "import other")] {
        assert!(TEST.contains(from), "{from}");
        let bad = TEST.replace(from, to);
        assert!(catch_unwind(|| drop(check(&bad))).is_err(), "{to:?} passes");
    }
}

#[test]
fn unsound_python_is_noticed() {
    for (from, to) in [
        ("self.a(x)", "self.b(x)"),
        ("self.a(x)", "self.a(w)"),
        ("self.a(x)", "self.a(x"),
        ("self.a(x)", "eval(x)"),
        ("self.a(x)", "x.__class__"),
        ("from torch", "from os"),
        ("u, v =", "u ="),
        ("\"k\"", "\"\\x41\""),
        ("# a remark", "# \u{202e}"),
        ("        return", "       return"),
    ] {
        assert!(MODULE.contains(from), "{from}");
        let bad = MODULE.replace(from, to);
        assert!(catch_unwind(|| drop(check(&bad))).is_err(), "{to:?} passes");
    }
}
