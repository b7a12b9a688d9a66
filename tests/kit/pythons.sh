#!/usr/bin/env bash
# `make check` on every Python from 3.11 to 3.14 that is found, on the PATH or among pyenv's, each with an environment of
# its own (.venv-3.12, …); then the tests of what is compiled, compiled by that Python. Ends with a line for each.
set -euo pipefail
cd "$(dirname "$0")/../.."

results=() failed=0
for version in 3.11 3.12 3.13 3.14; do
  if ! python=$(deploy/find_python.sh "$version"); then
    results+=("Python $version: not found here")
  elif PYTHON=$python VENV=.venv-$version make --no-print-directory check &&
    OPTIMISE=1 VENV=.venv-$version deploy/compiled.sh && VENV=.venv-$version make --no-print-directory alike; then
    results+=("Python $version: good")
  else
    results+=("Python $version: FAILED") failed=1
  fi
done
printf '%s\n' "${results[@]}"
exit "$failed"
