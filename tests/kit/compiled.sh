#!/usr/bin/env bash
# Makes .venv/compiled ready: the product as extension modules, which PYTHONPATH=.venv/compiled puts before the
# Python of this tree. Built from a copy, for a compiled module left beside its source would hide every later edit.
# Does nothing where the sources are those that it was made of. A C compiler is installed by the system's package
# manager where that needs no password; otherwise the command to run is named, and this fails.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly TARGET=.venv/compiled
wanted=$(find stream pyproject.toml -type f ! -path '*/__pycache__/*' -print0 | sort -z | xargs -0 cksum | cksum)

if [[ $(cat "$TARGET/made-of" 2>/dev/null) == "$wanted" ]]; then exit 0; fi

can_compile() {
  local headers
  headers=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("include"))')
  command -v "${CC:-cc}" >/dev/null && [[ -e $headers/Python.h ]]
}

install_compiler() {
  local version install as=()
  version=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
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

echo "Compiling the product into $TARGET (after each change to it; half a minute)"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R pyproject.toml README.md LICENSE stream "$copy"
rm -rf "$TARGET"
HATCH_BUILD_HOOK_ENABLE_MYPYC=1 .venv/bin/python -m pip install --quiet --disable-pip-version-check \
  --no-deps --target "$TARGET" "$copy"
echo "$wanted" >"$TARGET/made-of"
