#!/usr/bin/env bash
# Makes .venv/compiled ready: the wheel of deploy/wheel.sh, unpacked where PYTHONPATH=.venv/compiled puts it before the
# Python of this tree. Does nothing where the sources are those that it was made of. OPTIMISE is how much the C compiler
# does, from 0 to 3: less is ready sooner, and what a wheel has, 3, is for whoever measures.
set -euo pipefail
cd "$(dirname "$0")/.."

export OPTIMISE=${OPTIMISE:-3}
readonly VENV=${VENV:-.venv}
readonly TARGET=$VENV/compiled
wanted=$OPTIMISE\ $(find stream schemas/*.json pyproject.toml -type f ! -path '*/__pycache__/*' -print0 | sort -z | xargs -0 cksum | cksum)

if [[ $(cat "$TARGET/made-of" 2>/dev/null) == "$wanted" ]]; then exit 0; fi

echo "Compiling the product into $TARGET (after each change to it; a minute)"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
deploy/wheel.sh "$folder" --no-build-isolation
rm -rf "$TARGET"
"$VENV"/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target "$TARGET" "$folder"/*.whl
echo "$wanted" >"$TARGET/made-of"
