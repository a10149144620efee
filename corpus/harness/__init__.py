"""The parts of the conformance runner: cases, the binding of ONNX names to CNTK variables, comparison, known failures."""


class Mismatch(Exception):
    """A case does not pass. `stage` says how far it got: convert, checker, load, interface, run, shape or value."""

    def __init__(self, stage, reason):
        super().__init__(" ".join(str(reason).split())[:400])
        self.stage = stage
