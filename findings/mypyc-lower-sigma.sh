#!/usr/bin/env bash
# mypyc 2.4.1: str.lower in a compiled function maps each letter by itself. Python's has a rule for a capital sigma that
# ends a word, so that one text has two lower forms, by whether the module that lowers it is compiled. Before Python
# 3.13, where mypyc calls Python's own. `str.lower` taken as a function, not called as a method, is Python's everywhere.
# Seen with Python 3.11: Python οδος, compiled οδοσ, compiled by the function οδος. Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { echo "needs a Python before 3.13"; exit 1; }
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mypy==2.4.1 setuptools==80.9.0
cd "$folder"

cat >lowering.py <<'CODE'
from collections.abc import Callable
from typing import Final

LOWER: Final[Callable[[str], str]] = str.lower


def by_method(text: str) -> str:
    return text.lower()


def by_function(text: str) -> str:
    return LOWER(text)
CODE
PATH=$folder/venv/bin:$PATH venv/bin/mypyc lowering.py >log 2>&1 || { cat log; exit 1; }
rm lowering.py
said=$(PYTHONIOENCODING=utf-8 venv/bin/python -c '
from lowering import by_function, by_method
word = "\u039f\u0394\u039f\u03a3"  # a way, in Greek capitals
print(word.lower(), by_method(word), by_function(word))')
echo "Python, compiled, compiled by the function: $said"
[[ $said == "οδος οδοσ οδος" ]]
