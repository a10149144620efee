#!/usr/bin/env bash
# Writes what the wheel, the program and the C library are made of, as CycloneDX: sbom.sh FOLDER. Needs cargo-cyclonedx.
set -euo pipefail
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
for crate in bindings/python bindings/c cli; do
  cargo cyclonedx --format json --spec-version 1.5 --describe crate --manifest-path "$crate/Cargo.toml" --override-filename sbom.cdx
  mv "$crate/sbom.cdx.json" "$out/$(basename "$crate").cdx.json"
done
# The tool leaves one beside each member of the workspace.
git ls-files --others --exclude-standard '*sbom.cdx.json' | xargs -r rm --
