#!/usr/bin/env bash
# `make check` on every Python from 3.11 to 3.14 that is found, on the PATH or among pyenv's, each with an environment of
# its own (.venv-3.12, …); then the tests of what is compiled, compiled by that Python. Ends with a line for each.
set -euo pipefail
cd "$(dirname "$0")/../.."

find_python() { # VERSION
  local candidate
  for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
    if "$candidate" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != sys.argv[1])' "$1" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

results=() failed=0
for version in 3.11 3.12 3.13 3.14; do
  if ! python=$(find_python "$version"); then
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
