"""One converted model against one case in PyTorch, imported by onnx2torch."""
import sys
import types

from . import imported

# onnx2torch imports torchvision for NonMaxSuppression and RoiAlign, which nothing of CNTK becomes: a stand-in will do.
sys.modules["torchvision"] = sys.modules["torchvision.ops"] = types.SimpleNamespace(roi_align=None)

import onnx2torch  # noqa: E402
from onnx2torch.node_converters.registry import get_converter  # noqa: E402


def check(path, case, opset, poison):
    return imported.check(path, case, poison, load)


def load(model):
    if unknown := unknown_operators(model):
        raise imported.Unknown(unknown)
    module = onnx2torch.convert(model).eval()
    # It gives a value for each node that makes outputs: a tuple of all that the node makes where that is several.
    makers = {name: tuple(node.output) for node in model.graph.node for name in node.output}
    outputs = [makers[o.name] for o in model.graph.output]
    nodes = list(dict.fromkeys(outputs))

    def call(*arrays):
        made = module(*arrays)
        values = dict(zip(nodes, made if len(nodes) > 1 else [made]))
        return [values[names][names.index(o.name)] if len(names) > 1 else values[names]
                for o, names in zip(model.graph.output, outputs)]

    return call


def unknown_operators(model):
    versions, unknown = {o.domain: o.version for o in model.opset_import}, set()
    for node in imported.nodes_of(model.graph):
        try:
            get_converter(node.op_type, versions[node.domain], node.domain)
        except NotImplementedError:
            unknown.add(node.op_type)
    return sorted(unknown)
