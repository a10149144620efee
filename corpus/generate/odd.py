#!/usr/bin/env python3
"""Which odd attributes does CNTK 2.7 refuse, and does `validate` say the same? Runs under CNTK 2.7.

  cntkpy corpus/generate/odd.py --tool target/fast/cntk2onnx FOLDER [--only OPS]
  cntkpy corpus/generate/odd.py --hostile corpus/hostile

For each operator one small model is saved, then changed: each attribute takes values that are too short, too long, zero, negative, huge,
not finite, out of range. CNTK loads and evaluates every file in a child process. Printed are the files on which the two
disagree: CNTK refuses what the tool accepts, CNTK evaluates what the tool refuses; all outcomes go to FOLDER/odd.json.
With --hostile, the files of HOSTILE are written, with their labels.
"""
import argparse
import json
import os
import signal
import struct
import subprocess
import sys

import numpy as np
from edit import change_attributes, change_entries, encoded, entries, on_dictionary, on_list
from relayout import field, number_bytes
from wire import OPS, Axis, Shape, dictionary, fields, value

BOOL, INT, SIZE, FLOAT, DOUBLE, STRING, SHAPE, AXIS, VECTOR = range(1, 10)
HUGE = (2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 63, Shape.FREE, Shape.UNKNOWN, Shape.INFERRED)
SECONDS = 10
SKIPPED = ("rngOffset",)      # CNTK draws and drops as many numbers: a large one is slow, and no more


# Files of ../hostile, one of each kind that CNTK refuses: op, base, attribute, value, why.
HOSTILE = [
    ("Convolution", "plain", "strides", [], "no stride"),
    ("Convolution", "plain", "strides", [1, 1, 1, 1], "more strides than axes"),
    ("Convolution", "plain", "sharing", [], "a list without an entry"),
    ("Convolution", "plain", "sharing", [True] * 4, "more entries than axes"),
    ("Convolution", "plain", "autoPadding", [], "a list without an entry"),
    ("Convolution", "plain", "autoPadding", [False] * 5, "more entries than axes"),
    ("Convolution", "padded", "autoPadding", [True], "channels are padded"),
    ("Convolution", "plain", "lowerPad", [0, 0, 0, 0], "more pads than axes"),
    ("Convolution", "plain", "upperPad", [], "no pad"),
    ("Convolution", "plain", "lowerPad", [0, 0, 1], "channels are padded"),
    ("Convolution", "plain", "dilation", [], "no dilation"),
    ("Convolution", "plain", "outputShape", [4, 4, 3], "another shape than the convolution gives"),
    ("Convolution", "transposed", "outputShape", [], "no shape"),
    ("Convolution", "transposed_given", "outputShape", [10, 10], "a size is missing"),
    ("Convolution", "transposed_given", "outputShape", [10, 10, 0], "a size of 0"),
    ("Convolution", "transposed", "groups", 2, "transposed in groups"),
    ("Pooling", "max", "strides", [2, 2, 1, 1], "more strides than axes"),
    ("Pooling", "max", "autoPadding", [], "a list without an entry"),
    ("Pooling", "max", "lowerPad", [1, 1], "windows do not reach across the padded operand"),
    ("Pooling", "max", "upperPad", [0, 0, 0, 0], "more pads than axes"),
    ("Pooling", "max", "poolingWindowShape", [], "a window without axes"),
    ("Pooling", "max_pads", "poolingWindowShape", [7, 3], "longer than its operand, where CNTK chooses the padding"),
    ("Pooling", "max_pads", "poolingWindowShape", [Shape.UNKNOWN], "padding where the window is the whole operand"),
    ("Unpooling", "unpool", "lowerPad", [1], "windows do not reach across the padded operand"),
    ("Unpooling", "unpool", "strides", [2, 2, 1, 1], "more strides than axes"),
    ("ROIPooling", "roi", "poolingType", 1, "there is no average"),
    ("ROIPooling", "roi", "roiOutputShape", [9, 3], "more bins than columns"),
    ("Slice", "one", "sliceStrides", 3, "a step that is longer than what is cut out"),
    ("ReduceElements", "one", "axisVec", [], "no axis"),
    ("ReduceElements", "one", "axisVec", [(1, "", True)] * 4, "more axes than the operand has"),
    ("ReduceElements", "one", "reductionKeepDimensions", False, "an inner axis is dropped"),
    ("ReduceElements", "mean", "axisVec", [(Axis.DYNAMIC, "defaultDynamicAxis", True)], "along a sequence there are only sums"),
    ("ReduceElements", "argmax", "axis", (Axis.DYNAMIC, "defaultBatchAxis", False), "a place in the batch"),
    ("ReduceElements", "one", "reductionOpName", "Any", "CNTK does not evaluate it"),
    ("Reshape", "reshape", "newShape", [Shape.FREE], "a free dimension made of known ones"),
    ("Dropout", "dropout", "dropoutRate", 2.0, "no rate"),
    ("Dropout", "dropout", "dropoutRate", -1.0, "no rate"),
    ("BatchNormalization", "spatial", "blendTimeConstant", -1.0, "a negative time"),
    ("RandomSample", "without", "numSamples", 5, "no class is left out"),
    ("RandomSampleInclusionFrequency", "frequency_without", "numSamples", 5, "no class is left out"),
    ("RandomDistribution", "normal", "randomDistributionArgs", [], "CNTK reads two numbers"),
    ("RandomDistribution", "uniform", "randomDistributionArgs", [2.0, 1.0], "no numbers lie between"),
    ("RandomDistribution", "uniform", "newDataType", 4, "random numbers are Float or Double"),
    ("ToSequence", "to_sequence", "newDynamicAxes", [], "no axis"),
    ("ToSequence", "to_sequence", "newDynamicAxes", [(Axis.DYNAMIC, "defaultBatchAxis", False)] * 2, "an axis twice"),
    ("Where", "where", "newDynamicAxes", [], "no axis"),
]


