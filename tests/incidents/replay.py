"""Recordings as tests of promtool: the rules of deploy/alerts at their real durations on what processes really said."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from tests.incidents.hurry import RULES, alerts, families
from tests.incidents.recording import FOLDER, load, stretched

NORMAL: Final = "normal"
"""The recording of normal traffic."""
_HOUR: Final = 3_600
_DAY: Final = 24 * _HOUR
_STEP: Final = 60
"""For how many seconds a recorded second stands."""

Part = tuple[str, int]
"""A recording, and for how many seconds it goes on."""
Asked = tuple[str, int, Collection[str]]
"""PromQL, the second at which it is asked, and the alerts that it must name."""


def incident_test(name: str, wanted: Collection[str]) -> dict[str, Any]:
    """Normal traffic, an incident, normal traffic again: the wanted alerts fire in the second part alone.

    To be fast, with those files of rules alone that have them, and with the series that they ask for.
    """
    rules = [str(alerts()[each]) for each in wanted]
    before = _DAY + 2 * _HOUR if any("offset" in each for each in rules) else 2 * _HOUR
    broken = _DAY + _HOUR if any("'for': '1d'" in each for each in rules) else 3 * _HOUR
    after = 3 * _HOUR
    named = "|".join(sorted(wanted))
    return _document(
        name,
        [(NORMAL, before), (name, broken), (NORMAL, after)],
        wanted,
        [
            (_fired_within(before), before - _STEP, ()),
            (_fired_within(broken, f',alertname=~"{named}"'), before + broken, wanted),
            (_fired_within(_STEP, f',alertname=~"{named}"'), before + broken + after - _STEP, ()),
        ],
    )


def normal_day() -> dict[str, Any]:
    """A recorded stretch of normal traffic for a day and a half: nothing fires."""
    lasts = _DAY + _DAY // 2
    asked: list[Asked] = [(_fired_within(lasts), lasts - _STEP, ())]
    return _document(NORMAL, [(NORMAL, lasts)], alerts(), asked)


def write(path: Path, document: dict[str, Any]) -> None:
    """The file for `promtool test rules`."""
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)


def _fired_within(lasts: int, condition: str = "") -> str:
    return f'group by (alertname) (count_over_time(ALERTS{{alertstate="firing"{condition}}}[{lasts}s]))'


def _document(name: str, parts: list[Part], wanted: Collection[str], asked: list[Asked]) -> dict[str, Any]:
    recorded = [(load(FOLDER / f"{each}.txt.gz"), lasts // _STEP) for each, lasts in parts]
    known = families(wanted)
    test = {
        "name": name,
        "interval": f"{_STEP}s",
        "input_series": [
            {"series": series, "values": values}
            for series, values in stretched(recorded, _STEP)
            if series.partition("{")[0] in known
        ],
        "promql_expr_test": [
            {
                "expr": expression,
                "eval_time": f"{second}s",
                "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(named)],
            }
            for expression, second, named in asked
        ],
    }
    files = {path: path.read_text(encoding="utf-8") for path in sorted(RULES.glob("*.yaml"))}
    needed = [path for path, text in files.items() if any(f"alert: {each}\n" in text for each in wanted)]
    rules = [str(RULES / "recording.yaml"), *map(str, needed)]
    return {"rule_files": rules, "evaluation_interval": f"{_STEP}s", "tests": [test]}
