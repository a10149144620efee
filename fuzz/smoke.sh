#!/usr/bin/env bash
# Runs every fuzz target for a short while from its stored corpus: `smoke.sh [SECONDS]`, 20 each by default.
# Without a sanitizer the targets build on the stable compiler, so that a fresh machine needs no other.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20}
cargo fuzz --version >/dev/null 2>&1 || cargo install --quiet --locked cargo-fuzz

cargo fuzz build --release --debug-assertions --sanitizer none --no-trace-compares
built=${CARGO_TARGET_DIR:-fuzz/target}/x86_64-unknown-linux-gnu/release
mkdir -p fuzz/artifacts
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
for source in fuzz/fuzz_targets/*.rs; do
  target=$(basename "$source" .rs)
  mkdir "$work/$target"
  folders=("$work/$target")
  mkdir "$work/seeds-of-$target"
  python3 -m zipfile -e "corpus/seeds/${target}_seed_corpus.zip" "$work/seeds-of-$target"
  folders+=("$work/seeds-of-$target")
  [ -d "corpus/regress/$target" ] && folders+=("corpus/regress/$target")
  if ! "$built/$target" -seed=1 -max_total_time="$seconds" -max_len=4096 -timeout=20 -rss_limit_mb=2048 -dict=fuzz/dictionary.txt \
    -artifact_prefix="fuzz/artifacts/$target-" -print_final_stats=1 "${folders[@]}" >"$work/log" 2>&1; then
    cat "$work/log"
    echo "fuzz target $target found something" >&2
    exit 1
  fi
  printf '%-14s %s executions\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")"
done
