"""Evaluation, against the numbers that CNTK gave."""

import json
from pathlib import Path

import numpy as np
import pytest

import cntk2onnx


def names(variables: list[dict[str, str]]) -> list[str]:
    given = [v["name"] for v in variables]
    return [v["name"] if v["name"] and given.count(v["name"]) == 1 else v["uid"] for v in variables]


def test_numbers_are_those_of_cntk(corpus: Path) -> None:
    for path in sorted((corpus / "zoo").glob("*.model"))[:20]:
        case = json.loads(path.with_suffix(".json").read_text())
        if case.get("deterministic") is False:
            continue
        arrays = np.load(path.with_suffix(".npz"))
        keys = names(case["inputs"] + case["outputs"])
        inputs, lengths = {}, {}
        for variable, key in zip(case["inputs"], keys, strict=False):
            inputs[key] = arrays[variable["array"]]
            if variable["lengths"]:
                lengths[key] = arrays[variable["lengths"]]
        made = cntk2onnx.load(path).eval(inputs, lengths, outputs="all")
        for variable, key in zip(case["outputs"], keys[len(case["inputs"]) :], strict=True):
            wanted = arrays[variable["array"]]
            assert made[key].dtype == wanted.dtype, path.name
            if not variable["lengths"]:
                np.testing.assert_allclose(made[key], wanted, rtol=1e-3, atol=1e-4, err_msg=path.name)


def test_what_does_not_suit_is_a_value_error(resnet: Path) -> None:
    model = cntk2onnx.load(resnet)
    name = model.inputs[0].name or model.inputs[0].uid
    good = np.zeros([1, *model.inputs[0].shape], np.float32)
    with pytest.raises(ValueError, match=name):
        model.eval({})
    with pytest.raises(ValueError, match=name):
        model.eval({name: good[..., :-1]})
    with pytest.raises(ValueError, match="no input"):
        model.eval({name: good, "other": good})
    with pytest.raises(ValueError, match="the limits are work, memory"):
        model.eval({name: good}, limits={"time": 1})
    with pytest.raises(ValueError):
        model.eval({name: good}, limits={"work": 10})