def hostile(folder):
    """Writes the files of HOSTILE with their labels."""
    functions = {}
    for op, name, function in bases():
        functions.setdefault((op, name), function)
    for number, (op, name, key, v, why) in enumerate(HOSTILE):
        base = os.path.join(folder, "attribute_%02d_%s_%s" % (number, op.lower(), key.lower()))
        functions[op, name].save(base + ".model")
        kind = records(base + ".model")[op][key][0]
        changed = edited(base + ".model", op, key, kind, v)
        with open(base + ".model", "wb") as f:
            f.write(changed)
        said = judged(base + ".model")
        if said["outcome"] == "ok":
            print("CNTK evaluates", op, name, key, v)
        outcome = {"outcome": "crash" if said["outcome"] == "crash" else "exception", "detail": said.get("why")}
        # A list of one axis is reported as `axis`.
        where = "axis" if key == "axisVec" and len(v) == 1 else key
        label = {"family": "attribute", "what": "%s of %s is %s" % (key, op, v), "expect": "reject", "why": why,
                 "where": {"names": [where], "offset": None, "path": None}, "cntk": outcome}
        with open(base + ".json", "w") as f:
            json.dump(label, f, indent=1)
            f.write("\n")


def encode(kind, v):
    """A dictionary value of a kind."""
    if kind == SHAPE:
        return encoded(SHAPE, field(1, 2, b"".join(number_bytes(d) for d in v)))
    if kind == AXIS:
        index, name, ordered = v
        body = (field(1, 0, index & (1 << 64) - 1) if index else b"") + field(2, 2, name.encode()) + (field(3, 0, 1) if ordered else b"")
        return encoded(AXIS, body)
    if kind in (FLOAT, DOUBLE):
        packed = struct.pack("<f" if kind == FLOAT else "<d", v)
        return field(1, 0, 1) + field(2, 0, kind) + field(kind + 2, 5 if kind == FLOAT else 1, packed)
    if kind == STRING:
        return encoded(STRING, v.encode())
    if isinstance(kind, tuple):
        return encoded(VECTOR, b"".join(field(1, 2, encode(kind[1], x)) for x in v))
    return encoded(kind, int(v) & (1 << 64) - 1)


