"""Which ONNX input or output stands for which CNTK variable, by the naming contract."""
from . import Mismatch

LENGTHS = "_lengths"


def lengths_name(variable, onnx_name, among):
    """The name of the extra input or output that carries a sequence's true lengths, if the model has it."""
    for base in (onnx_name, variable.name, variable.uid):
        if base and base + LENGTHS in among:
            return base + LENGTHS
    return None


def bind(variables, found, what):
    """For each variable its ONNX name. The CNTK name where it is unique, else the uid; `<uid>_output` for an output that
    is also an input; one name for a value that is listed twice."""
    free, by_uid, names = list(found), {}, []
    for v in variables:
        candidates = (v.contract_name, v.uid, v.name, v.uid + "_output")
        hit = next((n for n in candidates if n and n in free), None)
        if hit is not None:
            free.remove(hit)
        else:
            hit = by_uid.get(v.uid)
        if hit is None:
            raise Mismatch("interface", "no %s %s among %s" % (what, v.contract_name, ", ".join(found[:8]) or "none"))
        by_uid[v.uid] = hit
        names.append(hit)
    strays = [n for n in free if not n.endswith(LENGTHS)]
    if strays:
        raise Mismatch("interface", "%s that CNTK does not have: %s" % (what, ", ".join(strays[:5])))
    return names
