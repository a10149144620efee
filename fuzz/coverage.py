#!/usr/bin/env python3
"""Which parts of parser/ and converter/ a replay of the corpora reaches, by source-based coverage: `coverage.py [SEEDS]`."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def tool(name):
    """llvm-profdata or llvm-cov of the compiler's LLVM version: the format changes with it."""
    said = subprocess.run(["rustc", "-vV"], check=True, stdout=subprocess.PIPE, text=True).stdout
    major = re.search(r"LLVM version: (\d+)", said).group(1)
    found = shutil.which("%s-%s" % (name, major))
    if not found:
        sys.exit("%s-%s is missing; on Debian: apt-get install llvm-%s" % (name, major, major))
    return found


def measure(seeds):
    """{folder: {"regions": percent, "lines": percent}} and the same for each file."""
    profdata, cov = tool("llvm-profdata"), tool("llvm-cov")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "coverage"
    shutil.rmtree(target / "profiles", ignore_errors=True)
    environment = dict(os.environ, CARGO_TARGET_DIR=str(target), RUSTFLAGS="-Cinstrument-coverage", SEEDS=str(seeds),
                       LLVM_PROFILE_FILE=str(target / "profiles" / "%p-%m.profraw"))
    command = ["cargo", "test", "--profile", "fast", "-p", "cntk-fuzz-replay", "--test", "replay"]
    built = subprocess.run(command + ["--no-run", "--message-format=json"], cwd=ROOT, env=environment, check=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    made = [json.loads(line).get("executable") for line in built.splitlines()]
    program = next(path for path in reversed(made) if path)
    subprocess.run([program], cwd=ROOT / "fuzz" / "replay", env=environment, check=True, stdout=subprocess.DEVNULL)
    profiles = [str(path) for path in (target / "profiles").iterdir()]
    subprocess.run([profdata, "merge", "-sparse", "-o", str(target / "all.profdata"), *profiles], check=True)
    exported = subprocess.run([cov, "export", "-summary-only", "-instr-profile", str(target / "all.profdata"), program], check=True,
                              stdout=subprocess.PIPE).stdout
    return [(os.path.relpath(f["filename"], ROOT), f["summary"]) for f in json.loads(exported)["data"][0]["files"]]


def report(seeds):
    """A table of the two crates."""
    files = measure(seeds)
    lines = ["| crate | regions | lines |", "| --- | --- | --- |"]
    for crate in ("parser", "converter"):
        mine = [summary for name, summary in files if name.startswith(crate + "/src")]
        share = lambda kind: 100 * sum(s[kind]["covered"] for s in mine) / max(1, sum(s[kind]["count"] for s in mine))
        lines.append("| %s/ | %.1f %% | %.1f %% |" % (crate, share("regions"), share("lines")))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "corpus" / "seeds"
    print(report(folder))
    for name, summary in sorted(measure(folder), key=lambda f: f[1]["regions"]["percent"]):
        if name.startswith(("parser/src", "converter/src")):
            print("%6.1f %%  %4d regions missed  %s" % (summary["regions"]["percent"], summary["regions"]["notcovered"], name))
