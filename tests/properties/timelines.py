"""Short ways to write a lifecycle, interactions and expected changes by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ruamel.yaml import YAML

from tests.kit.times import DAY
from tests.properties.lifecycles import Source
from tests.properties.reference import Outcome, run
from tests.properties.reference_values import time_of

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


def known(parts: Mapping[str, object], arrived: Sequence[Source], until: int | None = None) -> dict[str, object]:
    """Scores and facts of customer `c` after these arrivals, in a lifecycle of one stage with these parts."""
    outcome = run([small([], stages={"only": {}}, **parts)], arrived, until=until)
    standing = outcome.customers["customer_id", "c"]["l"]
    scores, facts = standing["scores"], standing["facts"]
    assert isinstance(scores, dict)
    assert isinstance(facts, dict)
    return {**scores, **facts}


def contributed(parts: Mapping[str, object], arrived: Sequence[Source], until: int | None = None) -> dict[str, object]:
    """Of each score of customer `c` after these arrivals, what each signal gave: points and count."""
    probe = [*arrived, at(max([time_of(each) for each in arrived] + ([] if until is None else [until])), "probe")]
    told = small([("only", "end", 'event.type == "probe"')], **parts)
    found = run([told], probe).changes[-1]["contributions"]
    assert isinstance(found, dict)
    return {
        score: {each["signal"]: (each["points"], each["count"]) for each in parts_of_score}
        for score, parts_of_score in found.items()
    }
