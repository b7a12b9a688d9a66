#!/usr/bin/env bash
# Sees to Graphviz, which tests let read the graphs of `lifecycle validate --dot`. Installed by the system's package
# manager where that needs no password; otherwise the command to run is named, and this fails.
set -euo pipefail

if command -v dot >/dev/null; then
  exit
fi

if command -v apt-get >/dev/null; then
  install="apt-get update -qq && apt-get install -y -qq graphviz"
elif command -v dnf >/dev/null; then
  install="dnf install -y -q graphviz"
elif command -v brew >/dev/null; then
  install="brew install graphviz"
else
  echo "error: the tests need Graphviz; install it, see that 'dot' is on the PATH, and run this again" >&2
  exit 1
fi

as=()
if [[ $install != brew* && $(id -u) != 0 ]]; then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
    echo "error: the tests need Graphviz; run this as root, then try again:  $install" >&2
    exit 1
  fi
  as=(sudo)
fi
echo "Installing Graphviz: $install"
${as[@]+"${as[@]}"} env DEBIAN_FRONTEND=noninteractive sh -c "$install" >/dev/null </dev/null
command -v dot >/dev/null || { echo "error: Graphviz was installed and 'dot' is still not on the PATH" >&2; exit 1; }
