"""One converted model against one case in ONNX Runtime, after the checker."""
import onnx
import onnxruntime

from . import Mismatch
from .run import Run

MAX_IR_VERSION = 10


def check(path, case, opset=None, poison=True):
    """Raises Mismatch unless the model at `path` is valid ONNX and computes what CNTK recorded."""
    check_file(path, opset)
    try:
        session = onnxruntime.InferenceSession(path, session_options(), providers=["CPUExecutionProvider"])
    except Exception as e:
        raise Mismatch("load", e)
    if case.deterministic:
        Run(session, case, case.arrays(), poison).compare_all()


def check_file(path, opset):
    try:
        onnx.checker.check_model(path, full_check=True)
    except Exception as e:
        raise Mismatch("checker", e)
    model = onnx.load(path, load_external_data=False)
    if model.ir_version > MAX_IR_VERSION:
        raise Mismatch("checker", "IR version %d, at most %d is promised" % (model.ir_version, MAX_IR_VERSION))
    found = [i.version for i in model.opset_import if i.domain in ("", "ai.onnx")]
    if opset is not None and found != [opset]:
        raise Mismatch("checker", "opset %s, %d was asked for" % (found, opset))


def session_options():
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return options
