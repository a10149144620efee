#!/usr/bin/env python3
"""Converts recorded cases with `cntk2onnx convert --to pytorch`, imports the modules and compares their numbers with CNTK's.

  torch_check.py --tool BIN CASES_DIR... [--only PATTERN] [--known FILE [--bless]] [--lint] [--gradients FOLDER]

Needs torch (any version from 1.13), numpy and safetensors. Each case is converted with `--outputs all`; then
  - `load()` must load strictly and give a module in eval mode, whose `state_dict` is what the file holds;
  - everything that report.json calls trainable must be a parameter that requires a gradient;
  - forward must give what CNTK gave within the valid length of every sequence, the padding of ragged inputs being NaN;
  - so must the module that torch.jit.script makes of it;
  - converted by `.double()` it must give that in double precision, and `.half()` and `.bfloat16()` must run, too, as far as
    this torch has kernels for them;
  - the tests in test_model.py must pass, those against CNTK's numbers included, which `--record` was given.
Random ops are only converted and loaded. Exit 3 is a refusal: it counts as a failure unless the list of known ones has it.

--export also counts the modules that torch.export (torch 2) takes with the same numbers, and says which it does not.

--gradients compares gradients with those that CNTK computed (generate/gradients.py). --lint runs `ruff format --check`,
`ruff check` and `mypy --strict` over the modules, where those programs are installed. mypy is left out with torch 1.x,
whose annotations it no longer follows.

With --known the exit status says whether exactly the listed cases fail; without, whether all pass.
"""
import argparse
import contextlib
import fnmatch
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from harness import emitted
from harness.case import Case, cases_in
from harness.known import KnownFailures

CONVERT_SECONDS = 30
FILES = {"__init__.py", "model.py", "test_model.py", "report.json", "model.safetensors", "reference.safetensors"}


class Fail(Exception):
    pass


def convert(tool, model, out, *options):
    done = subprocess.run([tool, "convert", str(model), "--to", "pytorch", "-o", str(out), "--outputs", "all", *options],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=CONVERT_SECONDS)
    if done.returncode:
        if out.exists():
            raise Fail("exit %d, but something was left" % done.returncode)
        said = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise Fail("exit %d: %s" % (done.returncode, said[:200]))
    if set(os.listdir(out)) != FILES:
        raise Fail("files are %s" % sorted(os.listdir(out)))


def load(folder):
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    net = module.load(folder / "model.safetensors")
    report = json.loads((folder / "report.json").read_text())
    if net.training:
        raise Fail("load() gives a module in training mode")
    stored, held = load_file(folder / "model.safetensors"), net.state_dict()
    if set(stored) != set(held) or any(not torch.equal(stored[k], held[k]) and stored[k].isfinite().all() for k in stored):
        raise Fail("the state_dict is not what the file holds")
    parameters = dict(net.named_parameters())
    for key in report["trainable"]:
        if key not in parameters or not parameters[key].requires_grad:
            raise Fail("%s is not trainable" % key)
    return net, report


def feed(case, arrays, report):
    by_uid = case.paired(case.inputs, report["inputs"])
    given = {}
    for i in report["inputs"]:
        v = by_uid[i["uid"]]
        a = arrays[v.array].copy()
        if v.lengths and a.dtype.kind == "f":
            for b, n in enumerate(arrays[v.lengths]):
                a[b, n:] = np.nan
        given[i["argument"]] = torch.from_numpy(a)
    for i in report["lengths"]:
        v = by_uid[i["input"]]
        a = arrays[v.array]
        n = arrays[v.lengths] if v.lengths else np.full(a.shape[0], a.shape[1])
        given[i["argument"]] = torch.from_numpy(np.asarray(n, np.int64))
    return given


def compare(case, arrays, report, made):
    by_uid = case.paired(case.outputs, report["outputs"])
    order = [by_uid[o["uid"]].key if o["uid"] in by_uid else None for o in report["outputs"]]
    for v in case.outputs:
        if v.array is None:
            continue
        got, want = made[order.index(v.key)].numpy().astype(np.float64), arrays[v.array].astype(np.float64)
        pairs = [(got, want)]
        if v.has_sequence:
            n = arrays[v.lengths] if v.lengths else np.full(want.shape[0], want.shape[1])
            if got.shape[0] != want.shape[0] or got.shape[2:] != want.shape[2:] or got.shape[1] < max(n):
                raise Fail("%s is %s, not %s" % (v.uid, list(got.shape), list(want.shape)))
            pairs = [(got[b, :k], want[b, :k]) for b, k in enumerate(n)]
        elif got.shape != want.shape:
            raise Fail("%s is %s, not %s" % (v.uid, list(got.shape), list(want.shape)))
        for x, y in pairs:
            if not np.allclose(x, y, rtol=case.rtol, atol=case.atol, equal_nan=True):
                raise Fail("%s differs by %.3g" % (v.uid, np.nanmax(np.abs(x - y))))


