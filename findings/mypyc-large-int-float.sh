#!/usr/bin/env bash
# mypyc 2.4.1: a whole number beyond all doubles cannot be compared with a float where this is compiled. Python answers
# 10**400 < 1e22 with False; compiled, a parameter of type `int` raises OverflowError, one of type `int | float`
# TypeError (float object expected; got int).
# Seen: False as Python; OverflowError and TypeError compiled. Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mypy==2.4.1 setuptools==80.9.0
cd "$folder"

cat >comparing.py <<'CODE'
def whole(number: int) -> bool:
    return number < 1e22


def either(number: int | float) -> bool:
    return abs(number) < 1e22
CODE
cat >ask.py <<'CODE'
import comparing

for ask in (comparing.whole, comparing.either):
    try:
        print(ask(10**400))
    except Exception as error:
        print(type(error).__name__)
CODE
python=$(venv/bin/python ask.py | tr '\n' ' ')
echo "Python:   $python"
PATH=$folder/venv/bin:$PATH venv/bin/mypyc comparing.py >log 2>&1 || { cat log; exit 1; }
rm comparing.py
compiled=$(venv/bin/python ask.py | tr '\n' ' ')
echo "compiled: $compiled"
[[ $python == "False False " && $compiled == "OverflowError TypeError " ]]