def kind_of(message):
    """The kind of an encoded value; (VECTOR, kind) for a list."""
    f = {n: v for n, _, v in fields(message)}
    if f[2] != VECTOR:
        return f[2]
    first = [v for _, _, v in fields(f[VECTOR + 2])]
    return (VECTOR, kind_of(first[0]) if first else INT)


def axes(rank):
    special = [(Axis.ALL, "", True), (Axis.ALL_STATIC, "", True), (Axis.DYNAMIC, "defaultBatchAxis", False),
               (Axis.DYNAMIC, "defaultDynamicAxis", True), (-2 ** 31, "", True)]
    return [(k, "", True) for k in range(-rank - 2, rank + 3)] + special


def odd(kind, v, rank):
    """Values of a kind to try in place of `v`."""
    if isinstance(kind, tuple):
        one = v[0] if v else (0 if kind[1] in (BOOL, INT, SIZE) else 0.0)
        lists = [[], v[:-1], v[:1], v + v[-1:], v + v[-1:] * 3, v * 5, v[::-1]]
        if kind[1] == BOOL:
            lists += [[not x for x in v], [True], [False], [True] * len(v), [False] * len(v)]
        else:
            singles = [x for x in odd(kind[1], one, rank)]
            lists += [[x] + v[1:] for x in singles] + [v[:-1] + [x] for x in singles[:6]] + [[x] for x in singles[:6]]
        return lists
    if kind == SHAPE:
        if not v or v[0] == Shape.UNKNOWN:
            v = [1]
        lists = [[], v[:-1], v[:1], v + [1], v + [2], v + [1, 1, 1], v * 5, v[::-1], [0] * len(v), [1] * len(v), [2] * len(v), [3] * len(v),
                 [1], [2], [Shape.UNKNOWN]]
        return lists + [[x] + v[1:] for x in (0, 1, 2, 3, 7) + HUGE] + [v[:-1] + [x] for x in (0, 2, 7, 2 ** 31, Shape.INFERRED)]
    if kind == BOOL:
        return [not v]
    if kind == SIZE:
        return [0, 1, 2, 3, 4, 5, 7, 8, 100] + list(HUGE)
    if kind == INT:
        return [-2 ** 31, -100, -7, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 7, 100, 2 ** 31 - 1]
    if kind in (FLOAT, DOUBLE):
        tiny, big = (1e-30, 1e30) if kind == FLOAT else (1e-300, 1e300)
        return [-big, -1.0, -tiny, -0.0, 0.0, tiny, 1e-5, 0.5, 1.0, 2.0, big, float("inf"), float("-inf"), float("nan")]
    if kind == STRING:
        return ["", "x", v.lower(), v.upper(), v + " "]
    if kind == AXIS:
        return axes(rank)
    raise ValueError(kind)


def plain(v):
    """As `encode` takes it."""
    if isinstance(v, Axis):
        return (v.index, v.name, v.ordered)
    return [plain(x) for x in v] if isinstance(v, (list, tuple)) else v


def records(path):
    """Attributes of the last record of each op: (op, {key: (kind, value)}, inputs' rank)."""
    found = {}
    with open(path, "rb") as f:
        message = f.read()

    def on_record(r):
        names = dict(entries(r))
        op = OPS[value(names[b"op"])]
        keys = {}

        def attributes(d):
            for k, v in entries(d):
                if kind_of(v) <= VECTOR if not isinstance(kind_of(v), tuple) else True:
                    keys[k.decode()] = (kind_of(v), plain(value(v)))
            return d
        on_dictionary(names[b"attributes"], attributes)
        found[op] = keys
        return r

    change_entries(message, lambda k, v: on_list(v, on_record) if k == b"primitive_functions" else v)
    return found


