#!/usr/bin/env bash
# What a server would do with a release, for release.sh: try.sh BUILD PYTHON FOLDER PURE. Lets pip choose among the wheels
# of the folder, sees that it took a compiled one, and that this computes what the one that is not compiled does.
set -euo pipefail

readonly BUILD=$1 VERSION=$2 FOLDER=$3 PURE=$4
readonly PLACE=$BUILD/try-$VERSION

pip() {
  "$BUILD"/tools/bin/python -m pip --disable-pip-version-check --no-input --quiet "$@"
}

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

purchases() { # FOLDER WITH THE PRODUCT, FILE FOR THE STAGE CHANGES
  PYTHONPATH=$1 "$PLACE/bin/python" -P "$PLACE/bin/lifecycle" simulate --lifecycle metrics \
    --input "$PLACE/purchases.jsonl.gz" --changes "$2" >"$PLACE/summary" 2>&1 ||
    { cat "$PLACE/summary" >&2; fail "purchases could not be simulated"; }
}

pip --python "$PLACE/bin/python" download --no-index --no-deps --find-links "$FOLDER" --dest "$PLACE/taken" \
  customer-lifecycle
taken=$(echo "$PLACE"/taken/*)
[[ $taken == *-cp${VERSION/./}-*manylinux* ]] || fail "for Python $VERSION pip takes ${taken##*/}, which is not compiled"
pip --python "$PLACE/bin/python" install --no-compile --prefer-binary "$taken"

said=$("$PLACE/bin/lifecycle" --version)
[[ $said == *"(compiled, Python $VERSION."* ]] || fail "${taken##*/} says that it is '$said'"

pip --python "$PLACE/bin/python" install --no-compile --no-deps --target "$PLACE/pure" "$PURE"
site=$("$PLACE/bin/python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
cp "$PLACE/pure/stream/demo/purchases.jsonl.gz" "$PLACE" # its path is in the stage changes
purchases "$site" "$PLACE/compiled.jsonl"
purchases "$PLACE/pure" "$PLACE/pure.jsonl"
[[ -s $PLACE/pure.jsonl ]] || fail "no purchase moved anybody"
cmp "$PLACE/compiled.jsonl" "$PLACE/pure.jsonl" || fail "compiled, ${taken##*/} computes something else"
