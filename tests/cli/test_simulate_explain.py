"""`lifecycle simulate --explain`: why customers of a file are where they are."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import Run
from tests.kit.times import DAY

T = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SMALL = """\
lifecycle: small
interactions: {order: [Order Completed]}
facts: {orders: {count: order}, last_order: {last: order}}
stages: {new: {}, buyer: {title: Buyer}, quiet: {}}
transitions:
  - {from: new, to: buyer, when: orders >= 2}
  - {from: [new, buyer], to: quiet, when: since(last_order) >= 30d}
"""
SEEN = [
    ("customer_id", "ann", "Order Completed", T),
    ("customer_id", "ben", "Order Completed", T),
    ("customer_id", "ben", "Order Completed", T + DAY),
    ("anonymous_id", "a,b", "page", T),
    ("customer_id", "both", "page", T),
    ("anonymous_id", "both", "page", T),
]


@pytest.fixture(autouse=True)
def small(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    lines = [json.dumps({kind: subject, "type": name, "time": time}) for kind, subject, name, time in SEEN]
    (tmp_path / "seen.jsonl").write_text("\n".join(lines))


def simulate(lifecycle: Run, *more: str) -> tuple[int, str, list[dict[str, Any]]]:
    found = lifecycle("simulate", "--lifecycle", "small.yaml", "--input", "seen.jsonl", "--explanations", "-", *more)
    return found.returncode, found.stderr, [json.loads(line) for line in found.stdout.splitlines()]


def test_customers_are_explained_below_the_summary_and_as_json(lifecycle: Run) -> None:
    code, printed, answers = simulate(lifecycle, "--explain", "ann,ben")
    assert code == 0
    below = printed[printed.index("records/s") :]
    assert "✗ orders 1 of 2, 1 is missing" in below
    assert below.index("ann  as of 1 January 2026, 00:00") < below.index("ben  as of 2 January 2026, 00:00")
    assert "in Buyer since 2 January 2026, 00:00" in below
    assert [each["customer_id"] for each in answers] == ["ann", "ben"]
    assert [(each["partition"], each["offset"], each["at"]) for each in answers] == [(0, 5, T), (0, 5, T + DAY)]


def test_what_time_alone_is_said_to_do_is_what_a_later_end_shows(lifecycle: Run) -> None:
    """To the millisecond."""
    _, _, (answer,) = simulate(lifecycle, "--explain", "ben")
    (told,) = answer["lifecycles"]
    moved = told["by_time"]["at"]
    assert (moved, told["by_time"]["to"]) == (T + 31 * DAY, "quiet")
    stages = []
    for until in (moved - 1, moved):
        _, _, (later,) = simulate(lifecycle, "--explain", "ben", "--until", str(until))
        stages.append(later["lifecycles"][0]["stage"])
        assert later["at"] == until
    assert stages == ["buyer", "quiet"]


def test_an_id_may_have_a_comma_and_be_that_of_a_customer_and_of_a_visitor(lifecycle: Run) -> None:
    code, _, answers = simulate(lifecycle, "--explain", "a,b", "--explain", "both")
    assert code == 0
    told = [(each.get("customer_id"), each.get("anonymous_id")) for each in answers]
    assert told == [(None, "a,b"), ("both", None), (None, "both")]


def test_who_is_not_there_is_named_and_the_others_are_explained(lifecycle: Run) -> None:
    code, printed, answers = simulate(lifecycle, "--explain", "ann,nobody")
    assert code == 1
    assert [each["customer_id"] for each in answers] == ["ann"]
    assert "nobody is there with the id 'nobody'" in printed


def test_a_visitor_who_is_forgotten_by_then_is_not_there(lifecycle: Run) -> None:
    code, printed, answers = simulate(lifecycle, "--explain", "a,b", "--until", str(T + 91 * DAY))
    assert (code, answers) == (1, [])
    assert "or forgotten" in printed


def test_explanations_overwrite_neither_what_is_read_nor_another_output(lifecycle: Run, tmp_path: Path) -> None:
    given = ["simulate", "--lifecycle", "small.yaml", "--input", "seen.jsonl", "--explain", "ann"]
    found = lifecycle(*given, "--explanations", "seen.jsonl")
    assert (found.returncode, "would be overwritten" in found.stderr) == (2, True)
    found = lifecycle(*given, "--explanations", "out.jsonl", "--changes", "out.jsonl")
    assert (found.returncode, "a file of its own" in found.stderr) == (2, True)
    assert not (tmp_path / "out.jsonl").exists()
    found = lifecycle(*given[:-2], "--explanations", "out.jsonl")
    assert (found.returncode, "--explain" in found.stderr) == (2, True)
    assert lifecycle(*given, "--explanations", "out.jsonl").returncode == 0
    assert json.loads((tmp_path / "out.jsonl").read_text())["customer_id"] == "ann"