def edited(path, op, key, kind, v):
    with open(path, "rb") as f:
        message = f.read()

    def on_record(r):
        names = dict(entries(r))
        if OPS[value(names[b"op"])] != op:
            return r

        def attributes(d):
            kept = change_attributes(d, [key], {})
            return kept + field(2, 2, field(1, 2, key.encode()) + field(2, 2, encode(kind, v)))
        return change_entries(r, lambda k, x: on_dictionary(x, attributes) if k == b"attributes" else x)

    return change_entries(message, lambda k, x: on_list(x, on_record) if k == b"primitive_functions" else x)


def bases():
    """(op, name, function) of every operator that has attributes."""
    import cntk as C
    x = lambda *s, **k: C.input_variable(s, name="x", **k)
    seq = lambda *s: C.sequence.input_variable(s, name="x")
    w = lambda *s: C.parameter(s, init=np.arange(int(np.prod(s)), dtype=np.float32).reshape(s) / 8 - 1)
    yield "TransposeAxes", "swap", C.swapaxes(x(2, 3, 4), 0, 1)
    yield "TransposeAxes", "permute", C.transpose(x(2, 3, 4), (2, 0, 1))
    yield "Slice", "one", C.slice(x(2, 3, 4), 1, 0, 2)
    yield "Slice", "two", C.slice(x(2, 3, 4), [1, 2], [0, 1], [2, 3])
    yield "Slice", "sequence", C.sequence.slice(seq(3), 1, 2)
    yield "Dropout", "dropout", C.dropout(x(3), 0.5)
    yield "Reshape", "reshape", C.reshape(x(2, 3, 4), (6,), 0, 2)
    yield "Reshape", "inferred", C.reshape(x(2, 3, 4), (4, -1))
    for mode, name in ((C.MAX_POOLING, "max"), (C.AVG_POOLING, "average")):
        yield "Pooling", name, C.pooling(x(2, 6, 6), mode, (2, 2), strides=(2, 2))
        yield "Pooling", name + "_pads", C.pooling(x(2, 6, 6), mode, (3, 3), strides=(2, 2), auto_padding=[True, True])
    yield "Times", "times", C.times(x(3), w(3, 4))
    yield "Times", "times2", C.times(x(2, 3), w(2, 3, 4, 5), output_rank=2)
    yield "TransposeTimes", "tt", C.times_transpose(x(3), w(4, 3))
    yield "Convolution", "plain", C.convolution(w(4, 2, 3, 3), x(2, 6, 6), auto_padding=[False, False, False])
    yield "Convolution", "padded", C.convolution(w(4, 2, 3, 3), x(2, 6, 6), strides=(1, 2, 2), auto_padding=[False, True, True])
    yield "Convolution", "groups", C.convolution(w(4, 1, 3, 3), x(2, 6, 6), auto_padding=[False, True, True], groups=2)
    yield "Convolution", "transposed", C.convolution_transpose(w(2, 4, 3, 3), x(2, 5, 5), strides=(1, 2, 2), auto_padding=[False, True, True])
    yield "Convolution", "transposed_given", C.convolution_transpose(w(2, 4, 3, 3), x(2, 5, 5), strides=(1, 2, 2), auto_padding=[False, True, True], output_shape=(4, 10, 10))
    yield "PastValue", "past", C.sequence.past_value(seq(3))
    yield "FutureValue", "future", C.sequence.future_value(seq(3))
    yield "ReduceElements", "one", C.reduce_sum(x(2, 3, 4), 1)
    yield "ReduceElements", "mean", C.reduce_mean(x(2, 3, 4), (0, 1))
    yield "ReduceElements", "argmax", C.argmax(x(2, 3, 4), 1)
    yield "ReduceElements", "all", C.reduce_sum(x(2, 3, 4))
    bn = C.batch_normalization(x(2, 3, 3), w(2), w(2), C.constant(0, (2,)), C.constant(1, (2,)), spatial=True, running_count=C.constant(0, ()))
    yield "BatchNormalization", "spatial", bn
    bn = C.batch_normalization(x(3), w(3), w(3), C.constant(0, (3,)), C.constant(1, (3,)), spatial=False, running_count=C.constant(0, ()))
    yield "BatchNormalization", "flat", bn
    yield "Splice", "splice", C.splice(x(2, 3), C.input_variable((2, 3), name="y"), axis=0)
    yield "RandomSample", "sample", C.random_sample(C.constant(1, (5,)), 3, True)
    yield "RandomSample", "without", C.random_sample(C.constant(1, (5,)), 3, False)
    yield "RandomSampleInclusionFrequency", "frequency", C.random_sample_inclusion_frequency(C.constant(1, (5,)), 3, True)
    yield "RandomSampleInclusionFrequency", "frequency_without", C.random_sample_inclusion_frequency(C.constant(1, (5,)), 3, False)
    yield "ROIPooling", "roi", C.roipooling(x(2, 8, 8), C.input_variable((3, 4), name="rois"), C.MAX_POOLING, (3, 2), 0.5)
    pooled = C.pooling(x(2, 6, 6), C.MAX_POOLING, (2, 2), strides=(2, 2))
    yield "Unpooling", "unpool", C.unpooling(pooled, pooled.inputs[0], C.MAX_UNPOOLING, (2, 2), strides=(2, 2))
    yield "EditDistanceError", "edit", C.edit_distance_error(C.sequence.input_variable(4, name="x"), C.sequence.input_variable(4, name="y"), 1, 1, 1, True, [1])
    yield "OneHot", "onehot", C.one_hot(x(3), 4)
    yield "OneHot", "onehot_axis", C.one_hot(x(2, 3), 4, False, 1)
    yield "ToSequence", "to_sequence", C.to_sequence(x(4, 3))
    yield "ToSequenceLike", "to_sequence_like", C.to_sequence_like(x(4, 3), C.sequence.input_variable(2, name="y"))
    yield "UnpackSequence", "unpack", C.sequence.unpack(seq(3), 0.5, no_mask_output=True)
    yield "Where", "where", C.sequence.where(C.sequence.input_variable((), name="x"))
    yield "RandomDistribution", "uniform", C.random.uniform((2, 3), low=1, high=2)
    yield "RandomDistribution", "normal", C.random.normal((2, 3), mean=1, scale=2)
    yield "RandomDistribution", "gumbel", C.random.gumbel((2, 3), loc=1, scale=2)
    yield "RandomDistribution", "bernoulli", C.random.bernoulli((2, 3), mean=0.5)
    yield "RandomDistribution", "bernoulli_like", C.random.bernoulli_like(x(3), mean=0.5)
    for mode in (C.ops.CONSTANT_PAD, C.ops.REFLECT_PAD, C.ops.SYMMETRIC_PAD):
        yield "Pad", "pad%d" % int(mode), C.pad(x(3, 4), [(1, 1), (2, 1)], mode, 0.5)
    yield "Crop", "crop", C.crop_manual(x(1, 6, 6), C.input_variable((1, 3, 3), name="y"), 1, 2)
    yield "TopK", "topk", C.top_k(x(2, 5), 2)
    yield "Squeeze", "squeeze", C.squeeze(x(1, 3, 1), (0, 2))
    yield "Squeeze", "squeeze_all", C.squeeze(x(1, 3, 1))
    yield "ConstantOp", "zeros", C.zeros_like(x(3))
    yield "Cast", "cast", C.cast(x(3), np.float64)
    yield "EyeLikeOp", "eye", C.eye_like(x(3), sparse_output=False)
    yield "ForwardBackward", "fb", C.forward_backward(C.labels_to_graph(C.sequence.input_variable(4, name="y")), C.sequence.input_variable(4, name="x"), blankTokenId=3)


