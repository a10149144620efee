"""Many cases at a time: which, converted how, checked by whom."""
import fnmatch
import os
import subprocess
import threading
from pathlib import Path

from .case import Case, cases_in
from .worker import Worker

CONVERT_SECONDS = 15
DEFAULT_OPSET = 17       # what the tool takes without --opset


def convert(tool, case, out, opset):
    """None if the file was written, else an answer as the worker gives them."""
    command = [tool, "convert", str(case.model), "-o", out, "--outputs", "all"]
    if opset:
        command += ["--opset", str(opset)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=CONVERT_SECONDS)
    except subprocess.TimeoutExpired:
        return {"stage": "convert", "reason": "no answer in %d s" % CONVERT_SECONDS}
    written = os.path.exists(out)
    if done.returncode == 0:
        return None if written else {"stage": "convert", "reason": "exit 0 but no file written"}
    said = " ".join(done.stderr.decode("utf-8", "replace").split())[:300]
    if written:
        return {"stage": "convert", "reason": "exit %d, but a file was left" % done.returncode}
    if case.may_be_refused and done.returncode == 3 or case.may_fail_cleanly and 1 <= done.returncode <= 3:
        return {"stage": None, "refused": True}
    how = ("signal %d" % -done.returncode) if done.returncode < 0 else "exit %d" % done.returncode
    return {"stage": "convert", "reason": "%s: %s" % (how, said)}


def run_case(case, options, folder, worker):
    out = os.path.join(folder, case.id.replace("/", "__") + ".onnx")
    if os.path.exists(out):
        os.remove(out)
    answer = convert(options.tool, case, out, options.opset)
    if answer is None:
        answer = worker.ask(onnx=os.path.abspath(out), folder=str(case.folder.resolve()), name=case.name,
                            opset=options.opset, poison=options.poison)
        if not options.keep:
            os.remove(out)
    return answer


def run_all(cases, options, folder, checker):
    """{case id: answer}, by `--jobs` threads with a worker process each, which calls `check` of `harness.<checker>`."""
    todo, answers, lock = list(reversed(cases)), {}, threading.Lock()

    def loop():
        worker = Worker(checker)
        while True:
            with lock:
                if not todo:
                    break
                case = todo.pop()
            try:
                answer = run_case(case, options, folder, worker)
            except Exception as e:
                answer = {"stage": "run", "reason": "runner: %r" % e}
            with lock:
                answers[case.id] = answer
        worker.close()

    threads = [threading.Thread(target=loop) for _ in range(options.jobs)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answers


def selected(options):
    """(the cases to run, the ids of all cases of the given folders)"""
    every = [(d, n) for d in options.cases for n in cases_in(d)]
    existing = {"%s/%s" % (Path(d).resolve().name, n) for d, n in every}
    picked = []
    for d, n in every:
        case = Case(Path(d).resolve(), n)
        if options.only and not (fnmatch.fnmatch(n, options.only) or options.only in case.id):
            continue
        if options.group and case.has_sequence != (options.group == "sequence"):
            continue
        picked.append(case)
    return picked, existing
