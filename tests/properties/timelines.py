"""Short ways to write a lifecycle, interactions and expected changes by hand."""

from __future__ import annotations

from ruamel.yaml import YAML

from tests.kit.times import DAY
from tests.properties.lifecycles import Source
from tests.properties.reference import Outcome

START = 19_675 * DAY
"""2023-11-14, on the grid of days."""


def loaded(text: str) -> Source:
    """A lifecycle as YAML 1.2 loads it."""
    source = YAML(typ="safe", pure=True).load(text)
    assert isinstance(source, dict)
    return source


def small(transitions: list[tuple[str, str, str]], **parts: object) -> Source:
    """A lifecycle `l` of these transitions (from, to, when) and parts; its stages are in the order met."""
    stages = dict.fromkeys(stage for origin, to, _ in transitions for stage in (origin, to) if stage != "*")
    steps = [{"from": origin, "to": to, "when": when} for origin, to, when in transitions]
    return {
        "lifecycle": "l",
        "interactions": {},
        "stages": {s: {} for s in stages},
        "transitions": steps,
        **parts,
    }


def at(time: int, name: str, *, key: str | None = None, who: str = "c", **properties: object) -> Source:
    """An interaction of customer `c` (or of an anonymous id that begins with `a`)."""
    kind = "anonymous_id" if who.startswith("a") else "customer_id"
    return {"id": key, "type": name, kind: who, "time": time, "properties": properties}


def steps(outcome: Outcome) -> list[tuple[object, object, object]]:
    """Of each change the time, the stages it went between, and whether it was final."""
    return [(each["at"], f"{each['from']}>{each['to']}", each["final"]) for each in outcome.changes]
