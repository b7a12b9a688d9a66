#!/usr/bin/env bash
# Makes .venv/compiled ready: the wheel of deploy/wheel.sh, unpacked where PYTHONPATH=.venv/compiled puts it before the
# Python of this tree. Does nothing where the sources are those that it was made of.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly VENV=${VENV:-.venv}
readonly TARGET=$VENV/compiled
wanted=$(find stream schemas/*.json pyproject.toml -type f ! -path '*/__pycache__/*' -print0 | sort -z | xargs -0 cksum | cksum)

if [[ $(cat "$TARGET/made-of" 2>/dev/null) == "$wanted" ]]; then exit 0; fi

echo "Compiling the product into $TARGET (after each change to it; half a minute)"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
deploy/wheel.sh "$folder"
rm -rf "$TARGET"
"$VENV"/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target "$TARGET" "$folder"/*.whl
echo "$wanted" >"$TARGET/made-of"
