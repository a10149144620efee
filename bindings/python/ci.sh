#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh environment, and runs everything that checks the package there.
#   bindings/python/ci.sh [PYTHON]
# The environment sees the packages of PYTHON's own installation: where torch is among them, it is tested, too; with
# TORCH=required it has to be. The examples for modelaudit, Dask and Ray are tested where those are installed.
set -euo pipefail
cd "$(dirname "$0")"
python=${1:-python3}
root=$(cd ../.. && pwd)
env=$root/target/python-package
rm -rf "$env" "$root/target/wheels"
"$python" -m venv --system-site-packages "$env"
"$env/bin/pip" install -q --disable-pip-version-check -r requirements-dev.txt
PATH="$env/bin:$PATH" ./build.sh --out "$root/target/wheels" --interpreter "$env/bin/python" --quiet
"$env/bin/pip" install -q --disable-pip-version-check "$root"/target/wheels/cntk2onnx-*.whl
"$env/bin/ruff" check .
"$env/bin/ruff" format --check .
"$env/bin/twine" check --strict "$root"/target/wheels/cntk2onnx-*.whl
size=$(stat -c %s "$root"/target/wheels/cntk2onnx-*.whl)
[ "$size" -le $((6 << 20)) ] || { echo "the wheel takes $size bytes, more than 6 MiB" >&2; exit 1; }
"$env/bin/mypy" --strict --config-file pyproject.toml -p cntk2onnx
"$env/bin/mypy" --strict --config-file pyproject.toml examples measure.py
(cd "$root/target" && "$env/bin/stubtest" cntk2onnx._native --allowlist "$OLDPWD/stubtest-allowlist")
RUNTIMES=required "$env/bin/python" -m pytest -q
