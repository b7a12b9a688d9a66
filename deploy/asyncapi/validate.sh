#!/usr/bin/env bash
# Validates schemas/asyncapi.yaml with AsyncAPI's own parser; needs Node 18 or newer and npm.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
installed=$here/target

mkdir -p "$installed"
cp "$here/package.json" "$here/validate.mjs" "$installed"
npm install --prefix "$installed" --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
node "$installed/validate.mjs" "$here/../../schemas/asyncapi.yaml"
