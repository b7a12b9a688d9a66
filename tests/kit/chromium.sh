#!/usr/bin/env bash
# Sees to Chromium, in which tests look at the console. Installed by the system's package manager where that needs no
# password; otherwise the command to run is named, and this fails. CHROMIUM may name another Chromium or Chrome.
set -euo pipefail

readonly NAMES=(${CHROMIUM:-chromium chromium-browser google-chrome google-chrome-stable})
found() {
  command -v "${NAMES[@]}" >/dev/null
}

if found; then
  exit
fi

if [[ -n ${CHROMIUM:-} ]]; then
  echo "error: CHROMIUM names $CHROMIUM, which is no program here; unset it, or set it to the path of a Chromium" >&2
  exit 1
fi
if command -v apt-get >/dev/null; then
  install="apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core"
elif command -v dnf >/dev/null; then
  install="dnf install -y -q chromium"
else
  echo "error: the tests of the console need Chromium; install it, see that 'chromium' is on the PATH or that CHROMIUM" \
    "names it, and run this again" >&2
  exit 1
fi

as=()
if [[ $(id -u) != 0 ]]; then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
    echo "error: the tests of the console need Chromium; run this as root, then try again:  $install" >&2
    exit 1
  fi
  as=(sudo)
fi
echo "Installing Chromium: $install"
${as[@]+"${as[@]}"} env DEBIAN_FRONTEND=noninteractive sh -c "$install" >/dev/null </dev/null || {
  echo "error: the tests of the console need Chromium, and it could not be installed: what went wrong stands above." \
    "Install it yourself, or set CHROMIUM to the path of a Chromium or Chrome, and run this again" >&2
  exit 1
}
found || { echo "error: Chromium was installed and 'chromium' is still not on the PATH" >&2; exit 1; }
