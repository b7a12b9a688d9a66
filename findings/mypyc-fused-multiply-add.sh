#!/usr/bin/env bash
# mypyc 2.4.1: a product and a sum in one expression, compiled, may be another number than Python's. mypyc writes both
# into one C expression, and GCC makes one instruction of it that rounds once, where the machine has such: on every
# arm64, and on x86-64 where CFLAGS name a machine that has it. Python rounds twice everywhere.
# Seen, of 0.1 * 10.0 - 1.0: Python 0.0; compiled as it comes for x86-64 0.0; with -march=x86-64-v3
# 5.551115123125783e-17; with -ffp-contract=off besides 0.0 again. Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mypy==2.4.1 setuptools==80.9.0
cd "$folder"
PATH=$folder/venv/bin:$PATH

cat >summing.py <<'CODE'
def less(one: float, other: float, third: float) -> float:
    return one * other - third
CODE
ask='from summing import less; print(less(0.1, 10.0, 1.0))'

python=$(python -c "$ask")
echo "Python:                            $python"
compiled() {
  rm -rf build ./*.so
  CC=gcc CFLAGS="$1" mypyc summing.py >log 2>&1 || { cat log; exit 1; }
  mv summing.py kept.py
  python -c "$ask"
  mv kept.py summing.py
}
plain=$(compiled "")
echo "compiled:                          $plain"
fused=$(compiled "-march=x86-64-v3")
echo "with -march=x86-64-v3:             $fused"
apart=$(compiled "-march=x86-64-v3 -ffp-contract=off")
echo "with -ffp-contract=off besides:    $apart"
[[ "$python $plain $fused $apart" == "0.0 0.0 5.551115123125783e-17 0.0" ]]