def run(tool, case, out):
    """Raises what is wrong; the module, its arguments and its report, if its numbers are known."""
    if not case.deterministic:
        convert(tool, case.model, out)
        load(out)
        return None
    arrays = np.load(case.folder / (case.name + ".npz"))
    record = emitted.record(case, arrays, out.with_name("record"))
    convert(tool, case.model, out, "--record", str(record))
    net, report = load(out)
    given = feed(case, arrays, report)
    agree(net, given, case, arrays, report)
    agree(torch.jit.script(net), given, case, arrays, report)
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        converted(out, net, given, dtype)
    emitted.run_tests(out)
    return net, given, report


def agree(net, given, case, arrays, report):
    with torch.no_grad():
        made = net(**given)
    compare(case, arrays, report, made if isinstance(made, tuple) else (made,))


def converted(out, net, given, dtype):
    """The module in another precision: outputs of that type, in double those of the module as it was."""
    if dtype == torch.bfloat16 and torch.__version__.startswith("1."):
        # This torch mistakes the channels of transposed convolutions in that type.
        if re.search("ConvTranspose|conv_transpose", (out / "model.py").read_text()):
            return
    other = load(out)[0].to(dtype)
    with torch.no_grad():
        expected = net(**given)
        try:
            made = other(**{k: v.to(dtype) if v.is_floating_point() else v for k, v in given.items()})
        except RuntimeError as e:
            if "not implemented for" in str(e) and dtype != torch.float64:
                return
            raise Fail("as %s: %s" % (dtype, str(e)[:160])) from e
    types = {v.dtype for v in given.values() if v.is_floating_point()}
    pair = [v if isinstance(v, tuple) else (v,) for v in (expected, made)]
    for i, (a, b) in enumerate(zip(*pair)):
        # What the model itself casts to another type than its inputs' stays so.
        cast = a.dtype == torch.float16 or (types and a.dtype not in types)
        if a.is_floating_point() and b.dtype != dtype and not (cast and b.dtype == a.dtype):
            raise Fail("as %s, output %d is %s" % (dtype, i, b.dtype))
        if dtype == torch.float64:
            near = 1e-2 if a.dtype == torch.float16 else 1e-4
            size = a[a.isfinite()].abs().max().item() if a.isfinite().any() else 0.0
            torch.testing.assert_close(b.double(), a.double(), rtol=near, atol=near * max(size, 0.1), equal_nan=True)


def export(case, net, given, report):
    """Why torch.export does not take the module, or None."""
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            program = torch.export.export(net, (), given).module()
        agree(program, given, case, np.load(case.folder / (case.name + ".npz")), report)
    except Exception as e:
        return "%s: %s" % (type(e).__name__, " ".join(str(e).split())[:120])


def gradients(tool, folder, scratch):
    """How many models' gradients agree, and complaints. A case: NAME.model, NAME.npz with inputs, and gradients by uid."""
    good, complaints = 0, []
    for path in sorted(folder.glob("*.model")):
        out = scratch / (path.stem + "_gradients")
        try:
            convert(tool, path, out)
            net, report = load(out)
            arrays = np.load(path.with_suffix(".npz"))
            given = {i["argument"]: torch.from_numpy(arrays["input:" + i["name"]]) for i in report["inputs"]}
            for i in report["lengths"]:
                name = next(v["name"] for v in report["inputs"] if v["uid"] == i["input"])
                given[i["argument"]] = torch.from_numpy(arrays["lengths:" + name])
            made = net(**given)
            (made[0] if isinstance(made, tuple) else made).sum().backward()
            values = {k: p.grad for k, p in net.named_parameters() if p.grad is not None}
            worst = 0.0
            for parameter in report["parameters"]:
                if parameter["key"] in report["trainable"]:
                    worst = max(worst, disagreement(parameter, values[parameter["key"]], arrays))
            if worst > 1e-4:
                raise Fail("gradients differ by %.2g" % worst)
            good += 1
            print("gradients of %-24s agree to %.1e" % (path.stem, worst))
        except Exception as e:
            complaints.append("gradients of %s: %s: %s" % (path.stem, type(e).__name__, e))
    return good, complaints


