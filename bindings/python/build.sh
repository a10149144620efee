#!/usr/bin/env bash
# Builds the wheel into target/wheels of the repository, for this machine: build.sh [options of `maturin build`]
set -euo pipefail
cd "$(dirname "$0")"
cp ../../LICENSE-MIT ../../LICENSE-APACHE .
exec maturin build --profile wheel --locked "$@"
