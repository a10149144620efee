"""One loaded model against one case: the interface, the numbers, the first sample alone."""
import numpy as np

from . import Mismatch
from .binding import bind, lengths_name
from .compare import compare

ONNX_TYPES = {"float32": "tensor(float)", "float64": "tensor(double)", "float16": "tensor(float16)"}


class Run:
    """The case's arrays bound to the inputs and outputs of a session, which is ONNX Runtime's or looks like one."""

    def __init__(self, session, case, arrays, poison):
        self.session, self.case, self.arrays, self.poison = session, case, arrays, poison
        self.ins = {i.name: i for i in session.get_inputs()}
        self.outs = {o.name: o for o in session.get_outputs()}
        self.in_names = bind(case.inputs, list(self.ins), "input")
        self.out_names = bind(case.outputs, list(self.outs), "output")
        self.out_lengths = [lengths_name(v, n, self.outs) if v.has_sequence else None
                            for v, n in zip(case.outputs, self.out_names)]
        self.folded = False
        for v, n in zip(case.inputs, self.in_names):
            self.check_input(v, self.ins[n])
        self.check_length_inputs()
        self.ragged = any(v.lengths for v in case.inputs + case.outputs)

    def check_input(self, v, declared):
        if declared.type != ONNX_TYPES.get(v.dtype, declared.type):
            raise Mismatch("interface", "input %s is %s, CNTK's is %s" % (declared.name, declared.type, v.dtype))
        axes = list(v.axes)
        if axes == ["batch", "sequence"] and len(declared.shape) == self.arrays[v.array].ndim - 1:
            self.folded, axes = True, ["batch"]      # no op reads the sequence axis: frames are a flat batch
        for axis, dim in zip(axes, declared.shape):
            if isinstance(dim, int):
                raise Mismatch("interface", "input %s: the %s dimension is fixed at %d" % (declared.name, axis, dim))

    def check_length_inputs(self):
        known = {lengths_name(v, n, self.ins) for v, n in zip(self.case.inputs, self.in_names) if v.has_sequence}
        stray = [n for n in self.ins if n not in self.in_names and n not in known]
        if stray:
            raise Mismatch("interface", "inputs that are not the model's: %s" % ", ".join(stray[:5]))

    def lengths_of(self, v):
        return self.arrays[v.lengths] if v.lengths else None

    def feed(self, samples):
        """The arrays of the first `samples` samples (None: all), the padding filled with NaN."""
        feed = {}
        for v, n in zip(self.case.inputs, self.in_names):
            a = self.arrays[v.array]
            lengths = self.lengths_of(v)
            if self.poison and lengths is not None and a.dtype.kind == "f":
                a = a.copy()
                for b, length in enumerate(lengths):
                    a[b, length:] = np.nan
            if v.has_batch:
                a = a[:samples]
            if v.has_sequence:
                if (extra := lengths_name(v, n, self.ins)) is not None:
                    full = np.full(a.shape[0], a.shape[1]) if lengths is None else lengths[:samples]
                    feed[extra] = full.astype(np.int64)
                if len(self.ins[n].shape) == a.ndim - 1:
                    a = a.reshape((-1,) + a.shape[2:])
            feed[n] = a
        return feed

    def values(self, samples=None):
        names = list(dict.fromkeys(self.out_names + [n for n in self.out_lengths if n]))
        try:
            return dict(zip(names, self.session.run(names, self.feed(samples))))
        except Exception as e:
            raise Mismatch("run", ("batch of %d: %s" % (samples, e)) if samples else e)

    def compare_all(self):
        values = self.values()
        for v, name, extra in zip(self.case.outputs, self.out_names, self.out_lengths):
            self.compare_one(v, name, extra, values)
        if self.first_sample_stands_alone():
            values = self.values(1)
            for v, name in zip(self.case.outputs, self.out_names):
                self.compare_one(v, name, None, values, samples=1)

    def compare_one(self, v, name, extra, values, samples=None):
        want, lengths, got = self.arrays[v.array], self.lengths_of(v), values[name]
        label = ("batch of %d: output %s" % (samples, name)) if samples else "output %s" % name
        if got.dtype != want.dtype:
            raise Mismatch("interface", "%s is %s, CNTK's is %s" % (label, got.dtype, want.dtype))
        if extra is not None:
            true = lengths if lengths is not None else np.full(want.shape[0], want.shape[1])
            if list(values[extra].reshape(-1)) != list(true):
                raise Mismatch("value", "%s is %s, CNTK's is %s" % (extra, list(values[extra]), list(true)))
        if samples:
            want, lengths = want[:samples], None if lengths is None else lengths[:samples]
        if (self.folded and v.axes == ["batch", "sequence"] and got.ndim == want.ndim - 1
                and got.shape[0] == want.shape[0] * want.shape[1]):
            got = got.reshape(want.shape[:2] + got.shape[1:])
        longer = self.ragged or extra is not None or samples is not None
        compare(got, want, lengths, longer, v.has_sequence, self.case, label)

    def first_sample_stands_alone(self):
        batched = [v for v in self.case.inputs if v.has_batch]
        return (batched and not self.case.mixes_samples and all(v.has_batch for v in self.case.outputs)
                and all(self.arrays[v.array].shape[0] > 1 for v in batched))
