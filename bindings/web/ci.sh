#!/usr/bin/env bash
# Builds the page and runs its tests in headless Chromium, against the program of the profile that the workspace's tests use.
# Installs Node.js and Chromium where they are missing (Debian).
set -euo pipefail
cd "$(dirname "$0")"
export PROFILE=${PROFILE:-fast}

missing=()
command -v node >/dev/null && command -v npm >/dev/null || missing+=(nodejs npm)
[ -n "${CHROMIUM:-}" ] || command -v chromium chromium-browser google-chrome >/dev/null || missing+=(chromium)
if [ "${#missing[@]}" -gt 0 ]; then
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

rm -rf node_modules
npm ci --silent
if grep -n '"resolved"' package-lock.json; then
  echo 'package-lock.json names a registry' >&2
  exit 1
fi
./build.sh
cargo build --quiet --locked --profile "$PROFILE" -p cntk2onnx-cli
node --test tests/page.test.mjs