def feeds(function):
    random = np.random.RandomState(1)
    result = {}
    for var in function.arguments:
        shape = tuple(int(n) for n in var.shape)
        make = lambda *lead: (random.randint(1, 4, lead + shape)).astype(np.float32)
        if var.name in ("y",) and shape == (4,) or shape == (4,) and len(var.dynamic_axes) == 2:
            make = lambda *lead: np.eye(4, dtype=np.float32)[random.randint(0, 4, lead)]
        if len(var.dynamic_axes) == 2:
            result[var] = [make(n) for n in (4, 4)]
        else:
            result[var] = np.array([make() for _ in range(2)]) if var.dynamic_axes else make()
    return result


def evaluate(path, out, feeds):
    """In a child process: loads and evaluates, and says what came."""
    import cntk as C
    stage = "load"
    try:
        loaded = C.Function.load(path)
        stage = "eval"
        results = loaded.eval(feeds(loaded))
        values = results.values() if isinstance(results, dict) else [results]
        flat = [np.asarray(a.todense() if hasattr(a, "todense") else a, dtype=np.float64)
                for v in values for a in (v if isinstance(v, list) else [v])]
        finite = all(np.isfinite(a).all() for a in flat)
        shapes = [list(a.shape) for a in flat]
        said = {"outcome": "ok", "finite": bool(finite), "shapes": shapes}
    except BaseException as e:
        said = {"outcome": stage, "why": str(e).split("[CALL STACK]")[0].strip()[:200]}
    os.write(out, json.dumps(said).encode())
    os._exit(0)


