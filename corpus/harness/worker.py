"""A process that checks converted models one after the other, since a runtime takes a second to load; and its owner,
who starts a new one when the runtime crashes or hangs."""
import importlib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

SECONDS = 60
PACKAGE_FOLDER = Path(__file__).resolve().parent.parent


def serve(checker):
    """Answers jobs with what `harness.<checker>.check` says of them: it raises Mismatch, or gives what else is worth telling."""
    from . import Mismatch
    from .case import Case
    check = importlib.import_module("harness." + checker).check
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)                   # what the runtime prints must not get between the answers
    for line in sys.stdin:
        job = json.loads(line)
        try:
            told = check(job["onnx"], Case(job["folder"], job["name"]), job["opset"], job["poison"])
            answer = {"stage": None, **(told or {})}
        except Mismatch as e:
            answer = {"stage": e.stage, "reason": str(e)}
        except Exception as e:      # the runner's own trouble is a failure, never a pass
            answer = {"stage": "run", "reason": "%s: %s" % (type(e).__name__, str(e)[:300])}
        print(json.dumps(answer), file=answers, flush=True)


class Worker:
    def __init__(self, checker):
        self.checker, self.process = checker, None

    def ask(self, **job):
        if self.process is None or self.process.poll() is not None:
            self.start()
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
            line = self.answers.get(timeout=SECONDS)
        except queue.Empty:
            return self.lost("no answer in %d s" % SECONDS)
        except OSError:
            line = ""
        return json.loads(line) if line else self.lost(None)

    def start(self):
        self.process = subprocess.Popen([sys.executable, "-c", "from harness.worker import serve; serve(%r)" % self.checker],
                                        cwd=PACKAGE_FOLDER,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True, encoding="utf-8")
        self.answers = queue.Queue()
        threading.Thread(target=self.read, args=(self.process.stdout, self.answers), daemon=True).start()

    @staticmethod
    def read(stream, answers):
        for line in stream:
            answers.put(line)
        answers.put("")             # the end: the process is gone

    def lost(self, why):
        self.process.kill()
        code = self.process.wait()
        self.process = None
        return {"stage": "run", "reason": why or "the runtime crashed (exit %s)" % code}

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
