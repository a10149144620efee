"""Checks model.py with the tensors of reference.safetensors: "input.NAME" goes in.

Where there are "output.0", "output.1", ..., recorded from CNTK or computed by the converter's
evaluator, they have to come out, as far as "steps.0", ... say that a sequence is valid. Run it with pytest, or as a program.
"""

import unittest
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

if __package__:
    from .model import load
else:
    # Run as a program, or with this directory on the path.
    from model import load

HERE = Path(__file__).parent
CONSTANTS


def reference(kind: str) -> dict[str, Tensor]:
    stored = load_file(HERE / "reference.safetensors")
    return {
        key.split(".", 1)[1]: value
        for key, value in stored.items()
        if key.startswith(kind)
    }


def inputs() -> dict[str, Tensor]:
    found = reference("input.")
    if ARGUMENTS and not found:
        raise unittest.SkipTest(
            "reference.safetensors holds no inputs: they would be large"
        )
    return found


def run(model: nn.Module, given: dict[str, Tensor]) -> tuple[Tensor, ...]:
    made = model(**given)
    return made if isinstance(made, tuple) else (made,)


def assert_same(made: Tensor, expected: Tensor, steps: Tensor | None = None) -> None:
    """Equal within TOLERANCE of the largest number, on the valid steps."""
    assert made.dtype == expected.dtype, made.dtype
    if steps is not None:
        made = torch.cat(
            [x[:n].flatten() for x, n in zip(made, steps.tolist(), strict=True)]
        )
        expected = torch.cat(
            [x[:n].flatten() for x, n in zip(expected, steps.tolist(), strict=True)]
        )
    largest = max(expected[expected.isfinite()].abs().double().tolist(), default=0.0)
    torch.testing.assert_close(
        made, expected, rtol=TOLERANCE, atol=TOLERANCE * largest, equal_nan=True
    )


def test_state_dict_round_trip() -> None:
    model = load()
    stored = load_file(HERE / "model.safetensors")
    assert set(model.state_dict()) == set(stored)
    model.load_state_dict(
        {key: torch.zeros_like(value) for key, value in stored.items()}
    )
    model.load_state_dict(stored)
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, stored[key], rtol=0, atol=0, equal_nan=True)


def test_shapes() -> None:
    given = inputs()
    with torch.no_grad():
        made = run(load(), given)
    for value, sizes in zip(made, SHAPES, strict=False):
        assert value.dim() == len(sizes), value.shape
        for size, expected in zip(value.shape, sizes, strict=True):
            assert not isinstance(expected, int) or size == expected, value.shape


def main() -> None:
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            try:
                test()
                print(name, "passed")
            except unittest.SkipTest as reason:
                print(name, "NOT CHECKED:", reason)
