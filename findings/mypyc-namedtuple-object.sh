#!/usr/bin/env bash
# mypyc 2.4.1: a NamedTuple with a field of type `object` type-checks and compiles without a word, and the compiled
# module cannot be imported: KeyError: 'object'. As Python, and with `str` for `object`, the same file is imported.
# Seen: KeyError: 'object' at import, exit code 1. Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mypy==2.4.1 setuptools==80.9.0
cd "$folder"

for type in object str; do
  printf 'from typing import NamedTuple\n\n\nclass Plain(NamedTuple):\n    field: %s\n' "$type" >"with_$type.py"
done
venv/bin/python -c 'import with_object, with_str; print("as Python both are imported")'

PATH=$folder/venv/bin:$PATH venv/bin/mypyc with_object.py with_str.py >log 2>&1 || { cat log; exit 1; }
rm with_object.py with_str.py
venv/bin/python -c 'import with_str; print("compiled, str:   ", with_str.Plain("x"))'
if said=$(venv/bin/python -c 'import with_object' 2>&1); then
  echo "compiled, object: imported: this changed"
  exit 1
fi
said=$(tail -n 1 <<<"$said")
echo "compiled, object: $said"
[[ $said == "KeyError: 'object'" ]]
