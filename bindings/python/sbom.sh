#!/usr/bin/env bash
# Writes what the wheel, the program and the C library are made of, as CycloneDX: sbom.sh FOLDER. Needs cargo-cyclonedx.
set -euo pipefail
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
cargo cyclonedx --format json --spec-version 1.5 --override-filename sbom.cdx --quiet
cp bindings/python/sbom.cdx.json "$out/python.cdx.json"
cp bindings/c/sbom.cdx.json "$out/c.cdx.json"
cp cli/sbom.cdx.json "$out/cli.cdx.json"
# The tool leaves one beside each member of the workspace.
git ls-files --others --exclude-standard -- '*sbom.cdx.json' | xargs -r rm --
