#!/usr/bin/env bash
# Builds the product as a compiled wheel: deploy/wheel.sh [FOLDER [PIP'S OPTIONS]], else into dist.
# From a copy, for a compiled module left beside its source would hide every later edit. A C compiler is installed by
# the system's package manager where that needs no password; otherwise the command to run is named, and this fails.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly FOLDER=${1:-dist}
readonly PYTHON=${VENV:-.venv}/bin/python

can_compile() {
  local headers
  headers=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("include"))')
  command -v "${CC:-cc}" >/dev/null && [[ -e $headers/Python.h ]]
}

install_compiler() {
  local version install as=()
  version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  if command -v apt-get >/dev/null; then
    install="apt-get update -qq && apt-get install -y -qq gcc libc6-dev python$version-dev"
  elif command -v dnf >/dev/null; then
    install="dnf install -y -q gcc python$version-devel"
  else
    echo "error: a C compiler and Python's headers are needed; install them (macOS: xcode-select --install)" >&2
    return 1
  fi
  if [[ $(id -u) != 0 ]]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      echo "error: a C compiler and Python's headers are needed; run this as root, then try again:  $install" >&2
      return 1
    fi
    as=(sudo)
  fi
  echo "Installing a C compiler: $install"
  ${as[@]+"${as[@]}"} env DEBIAN_FRONTEND=noninteractive sh -c "$install" >/dev/null </dev/null
}

if ! can_compile; then
  install_compiler
  can_compile || { echo "error: a compiler was installed, and cc or Python.h is still not found" >&2; exit 1; }
fi

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R pyproject.toml README.md LICENSE schemas stream "$copy"
if [[ -n ${OPTIMISE:-} ]]; then # for tests, see compiled.sh
  sed -i.as-it-is "s/opt_level = \"3\"/opt_level = \"$OPTIMISE\"/" "$copy/pyproject.toml"
fi
# Scores must be those of Python to the last bit: a product and a sum in one instruction, where a processor has it, would
# round once, and exp2, which clang takes for a power of 2, rounds otherwise. CFLAGS would replace those of Python.
export CPPFLAGS="${CPPFLAGS:-} -ffp-contract=off -fno-builtin-pow"
HATCH_BUILD_HOOK_ENABLE_MYPYC=1 "$PYTHON" -m pip wheel --quiet --disable-pip-version-check \
  --no-deps --wheel-dir "$FOLDER" "${@:2}" "$copy"

if [[ $# == 0 ]]; then # for people
  "$PYTHON" -c 'import platform, sys
print(f"A compiled wheel, for the Python and platform that built it alone: Python {sys.version_info[0]}."
      f"{sys.version_info[1]} on {platform.system()} {platform.machine()}. Build it with the Python of your servers.")'
fi
