#!/usr/bin/env bash
# Builds the page: bindings/web/dist/index.html. With --open, shows it in a browser. Needs Rust (rustup) and Node.js.
set -euo pipefail
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-../../target}

rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown
cargo build --locked -p cntk2onnx-web --lib --target wasm32-unknown-unknown --profile web --target-dir "$target"
cargo run --quiet --locked --manifest-path bundle/Cargo.toml --target-dir "$target/bundle" -- \
  "$target/wasm32-unknown-unknown/web/cntk2onnx_web.wasm" target
[ -d node_modules ] || npm ci --silent
node build.mjs

if [ "${1:-}" = --open ]; then
  page=$PWD/dist/index.html
  if [ "$(uname)" != Linux ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    for opener in xdg-open open firefox chromium; do
      if command -v "$opener" >/dev/null; then exec "$opener" "$page"; fi
    done
  fi
  echo "open $page in a browser"
fi
