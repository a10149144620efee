#!/bin/bash -eu
# Builds every fuzz target into $OUT, with its seeds and dictionary. The variables are ClusterFuzzLite's; to try it
# elsewhere: SRC=… OUT=… SANITIZER=address .clusterfuzzlite/build.sh, from the root of the repository.
sanitizer=${SANITIZER:-address}
case $sanitizer in
  address) flag=address ;;
  *) flag=none ;;
esac
if [ "$sanitizer" = coverage ]; then
  export RUSTFLAGS="${RUSTFLAGS:-} -Cinstrument-coverage"
fi
# The builder's image has nightly as its default; elsewhere it is named.
toolchain=${FUZZ_TOOLCHAIN-}
cargo ${toolchain:++$toolchain} fuzz build --release --debug-assertions --sanitizer "$flag"

built=${CARGO_TARGET_DIR:-fuzz/target}/x86_64-unknown-linux-gnu/release
for source in fuzz/fuzz_targets/*.rs; do
  target=$(basename "$source" .rs)
  cp "$built/$target" "$OUT/"
  cp fuzz/dictionary.txt "$OUT/$target.dict"
  printf '[libfuzzer]\nmax_len = 16384\ntimeout = 20\nrss_limit_mb = 2048\n' > "$OUT/$target.options"
  seeds=$(mktemp -d)
  python3 -m zipfile -e "corpus/seeds/${target}_seed_corpus.zip" "$seeds"
  if [ -d "corpus/regress/$target" ]; then cp "corpus/regress/$target"/* "$seeds/"; fi
  if [ -n "$(ls -A "$seeds")" ]; then
    (cd "$seeds" && python3 -m zipfile -c "$OUT/${target}_seed_corpus.zip" ./*)
  fi
  rm -r "$seeds"
done
