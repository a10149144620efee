"""A recorded case: what its three files say, and what follows from that."""
import json
from pathlib import Path

# Ops whose result for one sample depends on the others in the minibatch: such a case is not run again with a batch of 1.
MIXES_SAMPLES = {"UnpackBatch", "ToBatch", "UnpackBatchAxis", "ToBatchAxis", "SumAll", "LambdaRank", "NDCG",
                 "ForwardBackward", "EditDistanceError", "CosDistanceWithNegativeSamples"}
# Training criteria without a sensible graph: refusing them (exit 3) is right, and is counted apart.
MAY_REFUSE = {"LambdaRank", "NDCG", "ForwardBackward", "EditDistanceError"}

# ONNX Runtime lacks double kernels for many ops, so nothing is held to more than single precision can give.
FLOOR_RTOL, FLOOR_ATOL = 1e-4, 1e-5
DEFAULT, DEFAULT_HALF = (1e-3, 1e-4), (1e-2, 1e-2)


class Variable:
    """An input or output of the CNTK function."""

    def __init__(self, record):
        self.name, self.uid, self.dtype = record["name"], record["uid"], record["dtype"]
        self.axes = record["dynamic_axes"] or []
        self.array, self.lengths = record["array"], record["lengths"]
        # Case settles these: they depend on the other names.
        self.contract_name = self.uid
        self.key = self.uid

    @property
    def has_batch(self):
        return "batch" in self.axes

    @property
    def has_sequence(self):
        return "sequence" in self.axes


class Case:
    """NAME.json, and on demand NAME.npz."""

    def __init__(self, folder, name):
        self.folder, self.name = Path(folder), name
        self.id = "%s/%s" % (self.folder.name, name)
        self.model = self.folder / (name + ".model")
        record = json.loads((self.folder / (name + ".json")).read_text(encoding="utf-8"))
        self.ops = set(record["ops"])
        self.inputs = [Variable(v) for v in record["inputs"]]
        self.outputs = [Variable(v) for v in record["outputs"]]
        self.deterministic = record.get("deterministic") is not False
        self.may_fail_cleanly = not self.deterministic or bool(record.get("udf"))
        self.may_be_refused = bool(MAY_REFUSE & self.ops)
        self.mixes_samples = bool(MIXES_SAMPLES & self.ops)
        self.has_sequence = any(v.has_sequence for v in self.inputs + self.outputs)
        half = any(v.dtype == "float16" for v in self.inputs + self.outputs)
        rtol, atol = DEFAULT_HALF if half else DEFAULT
        self.rtol = max(record.get("rtol") or rtol, FLOOR_RTOL)
        self.atol = max(record.get("atol") or atol, FLOOR_ATOL)
        for group in (self.inputs, self.outputs):
            names = [v.name for v in group]
            for v in group:
                if v.name and names.count(v.name) == 1:
                    v.contract_name = v.name
        # A v1 file holds no uids: those recorded are numbers that CNTK made up, and only names tell.
        everything = self.inputs + self.outputs
        for v in everything if self.folder.name == "v1" else []:
            if v.name and [other.name for other in everything].count(v.name) == 1:
                v.key = v.name

    def paired(self, variables, entries):
        """Which variable an entry of an emitted report stands for, by the entry's uid. Added outputs stand for none."""
        by_key = {v.key: v for v in variables}
        found = {e["uid"]: by_key.get(e["uid"], by_key.get(e["name"])) for e in entries}
        return {uid: v for uid, v in found.items() if v is not None}

    def arrays(self):
        import numpy as np
        with np.load(self.folder / (self.name + ".npz")) as z:
            return {k: z[k] for k in z.files}


def cases_in(folder):
    """The names of the cases of a folder, in order. A checkpoint's record has no model of its own name."""
    return sorted(p.stem for p in Path(folder).glob("*.json") if p.with_suffix(".model").exists())
