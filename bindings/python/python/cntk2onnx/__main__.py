"""The program ``cntk2onnx``: the native one, and ``verify``, which needs the runtimes of Python."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Runs the command line; the exit codes are the program's."""
    if sys.argv[1:2] == ["verify"]:
        from ._verify import main as verify

        return verify(sys.argv[2:])
    from ._native import program

    # As in any native program: no Python runs any more that could handle it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return program(["cntk2onnx", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