def disagreement(parameter, got, arrays):
    """The largest difference, by the largest element; the layouts that report.json may mean are tried."""
    want = arrays["gradient:" + parameter["uid"]].astype(np.float64)
    got = got.numpy().astype(np.float64)
    candidates = [want.reshape(got.shape)] if want.size == got.size else []
    if want.ndim >= 2 and want.size == got.size:
        candidates.append(want.reshape(-1, want.shape[-1]).T.reshape(got.shape))
    if parameter["layout"].startswith("gates") and want.size == got.size:
        candidates += [regated(want, got.shape, order) for order in ([0, 2, 1, 3], [0, 1, 2])]
    scale = max(np.abs(want).max(), 1e-6)
    return min(np.abs(got - c).max() / scale for c in candidates if c is not None)


def regated(want, shape, order):
    """CNTK's gates (in columns) as rows in PyTorch's order."""
    rows = want.T if want.ndim == 2 else want
    if rows.shape[0] % len(order):
        return None
    blocks = np.split(rows, len(order))
    return np.concatenate([blocks[i] for i in order]).reshape(shape)


def lint(folder):
    """Complaints of the programs that are installed."""
    complaints, ran = [], []
    jobs = [["ruff", "format", "--check", "."], ["ruff", "check", "."]]
    if not torch.__version__.startswith("1."):
        jobs.append(["mypy", "--strict", "--no-error-summary"] + sorted(p.name for p in folder.glob("*.py")))
    for job in jobs:
        program = shutil.which(job[0]) or shutil.which(job[0], path=os.path.dirname(sys.executable))
        if program:
            done = subprocess.run([program] + job[1:], cwd=folder, capture_output=True, text=True)
            ran.append(" ".join(job[:2]))
            if done.returncode:
                complaints.append("%s: %s" % (" ".join(job[:2]), (done.stdout + done.stderr)[-2000:]))
    print("lint: " + (", ".join(ran) or "nothing is installed"))
    return complaints


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("cases", nargs="+", metavar="CASES_DIR")
    p.add_argument("--tool", required=True, help="the cntk2onnx binary")
    p.add_argument("--only", help="glob or substring of case names")
    p.add_argument("--known", type=Path, help="list of the cases that are expected to fail")
    p.add_argument("--bless", action="store_true", help="rewrite that list")
    p.add_argument("--gradients", type=Path, help="folder of recorded gradients")
    p.add_argument("--export", action="store_true", help="count the modules that torch.export takes")
    p.add_argument("--lint", action="store_true", help="check the modules' style and types")
    options = p.parse_args()
    tool = os.path.abspath(options.tool)
    known = KnownFailures(options.known)
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    failed, passed, complaints, exported, existing = [], [], [], [], set()
    with tempfile.TemporaryDirectory(prefix="cntk2onnx-") as scratch:
        scratch = Path(scratch)
        (scratch / "lint").mkdir()
        for folder in options.cases:
            for name in cases_in(folder):
                case = Case(Path(folder).resolve(), name)
                existing.add(case.id)
                if options.only and not (fnmatch.fnmatch(name, options.only) or options.only in case.id):
                    continue
                out = scratch / "module"
                try:
                    made = run(tool, case, out)
                    passed.append(case.id)
                    if options.export and made:
                        exported.append((case.id, export(case, *made)))
                    if options.lint and case.folder.name == "zoo":
                        shutil.copy(out / "model.py", scratch / "lint" / ("m_%s.py" % name))
                except Exception as e:
                    failed.append(case.id)
                    if not known.lists(case.id, 0):
                        print("FAIL %s: %s: %s" % (case.id, type(e).__name__, " ".join(str(e).split())[:200]))
                shutil.rmtree(out, ignore_errors=True)
        if options.gradients:
            good, more = gradients(tool, options.gradients, scratch)
            print("%d models' gradients agree" % good)
            complaints += more
        if options.lint:
            complaints += lint(scratch / "lint")
    for id, why in exported:
        if why:
            print("not exported: %s: %s" % (id, why))
    if options.export:
        print("torch.export takes %d of %d modules" % (sum(not why for _, why in exported), len(exported)))
    for c in complaints:
        print("FAIL " + c)
    print("%d of %d cases match (torch %s)" % (len(passed), len(passed) + len(failed), torch.__version__))
    if not options.known:
        return 1 if failed or complaints else 0
    if options.bless:
        known.bless(failed, passed, existing)
    return known.tell(known.disagreements(failed, passed, existing, 0)) or (1 if complaints else 0)


if __name__ == "__main__":
    sys.exit(main())
