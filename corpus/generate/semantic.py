"""Makes cases of generated models: what does CNTK 2.7 compute for them? Runs under CNTK 2.7.

  cargo run --release --manifest-path fuzz/Cargo.toml --example generate -- MODELS 0 1000 runnable
  cntkpy corpus/generate/semantic.py MODELS
  corpus/conformance.py --tool BIN MODELS --ops

Each model NAME.model of the folder gets NAME.npz and NAME.json beside it. A model that CNTK will not load or evaluate, or
whose numbers are not finite, gets none, and is counted with CNTK's reason. Workers die on some models: each model has a
process of its own.
"""
import collections
import json
import os
import subprocess
import sys

import numpy as np

LENGTHS = (3, 5, 1)
SECONDS = 60


def main(folder):
    """Records every model of the folder and says what became of them."""
    outcomes = collections.Counter()
    for name in sorted(n[:-6] for n in os.listdir(folder) if n.endswith(".model")):
        try:
            done = subprocess.run([sys.executable, __file__, folder, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS)
            outcome = "recorded" if done.returncode == 0 else reason(done)
        except subprocess.TimeoutExpired:
            outcome = "no answer"
        outcomes[outcome] += 1
        if outcome != "recorded":
            print("%s: %s" % (name, outcome), flush=True)
    for outcome, count in outcomes.most_common():
        print("%5d  %s" % (count, outcome))


def reason(done):
    """The last line that says something."""
    if done.returncode < 0:
        return "signal %d" % -done.returncode
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "Error" in line or "Refused" in line]
    return lines[-1][:160] if lines else "exit %d" % done.returncode


def record(folder, name):
    """Evaluates one model on fixed data."""
    import cntk as C
    import recording
    base = os.path.join(folder, name)
    loaded = C.Function.load(base + ".model")
    arrays, inputs, fed = {}, [], {}
    for i, var in enumerate(loaded.arguments):
        samples = data(var, np.random.RandomState(i))
        entry = dict(recording.describe(var), sparse=bool(var.is_sparse))
        recording.store(arrays, entry, "in%d" % i, var, samples)
        inputs.append(entry)
        fed[var] = recording.as_fed(var, samples)
    results = recording.evaluate(loaded, fed)
    again = recording.evaluate(loaded, fed)
    outputs = []
    for i, var in enumerate(loaded.outputs):
        entry = dict(recording.describe(var), array=None, lengths=None)
        recording.store(arrays, entry, "out%d" % i, var, results[var.uid])
        value = arrays[entry["array"]]
        for a, b in zip(recording.parts(results[var.uid]), recording.parts(again[var.uid])):
            if not np.array_equal(a, b) and not np.allclose(a, b, equal_nan=True):
                raise recording.Refused("not deterministic")
        if value.ndim != len(entry["dynamic_axes"]) + len(entry["shape"]):
            raise recording.Refused("an output of shape %s" % (value.shape,))
        if not np.all(np.isfinite(value)):
            raise recording.Refused("an output that is not finite")
        outputs.append(entry)
    recording.save_arrays(base + ".npz", arrays)
    case = {"source": "generated", "ops": recording.ops_of(loaded), "inputs": inputs, "outputs": outputs, "rtol": 1e-3,
            "atol": 1e-4, "deterministic": True}
    with open(base + ".json", "w") as f:
        json.dump(case, f, indent=1)


def data(var, random):
    """Samples for an input: three, of unequal lengths where it is a sequence."""
    shape = tuple(int(d) for d in var.shape)
    values = lambda *lead: (random.randint(-8, 9, lead + shape) / 8.0).astype(var.dtype)
    if not var.dynamic_axes:
        return values()
    if len(var.dynamic_axes) > 1:
        return [values(n) for n in LENGTHS]
    return [values() for _ in LENGTHS]


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        record(sys.argv[1], sys.argv[2])
