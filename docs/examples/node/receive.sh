#!/usr/bin/env bash
# Runs the receiver in Node: WEBHOOK_SECRET=whsec_… receive.sh PORT [COUNT]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
installed=$here/target

mkdir -p "$installed"
cp "$here"/*.mjs "$here/package.json" "$installed"
npm install --prefix "$installed" --no-package-lock --no-audit --no-fund --loglevel=error >/dev/null
exec node "$installed/receiver.mjs" "$@"
