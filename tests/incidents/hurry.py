"""The rules of deploy/alerts with durations short enough to wait for.

- Up to a day every duration of a rule (`for`, `[range]`, `offset`) is divided by 60, to no less than 5 seconds:
  Prometheus scrapes every second, and a partition takes 2 seconds to move.
- A day and longer is divided by 720: a day is two minutes.
- Bounds of 300 and 3,600 seconds are divided by 60. All other bounds stay: of numbers, of shares, of seconds up to 60.
"""

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

RULES: Final = Path(__file__).parents[2] / "deploy" / "alerts"
FACTOR: Final = 60
FACTOR_OF_DAYS: Final = 720
SHORTEST: Final = 5.0
"""Seconds."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_BOUND: Final = re.compile(r"(>\s*)(300|3600)(?=\s*(?:$|unless))")
_FAMILY: Final = re.compile(r"(?<![\w:\"])(lifecycle[_:][\w:]+|up|process_start_time_seconds)(?=[{\[)\s]|$)")
_IN_EXPRESSION: Final = re.compile(r"(?<=\[)\d+[smhdw](?=\])|(?<=offset )\d+[smhdw]\b")


def seconds(duration: str) -> int:
    """Of a duration with one unit, as Prometheus writes it: `2m`."""
    return int(duration[:-1]) * _UNITS[duration[-1]]


def hurried(duration: str) -> str:
    """The short one in its place."""
    lasts = seconds(duration)
    short = lasts / FACTOR_OF_DAYS if lasts >= _UNITS["d"] else max(lasts / FACTOR, SHORTEST)
    return f"{round(short * 1_000)}ms"


def hurried_expression(expression: str) -> str:
    """PromQL with short durations and bounds."""
    text = _IN_EXPRESSION.sub(lambda found: hurried(found[0]), expression.strip())
    return _BOUND.sub(lambda found: f"{found[1]}{int(found[2]) / FACTOR:g}", text)


def alerts() -> dict[str, dict[str, Any]]:
    """Every alert by its name, as deploy/alerts has it."""
    return {rule["alert"]: rule for rule in _rules() if "alert" in rule}


def families(names: Collection[str] | None = None) -> list[str]:
    """The series of ours that these alerts, or all, ask for, and recording rules for them."""
    recorded = {rule["record"]: rule["expr"] for rule in _rules() if "record" in rule}
    asked = " ".join(rule["expr"] for name, rule in alerts().items() if names is None or name in names)
    found = set(_FAMILY.findall(asked))
    found |= {family for name in found & recorded.keys() for family in _FAMILY.findall(recorded[name])}
    return sorted(found - recorded.keys())


def write_hurried(folder: Path) -> list[Path]:
    """All files of deploy/alerts, hurried, in the folder."""
    written = []
    for path in sorted(RULES.glob("*.yaml")):
        yaml = YAML()
        yaml.width = 1_000
        found = yaml.load(path.read_text(encoding="utf-8"))
        for group in found["groups"]:
            for rule in group["rules"]:
                rule["expr"] = hurried_expression(rule["expr"])
                if "for" in rule:
                    rule["for"] = hurried(rule["for"])
        written.append(folder / path.name)
        with written[-1].open("w", encoding="utf-8") as file:
            yaml.dump(found, file)
    return written


@cache
def _rules() -> list[dict[str, Any]]:
    yaml = YAML(typ="safe")
    groups = [group for path in sorted(RULES.glob("*.yaml")) for group in yaml.load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]
