"""Comparison within the valid lengths."""
import numpy as np

from . import Mismatch


def compare(got, want, lengths, may_be_longer, has_sequence, case, label):
    """Raises Mismatch unless `got` agrees with `want`. What lies beyond a sequence's length is not looked at, and the
    sequence dimension may exceed the longest length where `may_be_longer`."""
    got, want = np.asarray(got), np.asarray(want)
    valid = None
    if has_sequence and want.ndim >= 2:
        valid = [int(n) for n in lengths] if lengths is not None else [want.shape[1]] * want.shape[0]
        want = want[:, :max(valid, default=0)]
    if not same_shape(got, want, valid is not None and may_be_longer):
        raise Mismatch("shape", "%s has shape %s, CNTK's is %s" % (label, list(got.shape), list(want.shape)))
    pairs = [(got, want)] if valid is None else [(got[b, :n], want[b, :n]) for b, n in enumerate(valid)]
    worst, bad, count = 0.0, 0, 0
    for g, w in pairs:
        g, w = g.astype(np.float64), w.astype(np.float64)
        close = np.isclose(g, w, rtol=case.rtol, atol=case.atol, equal_nan=True)
        count += close.size
        bad += int(close.size - np.count_nonzero(close))
        worst = max(worst, largest_error(g, w))
    if bad:
        raise Mismatch("value", "%s: %d of %d values differ, largest error %.3g" % (label, bad, count, worst))


def same_shape(got, want, may_be_longer):
    if got.shape == want.shape:
        return True
    return (may_be_longer and got.ndim == want.ndim and got.shape[0] == want.shape[0]
            and got.shape[1] >= want.shape[1] and got.shape[2:] == want.shape[2:])


def largest_error(g, w):
    with np.errstate(all="ignore"):
        error = np.abs(g - w)
    error = np.where((np.isnan(g) & np.isnan(w)) | (g == w), 0.0, error)
    return float(np.where(np.isnan(error), np.inf, error).max(initial=0.0))
