"""Makes the cases of ../attributes with CNTK 2.7:    cntkpy make.py OUT_DIR [--only PATTERN] [--jobs N] [--list]

Every case is built in a child process: CNTK crashes on some combinations, and its uids count up within a process. A
case that CNTK refuses is reported and leaves no files. The exit status is the number of such cases (at most 100).
"""
import argparse
import fnmatch
import glob
import importlib
import os
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))


def build(folder, name, make, module):
    """In a child process: records one case."""
    import cntk as C
    import recording
    from attributes import Data
    C.cntk_py.set_fixed_random_seed(1)
    Data.seed(name)
    made = make()
    model, feeds, more = made if len(made) == 3 else made + ({},)
    recording.record(folder, name, model, feeds, "corpus/generate/%s.py, built and saved by cntk 2.7" % module.replace(".", "/"), **more)


def child(folder, name, make):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    os.close(reader)
    status = 0
    try:
        build(folder, name, make, make.__module__)
    except Exception as e:
        text = [l.strip() for l in str(e).splitlines() if l.strip() and not l.startswith("[CALL STACK]")]
        if os.environ.get("TRACE"):
            traceback.print_exc()
        os.write(writer, ("%s: %s" % (type(e).__name__, text[0] if text else ""))[:300].encode("utf-8"))
        status = 1
    os._exit(status)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder")
    p.add_argument("--only", help="glob of case names")
    p.add_argument("--jobs", type=int, default=1)
    p.add_argument("--list", action="store_true", help="print the names only")
    o = p.parse_args()
    sys.path.insert(0, HERE)
    import cntk
    from attributes import CASES
    cntk.try_set_default_device(cntk.cpu())
    for path in sorted(glob.glob(os.path.join(HERE, "attributes", "[a-z]*.py"))):
        importlib.import_module("attributes." + os.path.basename(path)[:-3])
    names = sorted(n for n in CASES if not o.only or fnmatch.fnmatch(n, o.only))
    if o.list:
        print("\n".join(names))
        return 0
    os.makedirs(o.folder, exist_ok=True)
    running, todo, refused = {}, list(names), []
    while todo or running:
        while todo and len(running) < o.jobs:
            name = todo.pop(0)
            pid, reader = child(o.folder, name, CASES[name])
            running[pid] = name, reader
        pid, status = os.wait()
        name, reader = running.pop(pid)
        with os.fdopen(reader, "rb") as f:
            why = f.read().decode("utf-8", "replace")
        if status:
            for suffix in (".model", ".npz", ".json"):
                if os.path.exists(os.path.join(o.folder, name + suffix)):
                    os.remove(os.path.join(o.folder, name + suffix))
            refused.append(name)
            print("REFUSED %s: %s" % (name, why or "crashed (status %d)" % status), flush=True)
    print("%d of %d cases made" % (len(names) - len(refused), len(names)))
    return min(len(refused), 100)


if __name__ == "__main__":
    sys.exit(main())
