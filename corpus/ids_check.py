#!/usr/bin/env python3
"""Converts recorded cases with `--ids` for each input that was given one-hot rows, and compares with CNTK's own numbers.

  ids_check.py --tool BIN --to onnx|pytorch CASES_DIR... [--only PATTERN] [--every N]

The indices of the recorded rows go in (-1 where a row is zero), padding being indices that are out of range. ONNX runs in ONNX
Runtime; a module runs as it is, compiled, in double precision, and with the tests beside it. The exit status says whether all agree.
"""
import subprocess
import sys

import numpy as np

from harness.each import check_each, parser

SECONDS = 30
# What padding may hold.
NOTHING = (10**15, -1, -7)


def indices(array):
    """The indices of one-hot rows, None if some row is neither one-hot nor zero."""
    if array.ndim < 2 or array.shape[-1] < 2 or not np.isin(array, (0, 1)).all():
        return None
    count = array.sum(-1)
    if (count > 1).any() or not (count == 1).any():
        return None
    return np.where(count == 1, array.argmax(-1), -1).astype(np.int64)


def as_ids(case, arrays):
    """Puts indices in the place of one-hot rows, and gives the uids of the inputs that have them now."""
    uids = []
    for v in case.inputs:
        given = arrays[v.array]
        static = given.ndim - v.has_batch - v.has_sequence
        ids = indices(given) if static > 0 and not any(o.uid == v.uid for o in case.outputs) else None
        if ids is None:
            continue
        if v.lengths:
            for b, n in enumerate(arrays[v.lengths]):
                ids[b, n:] = NOTHING[b % len(NOTHING)]
        arrays[v.array], v.dtype = ids, "int64"
        uids.append(v.key)
    return uids


def in_onnx_runtime(tool, case, scratch):
    import onnx
    import onnxruntime
    from harness.run import Run
    arrays = case.arrays()
    uids = as_ids(case, arrays)
    if not uids:
        return False
    path = scratch / "m.onnx"
    command = [tool, "convert", str(case.model), "-o", str(path), "--force", "--outputs", "all", "--ids", ",".join(uids)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode == 3 and case.may_be_refused:
        return False
    assert done.returncode == 0, done.stderr[-200:]
    onnx.checker.check_model(str(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    Run(onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"]), case, arrays, True).compare_all()
    return True


def in_pytorch(tool, case, scratch):
    import torch
    import torch_check
    from harness import emitted
    arrays = case.arrays()
    record = emitted.record(case, arrays, scratch / "record")
    uids = as_ids(case, arrays)
    if not uids:
        return False
    out = scratch / case.name
    try:
        torch_check.convert(tool, case.model, out, "--record", str(record), "--ids", ",".join(uids))
    except torch_check.Fail as refusal:
        if case.may_be_refused and str(refusal).startswith("exit 3"):
            return False
        raise
    net, report = torch_check.load(out)
    given = torch_check.feed(case, arrays, report)
    torch_check.agree(net, given, case, arrays, report)
    torch_check.agree(torch.jit.script(net), given, case, arrays, report)
    torch_check.converted(out, net, given, torch.float64)
    emitted.run_tests(out)
    return True


def main():
    p = parser(__doc__)
    p.add_argument("--to", choices=["onnx", "pytorch"], required=True)
    options = p.parse_args()
    return check_each(options, in_onnx_runtime if options.to == "onnx" else in_pytorch, "with indices")


if __name__ == "__main__":
    sys.exit(main())
