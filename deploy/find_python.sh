#!/usr/bin/env bash
# Prints the Python of a version, on the PATH or among pyenv's: deploy/find_python.sh 3.13. Fails where there is none.
set -euo pipefail

for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
  if "$candidate" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != sys.argv[1])' "$1" 2>/dev/null; then
    command -v "$candidate"
    exit
  fi
done
exit 1
