"""What a module written with --check-inputs refuses: check_inputs.py PROGRAM CORPUS."""

import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

import torch


def refuses(module, text, *arguments, **keywords):
    """The module and its compiled form refuse the arguments, and say this."""
    for form in [module, torch.jit.script(module)]:
        try:
            form(*arguments, **keywords)
        except Exception as error:  # torch.jit.Error is no ValueError
            assert text in str(error), error
        else:
            raise AssertionError(f"accepted, although: {text}")


def sequences(load):
    # The model leaves out steps whose sum is not positive, and cannot do without any.
    x = torch.rand(2, 3, 4) + 0.1
    x[1, 2] = float("nan")
    lengths = torch.tensor([3, 2])
    module = load()
    assert torch.isfinite(module(x, lengths)).all(), "padding may hold anything"
    assert torch.equal(torch.jit.script(module)(x, lengths), module(x, lengths))
    refuses(module, "NaN or infinity", x)
    refuses(module, "NaN or infinity", x - float("inf"), lengths)
    refuses(module, "floating-point", torch.zeros(2, 3, 4).long())
    refuses(module, "does not fit", torch.zeros(2, 3, 5))
    refuses(module, "does not fit", torch.zeros(3, 4))
    refuses(module, "from 1 to 3", x, torch.tensor([3, 4]))
    refuses(module, "from 1 to 3", x, torch.tensor([0, 2]))
    refuses(module, "for each sample", x, torch.tensor([3]))
    refuses(module, "for each sample", x, torch.tensor([3.0, 2.0]))
    refuses(load(max_steps=2), "does not fit", x, lengths)
    assert load(check_inputs=False)(x, torch.tensor([3, 3])).shape == (2, 2)


def samples(load):
    a, b = torch.zeros(3, 1, 14, 14), torch.zeros(2, 1, 14, 14)
    module = load()
    module(a, a)
    refuses(module, "does not fit", a, b)


def indices(load):
    at = torch.tensor([[0.0, 3.0]])
    module = load()
    module(at)
    refuses(module, "index that is not from 0 to 3", at - 1)
    refuses(module, "index that is not from 0 to 3", at + 1)


def main():
    program, corpus = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        for case, check in CASES.items():
            name = Path(case).name
            model, out = corpus / f"{case}.model", Path(folder, name)
            arguments = [model, "--to", "pytorch", "--check-inputs", "-o", out]
            subprocess.run([program, "convert", *arguments], check=True)
            subprocess.run([sys.executable, out / "test_model.py"], check=True)
            check(importlib.import_module(name).load)


CASES = {
    "zoo/sequence_filter_gather": sequences,
    "zoo/siamese_shared_weights": samples,
    "attributes/gather_axis_0": indices,
}

if __name__ == "__main__":
    main()
