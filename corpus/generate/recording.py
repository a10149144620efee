"""Saves a CNTK function as a case of the corpus: NAME.model, NAME.npz, NAME.json (see ../README.md). Runs under CNTK 2.7.

What is recorded is what the file computes: the model is saved, loaded again and evaluated twice, and a case whose two
results differ is refused.
"""
import io
import json
import os
import zipfile

import numpy as np


MIXES_SAMPLES = {"UnpackBatchAxis", "ToBatchAxis", "SumAll", "LambdaRank", "NDCG1Eval", "ForwardBackward", "EditDistanceError",
                 "CosDistanceWithNegativeSamples"}


class Refused(Exception):
    """CNTK or this recorder cannot make the case."""


def record(folder, name, model, feeds, source, rtol=1e-3, atol=1e-4, deterministic=True, finite=True, note=None, rewrite=None, stand_in=None):
    """feeds: {variable, or its name or uid: samples}; a sample of a sequence is [length, *shape], and a variable without dynamic axes
    takes its value itself. finite=False allows NaN and infinities among the results; `rewrite(path)` changes the saved file
    before it is loaded. `stand_in` is an equivalent function that gives the results where CNTK's CPU build cannot run the
    model itself: its inputs go by name, its outputs by position."""
    import cntk as C
    os.makedirs(folder, exist_ok=True)
    base = os.path.join(folder, name)
    model.save(base + ".model")
    if rewrite:
        rewrite(base + ".model")
    record_loaded(base, C.Function.load(base + ".model"), feeds, source, rtol, atol, deterministic, finite, note, stand_in)


def record_loaded(base, loaded, feeds, source, rtol=1e-3, atol=1e-4, deterministic=True, finite=True, note=None, stand_in=None):
    """The same for a file that is there and was loaded."""
    samples_of = {getattr(k, "uid", k): v for k, v in feeds.items()}
    arrays, inputs, fed = {}, [], {}
    for i, var in enumerate(loaded.arguments):
        samples = samples_of.get(var.uid, samples_of.get(var.name))
        if samples is None:
            raise Refused("no data for input %r %s" % (var.name, var.uid))
        entry = dict(describe(var), sparse=bool(var.is_sparse))
        store(arrays, entry, "in%d" % i, var, samples)
        inputs.append(entry)
        fed[var] = as_fed(var, samples)
    if stand_in is not None:
        fed_names = {v.name: a for v, a in fed.items()}
        fed = {v: fed_names[v.name] for v in stand_in.arguments}
        note = note or "reference outputs from an equivalent function: CNTK's CPU build cannot run the op itself"
    results = evaluate(stand_in or loaded, fed)
    if stand_in is not None:
        results = {a.uid: results[b.uid] for a, b in zip(loaded.outputs, stand_in.outputs)}
    if deterministic:
        again = evaluate(loaded, fed) if stand_in is None else results
        for uid, value in results.items():
            if not all(np.array_equal(a, b) or np.allclose(a, b, rtol=0, atol=0, equal_nan=True) for a, b in zip(parts(value), parts(again[uid]))):
                raise Refused("not deterministic")
        if stand_in is None:
            check_first_sample(loaded, fed, results)
    outputs = []
    for i, var in enumerate(loaded.outputs):
        entry = dict(describe(var), array=None, lengths=None)
        if deterministic:
            store(arrays, entry, "out%d" % i, var, results[var.uid])
            value = arrays[entry["array"]]
            if value.ndim != len(entry["dynamic_axes"]) + len(entry["shape"]):
                raise Refused("output %s has shape %s" % (var.uid, value.shape))
            if finite and not np.all(np.isfinite(value)):
                raise Refused("output %s is not finite" % var.uid)
        outputs.append(entry)
    save_arrays(base + ".npz", arrays)
    case = {"source": source, "ops": ops_of(loaded), "inputs": inputs, "outputs": outputs, "rtol": rtol, "atol": atol,
            "deterministic": deterministic}
    if note:
        case["note"] = note
    with open(base + ".json", "w", encoding="utf-8") as f:
        json.dump(case, f, indent=1, ensure_ascii=False)
        f.write("\n")


