"""One converted model against one case in PyTorch, imported by onnx2pytorch."""
import onnx2pytorch

from . import imported


def check(path, case, opset, poison):
    return imported.check(path, case, poison, load)


def load(model):
    try:
        module = onnx2pytorch.ConvertModel(model).eval()
    except NotImplementedError as e:
        # The only list of what it knows is this message.
        if "Conversion not implemented for op_type=" in str(e):
            raise imported.Unknown([str(e).split("op_type=")[1].split(".")[0]]) from None
        raise
    single = len(model.graph.output) == 1
    return lambda *arrays: [module(*arrays)] if single else module(*arrays)
