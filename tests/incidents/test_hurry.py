"""Rules with short durations are the rules of deploy/alerts in all else."""

import re
from pathlib import Path

import pytest

from tests.incidents.hurry import alerts, families, hurried, hurried_expression, write_hurried


@pytest.mark.parametrize(
    ("real", "short"),
    [
        ("30s", "5000ms"),
        ("5m", "5000ms"),
        ("10m", "10000ms"),
        ("1h", "60000ms"),
        ("1d", "120000ms"),
        ("1w", "840000ms"),
    ],
)
def test_a_duration_is_short_and_not_too_short(real: str, short: str) -> None:
    """Hours become minutes, a day two minutes; nothing is shorter than five seconds."""
    assert hurried(real) == short


def test_ranges_offsets_and_bounds_of_minutes_are_short() -> None:
    expression = 'a{b="1d"}[30m] / (c offset 1w) > 3600 unless d > 0.05 and e > 60 and f > 50 / 3600'
    short = 'a{b="1d"}[30000ms] / (c offset 840000ms) > 60 unless d > 0.05 and e > 60 and f > 50 / 3600'
    assert hurried_expression(expression) == short


def test_these_bounds_alone_are_short() -> None:
    """A bound of a number that looks like one of seconds would be another alert."""
    durations = re.compile(r"(\[|offset )\d+m?[smhdw]\b")
    changed = {
        name
        for name, rule in alerts().items()
        if durations.sub("", rule["expr"].strip()) != durations.sub("", hurried_expression(rule["expr"]))
    }
    assert changed == {"LifecycleBehind", "LifecycleOpenTransaction", "LifecycleWebhooksLate"}


def test_every_rule_is_written_and_no_duration_is_left_long(tmp_path: Path) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in write_hurried(tmp_path))
    assert len(re.findall(r"alert: Lifecycle", text)) == len(alerts())
    rules = [line for line in text.splitlines() if re.match(r"\s+(expr|for):", line)]
    assert [line for line in rules if re.search(r"(for: |\[|offset )\d+[smhdw]\b", line)] == []


def test_the_families_are_those_that_rules_ask_for() -> None:
    """Those of an alert are those of the recording rules that it asks for, too."""
    found = families()
    assert {"up", "process_start_time_seconds", "lifecycle_ready", "lifecycle_transaction_seconds_bucket"} <= set(found)
    assert not [name for name in found if ":" in name]
    assert families(["LifecycleBehind"]) == ["lifecycle_interactions_total", "lifecycle_lag_records"]
    assert families(["LifecycleSourceSilent"]) == ["lifecycle_collector_interactions_total"]