def save_arrays(path, arrays):
    """np.savez_compressed, but with a fixed date in the archive: the same arrays give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for key in sorted(arrays):
            entry = zipfile.ZipInfo(key + ".npy", (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(arrays[key]).reshape(arrays[key].shape))
            archive.writestr(entry, content.getvalue())


def evaluate(model, fed):
    _, values = model.forward(fed, outputs=model.outputs)
    return {var.uid: value for var, value in values.items()}


def check_first_sample(loaded, fed, results):
    """Refuses a case whose first sample depends on the others, unless its ops are meant to: CNTK would be wrong there."""
    batched = [v for v in fed if has_batch(v)]
    if not batched or MIXES_SAMPLES & set(ops_of(loaded)) or not all(has_batch(v) for v in loaded.outputs):
        return
    try:
        alone = evaluate(loaded, {v: a[:1] if has_batch(v) else a for v, a in fed.items()})
    except Exception:
        return                      # a static axis as long as the longest sequence no longer fits
    for uid, value in alone.items():
        a, b = parts(value)[0], parts(results[uid])[0]
        a, b = (x[0] if not isinstance(value, list) else x for x in (a, b))
        if a.shape == b.shape and not np.allclose(a, b, rtol=1e-3, atol=1e-5, equal_nan=True):
            raise Refused("CNTK's result for the first sample depends on the others")


def has_batch(var):
    return any(a.name == "defaultBatchAxis" for a in var.dynamic_axes)


def parts(value):
    return [dense(v) for v in value] if isinstance(value, list) else [dense(value)]


def dense(value):
    return value.toarray() if hasattr(value, "toarray") else np.asarray(value)


def describe(var):
    sequence = [a.name for a in var.dynamic_axes if a.name != "defaultBatchAxis"]
    axes = (["batch"] if len(sequence) < len(var.dynamic_axes) else []) + ["sequence"] * len(sequence)
    entry = {"name": var.name, "uid": var.uid, "dtype": np.dtype(var.dtype).name,
             "shape": [int(d) if d >= 0 else -1 for d in var.shape], "dynamic_axes": axes}
    if sequence:
        entry["sequence_axis"] = sequence[0]
    return entry


def store(arrays, entry, key, var, samples):
    """Adds the variable's array to `arrays`, [batch, sequence, *shape], and its lengths if they differ."""
    entry["array"], entry["lengths"] = key, None
    if "sequence" not in entry["dynamic_axes"]:
        arrays[key] = np.stack([dense(s) for s in samples]).astype(var.dtype) if isinstance(samples, list) else dense(samples).astype(var.dtype)
        return
    samples = [dense(s) for s in samples]
    lengths = [len(s) for s in samples]
    shape = tuple(max(s.shape[1 + i] for s in samples) for i in range(samples[0].ndim - 1))
    padded = np.zeros((len(samples), max(lengths)) + shape, var.dtype)
    for b, s in enumerate(samples):
        padded[(b,) + tuple(slice(0, d) for d in s.shape)] = s
    arrays[key] = padded
    if len(set(lengths)) > 1:
        entry["lengths"] = key + "_lengths"
        arrays[entry["lengths"]] = np.array(lengths, np.int64)


def as_fed(var, samples):
    """The samples in the form in which CNTK takes them."""
    if not var.dynamic_axes:
        return np.asarray(samples, var.dtype)
    sequence = len(var.dynamic_axes) > 1
    if var.is_sparse:
        from scipy.sparse import csr_matrix
        return [csr_matrix(np.asarray(s, var.dtype)) for s in samples] if sequence else csr_matrix(np.asarray(samples, var.dtype))
    return [np.asarray(s, var.dtype) for s in samples] if sequence else np.asarray(samples, var.dtype)


def ops_of(function):
    """Sorted names of the primitive ops, those inside blocks included."""
    names, seen, todo = set(), set(), [function]
    while todo:
        f = todo.pop()
        if f is None or f.uid in seen:
            continue
        seen.add(f.uid)
        todo.append(f.root_function)
        if f.is_block:
            todo.append(f.block_root)
        elif not f.is_composite:
            names.add(f.op_name)
        todo.extend(v.owner for v in f.inputs if v.is_output)
    return sorted(names)
