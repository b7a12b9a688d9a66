"""The licences of what a bill of materials lists: `python licences.py SBOM.json LICENCES.csv`.

Writes name, version and licence expression (SPDX) of each component. Ends with 1, and writes nothing, where a component
has no licence, or one that licences.toml does not allow: so somebody looks at each new dependency before it is shipped.
"""

import csv
import json
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

POLICY = Path(__file__).with_name("licences.toml")
_NAMES = re.compile(r"[^\s()]+")
_OPERATORS = {"AND", "OR", "WITH"}


class Unclear(Exception):
    """What about a component's licence somebody must look at, and where to write down what they found."""


@dataclass(frozen=True)
class Policy:
    """What a licence may be, and what was read where the metadata leave it open."""

    allowed: frozenset[str]
    read: Mapping[str, Mapping[str, str]]
    """By name of the component: what its metadata say, `says`, and what it is, `is`."""


def load_policy(path: Path = POLICY) -> Policy:
    """The policy of a file like licences.toml."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return Policy(frozenset(document["allowed"]), document["read"])


def licence_of(component: Mapping[str, Any], policy: Policy) -> str:
    """The licence expression of a component of the bill of materials; raise Unclear where nobody could ship it."""
    name, version = component["name"], component["version"]
    said = _said(component.get("licenses", ())) or "nothing"
    read = policy.read.get(name)
    if read is not None and read["says"] == said:
        expression = read["is"]
    elif read is not None:
        raise Unclear(f"{name} {version} says '{said}', and [read.{name}] was written when it said '{read['says']}'")
    else:
        expression = said
    try:
        expression = canonicalize_license_expression(expression)
    except InvalidLicenseExpression:
        raise Unclear(f"{name} {version} says '{said}', no expression of SPDX: {_write_down(name, said)}") from None
    if refused := sorted(set(_NAMES.findall(expression)) - _OPERATORS - policy.allowed):
        raise Unclear(
            f"{name} {version} has the licence {expression}, and {', '.join(refused)} is not among 'allowed': read it, "
            "then add it there, or do without this dependency"
        )
    return expression


def _said(licences: Sequence[Mapping[str, Any]]) -> str:
    """What the metadata say; of several licences each holds."""
    each = [entry.get("expression") or _identifier(entry["license"]) for entry in licences]
    return " AND ".join(each)


def _identifier(licence: Mapping[str, str]) -> str:
    return licence.get("id") or licence["name"]


def _write_down(name: str, said: str) -> str:
    return f"read the licence that it brings, and write it down as [read.{name}], with says = '{said}'"


def main(arguments: Sequence[str]) -> int:
    """0: written, 1: something is unclear."""
    bill, table = Path(arguments[0]), Path(arguments[1])
    policy = load_policy()
    components = json.loads(bill.read_text(encoding="utf-8"))["components"]
    rows, errors = [], []
    for component in sorted(components, key=lambda each: str(each["name"]).lower()):
        try:
            rows.append((component["name"], component["version"], licence_of(component, policy)))
        except Unclear as unclear:
            errors.append(f"error: {POLICY.name}: {unclear}")
    if gone := sorted(set(policy.read) - {component["name"] for component in components}):
        errors.append(f"error: {POLICY.name}: nothing of that name is a dependency any more: {', '.join(gone)}")
    if errors:
        print("\n".join(errors), file=sys.stderr)
        return 1
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("name", "version", "licence"), *rows])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
