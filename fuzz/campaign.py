#!/usr/bin/env python3
"""The fuzzing campaign: runs every target for a while, and says what came of it.

  fuzz/campaign.py [--seconds 600] [--workers CORES] [--targets a,b] [--store] [--coverage] [--skip-build]

For each target: its corpus in fuzz/corpus is filled from corpus/seeds and from the small models of the corpus, the target
runs, and the corpus is merged to its minimum. The first finding ends the campaign with exit 1: the input is minimised and
written to corpus/regress/TARGET under the name of what broke, from where the replay test runs it for ever.
--store packs the minimised corpora into the archives of corpus/seeds; --coverage measures what they reach. Figures are kept in
fuzz/campaign.json, where executions add up over campaigns, and the table that is made of them is printed and written to
docs/fuzzing.md, between its markers. Needs cargo-fuzz, and for coverage llvm-profdata and llvm-cov of the compiler's LLVM version.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import coverage

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
READ_MODELS = ["wire", "container", "dictionary", "parse", "validate", "convert", "pytorch", "differential", "roundtrip"]
TARGETS = READ_MODELS + ["record", "generated", "hostile_edit"]
# Bytes of decisions, or a model of ordinary size.
MAX_LEN = {"generated": 768, "hostile_edit": 768}
# Optimised, debug assertions on; no sanitizer, since there is no unsafe code to look after, so that the stable compiler
# does; comparisons untraced, which the mutator makes up for at twice the speed.
BUILD = ["cargo", "fuzz", "build", "-O", "-a", "-s", "none", "--no-trace-compares"]
LARGEST_SEED = 16 << 10
MEMORY_MB = 2048
# What goes to git for each target: the smallest inputs, up to so many bytes and so many files.
STORED_BYTES = 900_000
STORED_FILES = 2000
LEDGER = ROOT / "fuzz" / "campaign.json"
MARKERS = ("<!-- campaign -->\n", "<!-- end of campaign -->\n")


def main():
    args = arguments()
    if not args.skip_build:
        subprocess.run(BUILD, cwd=ROOT, check=True)
    for target in args.targets.split(","):
        fill(target)
        row = run(target, args.seconds, args.workers)
        record(target, row)
        if row["finding"]:
            name = keep(target, row["finding"])
            print("%s broke: %s\n%s" % (target, name, row["message"]), file=sys.stderr)
            sys.exit(1)
        merge(target)
        if args.store:
            store(target)
    if args.coverage:
        note("coverage", coverage.report(CORPUS))
    text = table(json.loads(LEDGER.read_text(encoding="utf-8")))
    print(text)
    write_down(text)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=600, help="for each target")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes at a time")
    parser.add_argument("--targets", default=",".join(TARGETS))
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("--skip-build", action="store_true")
    return parser.parse_args()


def binary(target):
    folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "fuzz" / "target"))
    return folder / "x86_64-unknown-linux-gnu" / "release" / target


def fill(target):
    """Seeds into an empty corpus."""
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    fresh = not any(folder.iterdir())
    if archive(target).exists():
        with zipfile.ZipFile(archive(target)) as seeds:
            seeds.extractall(folder)
    sources = list((ROOT / "corpus" / "regress" / target).glob("*"))
    if target in READ_MODELS and fresh:
        for part in ("ops", "attributes", "zoo", "v1", "hostile"):
            sources += (ROOT / "corpus" / part).glob("*.model")
    for path in sources:
        if path.stat().st_size <= LARGEST_SEED:
            shutil.copy(path, folder / path.name)


def options(target):
    return ["-max_len=%d" % MAX_LEN.get(target, 4096), "-timeout=20", "-rss_limit_mb=%d" % MEMORY_MB, "-malloc_limit_mb=1024",
            "-dict=%s" % (ROOT / "fuzz" / "dictionary.txt"), "-artifact_prefix=%s/" % artifacts(target)]


def artifacts(target):
    folder = ROOT / "fuzz" / "artifacts" / target
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run(target, seconds, workers):
    """Runs the target; its figures, and its finding if there is one."""
    before = set(artifacts(target).iterdir())
    command = ["nice", str(binary(target)), "-max_total_time=%d" % seconds, "-print_final_stats=1", *options(target), str(CORPUS / target)]
    start = time.monotonic()
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
                 for _ in range(workers)]
    logs = [process.communicate()[1] for process in processes]
    took = time.monotonic() - start
    numbers = lambda key: [int(n) for log in logs for n in re.findall(key + r": +(\d+)", log)]
    executions = sum(numbers("number_of_executed_units"))
    found = sorted(set(artifacts(target).iterdir()) - before)
    message = "\n".join(line for log in logs for line in log.splitlines() if "panicked" in line or "ERROR" in line)
    return {"target": target, "executions": executions, "rate": executions / took, "memory": max(numbers("peak_rss_mb"), default=0),
            "slowest": max(numbers("slowest_unit_time_sec"), default=0), "finding": found[0] if found else None, "message": message,
            "logs": logs}


def keep(target, finding):
    """Minimises a finding and gives it a name in corpus/regress."""
    small = finding.with_suffix(".min")
    subprocess.run([str(binary(target)), "-minimize_crash=1", "-max_total_time=60", "-exact_artifact_path=%s" % small,
                    *options(target)[:-1], str(finding)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # The minimiser may lose what it was given.
    fails = small.exists() and subprocess.run([str(binary(target)), str(small)], stderr=subprocess.DEVNULL).returncode != 0
    smallest = small if fails else finding
    said = subprocess.run([str(binary(target)), str(smallest)], stderr=subprocess.PIPE, text=True, errors="replace").stderr
    place = re.search(r"panicked at [^\n]*/(\w+)\.rs:\d+:\d+:\n([^\n]*)", said)
    words = "%s %s" % place.groups() if place else finding.name
    name = "_".join(re.findall(r"[a-z]+", words.lower())[:8]) or finding.name
    folder = ROOT / "corpus" / "regress" / target
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(smallest, folder / name)
    return "corpus/regress/%s/%s" % (target, name)


def merge(target):
    """Replaces the corpus by as few inputs as reach the same."""
    folder = CORPUS / target
    old = folder.with_name(target + ".old")
    shutil.rmtree(old, ignore_errors=True)
    folder.rename(old)
    folder.mkdir()
    subprocess.run([str(binary(target)), "-merge=1", "-rss_limit_mb=%d" % MEMORY_MB, str(folder), str(old)],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    shutil.rmtree(old)


def store(target):
    """Packs the smallest inputs into the archive of corpus/seeds, the same bytes for the same inputs."""
    total = 0
    smallest = sorted((CORPUS / target).iterdir(), key=lambda p: (p.stat().st_size, p.name))
    with zipfile.ZipFile(archive(target), "w") as seeds:
        for path in smallest[:STORED_FILES]:
            total += path.stat().st_size
            if total > STORED_BYTES:
                break
            seeds.writestr(zipfile.ZipInfo(path.name[:16]), path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def archive(target):
    """The stored seeds of a target, under the name that OSS-Fuzz looks for."""
    return ROOT / "corpus" / "seeds" / (target + "_seed_corpus.zip")


def stored(target):
    """How many there are."""
    if not archive(target).exists():
        return 0
    with zipfile.ZipFile(archive(target)) as seeds:
        return len(seeds.namelist())


def record(target, row):
    """Adds a run to the figures of its target."""
    known = json.loads(LEDGER.read_text(encoding="utf-8")).get(target, {})
    note(target, {
        "executions": known.get("executions", 0) + row["executions"],
        "rate": round(row["rate"]),
        "memory": row["memory"],
        "slowest": row["slowest"],
    })


def note(key, value):
    figures = json.loads(LEDGER.read_text(encoding="utf-8"))
    figures[key] = value
    LEDGER.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def table(figures):
    lines = ["| target | executions, all campaigns | per second, the last | peak memory (MB) | slowest input (s) | stored seeds |",
             "| --- | --- | --- | --- | --- | --- |"]
    rows = [(target, figures[target]) for target in TARGETS if target in figures]
    for target, row in rows:
        seeds = stored(target)
        lines.append("| %s | %d | %d | %d | %d | %d |" % (target, row["executions"], row["rate"], row["memory"], row["slowest"], seeds))
    lines.append("| **all** | **%d** | | | | |" % sum(row["executions"] for _, row in rows))
    return "\n".join(lines) + "\n\n" + figures.get("coverage", "")


def write_down(text):
    path = ROOT / "docs" / "fuzzing.md"
    page = path.read_text(encoding="utf-8")
    begin, end = (page.index(marker) for marker in MARKERS)
    path.write_text(page[:begin] + MARKERS[0] + text + page[end:], encoding="utf-8")


if __name__ == "__main__":
    main()
