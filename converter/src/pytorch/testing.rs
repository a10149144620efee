//! `test_model.py`: what can be checked of the emitted module without CNTK.

use super::emit::Emission;

const TEXT: &str = r#""""Checks model.py: strict loading, gradients, and the numbers of reference.safetensors.

Run it with pytest, or as a program. reference.safetensors holds inputs ("input.NAME");
outputs that are added to it ("output.0", "output.1", ...) are compared too.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from model import load

HERE = Path(__file__).parent


def reference() -> tuple[dict[str, Tensor], dict[int, Tensor]]:
    inputs, outputs = {}, {}
    for key, value in load_file(HERE / "reference.safetensors").items():
        kind, name = key.split(".", 1)
        if kind == "input":
            inputs[name] = value
        else:
            outputs[int(name)] = value
    return inputs, outputs


def run(inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
    made = load()(**inputs)
    return made if isinstance(made, tuple) else (made,)


def test_outputs() -> None:
    inputs, outputs = reference()
    with torch.no_grad():
        made = run(inputs)
    for i, expected in outputs.items():
        torch.testing.assert_close(made[i], expected, rtol=1e-4, atol=1e-5)


def test_state_dict_round_trip() -> None:
    model = load()
    stored = load_file(HERE / "model.safetensors")
    assert set(model.state_dict()) == set(stored)
    for key, value in model.state_dict().items():
        assert torch.equal(value, stored[key]), key


def test_gradients() -> None:
    inputs, _ = reference()
    model = load()
    made = model(**inputs)
    made = made if isinstance(made, tuple) else (made,)
    total = sum(y.float().sum() for y in made if y.requires_grad)
    if isinstance(total, Tensor):
        total.backward()  # type: ignore[no-untyped-call]
    for key, parameter in model.named_parameters():
        if not parameter.requires_grad:
            assert parameter.grad is None, key


if __name__ == "__main__":
    test_outputs()
    test_state_dict_round_trip()
    test_gradients()
    print("ok")
"#;

pub(super) fn test(_: &Emission<'_, '_, '_, '_>) -> String {
    TEXT.to_owned()
}