def judged(path, feeds=feeds):
    """What CNTK says of a file, given the data that `feeds` makes for the inputs of its function."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1), os.dup2(null, 2)
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
        signal.alarm(SECONDS)
        evaluate(path, write, feeds)
    os.close(write)
    text = b""
    while True:
        part = os.read(read, 65536)
        if not part:
            break
        text += part
    os.close(read)
    _, status = os.waitpid(child, 0)
    if text:
        return json.loads(text.decode())
    return {"outcome": "crash", "why": "signal %d" % (status & 127)}


def accepted(tool, path):
    done = subprocess.run([tool, "validate", "--format", "json", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    found = json.loads(done.stdout.decode() or "{}")
    findings = ["%s: %s" % (f.get("rule"), f.get("message")) for f in found.get("findings", [])]
    return done.returncode == 0, findings[:3]


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("folder", nargs="?")
    args.add_argument("--tool")
    args.add_argument("--hostile", metavar="FOLDER")
    args.add_argument("--only")
    args = args.parse_args()
    import cntk
    assert cntk
    if args.hostile:
        return hostile(args.hostile)
    os.makedirs(args.folder, exist_ok=True)
    outcomes, counts = {}, {}
    for op, name, function in bases():
        if args.only and op not in args.only.split(",") and name not in args.only.split(","):
            continue
        base = os.path.join(args.folder, "%s_%s.model" % (op, name))
        function.save(base)
        files = [(base, None, None)]
        rank = max([len(v.shape) for v in function.arguments] or [2])
        for key, (kind, v) in sorted(records(base).get(op, {}).items()):
            if key in SKIPPED:
                continue
            for i, new in enumerate(odd(kind, v, rank)):
                path = "%s_%s_%d.model" % (base[:-6], key, i)
                with open(path, "wb") as f:
                    f.write(edited(base, op, key, kind, new))
                files.append((path, key, new))
        for path, key, new in files:
            cntk_says, (fine, findings) = judged(path), accepted(args.tool, path)
            kind = {(True, True): "both accept", (False, False): "both refuse", (False, True): "WE ACCEPT", (True, False): "WE REFUSE"}[
                cntk_says["outcome"] == "ok", fine]
            counts[kind] = counts.get(kind, 0) + 1
            outcomes[os.path.basename(path)] = dict(cntk=cntk_says, tool=fine, findings=findings, key=key, value=repr(new))
            if kind.startswith("WE"):
                print("%s %s %s %s=%s\n    CNTK: %s\n    tool: %s" % (kind, op, name, key, new, json.dumps(cntk_says), findings), flush=True)
    with open(os.path.join(args.folder, "odd.json"), "w") as f:
        json.dump(outcomes, f, indent=1)
    print(counts)


if __name__ == "__main__":
    main()
