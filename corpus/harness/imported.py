"""What the importers of ONNX into PyTorch share: their module, used like a session of ONNX Runtime."""
import numpy as np
import onnx
import torch

from . import Mismatch
from .run import ONNX_TYPES, Run

TYPES = {onnx.TensorProto.FLOAT: "float32", onnx.TensorProto.DOUBLE: "float64", onnx.TensorProto.FLOAT16: "float16"}


class Unknown(Exception):
    """The model has operators that the importer does not know: their names."""


def check(path, case, poison, load):
    """Raises Mismatch unless the module that `load` makes of the model computes what CNTK recorded. It is called with arrays
    and gives the model's outputs in order. Operators that the importer does not know are named instead."""
    torch.set_num_threads(1)
    model = onnx.load(path)
    try:
        session = Session(model, load(model))
    except Unknown as e:
        return {"unknown": e.args[0]}
    except Exception as e:
        raise Mismatch("load", "%s: %s" % (type(e).__name__, e))
    if case.deterministic:
        Run(session, case, case.arrays(), poison).compare_all()


def nodes_of(graph):
    """The nodes of a graph and of those in its attributes."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from nodes_of(attribute.g)


class Declared:
    """An input or output as ONNX Runtime lists it."""

    def __init__(self, info):
        tensor = info.type.tensor_type
        self.name, self.type = info.name, ONNX_TYPES.get(TYPES.get(tensor.elem_type))
        self.shape = [d.dim_value if d.HasField("dim_value") else d.dim_param for d in tensor.shape.dim]


class Session:
    def __init__(self, model, module):
        self.inputs, self.outputs = [[Declared(v) for v in vs] for vs in (model.graph.input, model.graph.output)]
        self.module = module

    def get_inputs(self):
        return self.inputs

    def get_outputs(self):
        return self.outputs

    def run(self, names, feed):
        with torch.no_grad():
            made = self.module(*(torch.from_numpy(np.ascontiguousarray(feed[i.name])) for i in self.inputs))
        values = {o.name: value.numpy() for o, value in zip(self.outputs, made)}
        return [values[name] for name in names]
