"""A minute of faults on real Kafka, and builds that are wrong on purpose."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from stream.settings import Clock
from tests.faults.broken_worker import BROKEN, COLLECTORS, WORKERS
from tests.faults.codecs import CODECS
from tests.faults.collectors import COLLECTOR_FAULTS, CollectorFault
from tests.faults.fleet import COMMAND
from tests.faults.run import Plan, run
from tests.faults.schedule import KINDS, Kind
from tests.kit.kafka import SharedKafka

pytestmark = pytest.mark.slow
BROKEN_WORKER = Path(__file__).with_name("broken_worker.py")
HARMED_BY: dict[str, list[Kind]] = {
    "no-fencing": ["freeze", "freeze", "freeze"],
    "position-apart": ["kill-all"] * 4,
    "figures-apart": ["kill-all"] * 4,
    "changes-last": ["kill-all"] * 4,
    "state-kept": ["rival"] * 4,
    "early": ["kill"],
    "rash": ["stall"] * 4,
    "layouts-lost": ["edit"],
    "edit-forgotten": ["edit"],
    "always-sure": ["freeze"] * 3,
    "uncommitted": ["kill"],
    "behind": ["kill"],
    "answers-first": ["terminate"],
}
"""What each wrong build cannot stand."""
CAUGHT_BY = {
    "figures-apart": "figure Figure(",
    "always-sure": "was committed and read",
    "uncommitted": "answered 200 of",
    "behind": "was committed and read",
    "answers-first": "was answered 200 and is not on the topic",
}
"""What is said of those whose topics are right."""
ALWAYS = ("no-fencing", "position-apart", "uncommitted", "answers-first")
"""Those that `make test` runs; the others take as long again, and are run by `make faults ARGS=--wrong`."""


async def test_a_minute_of_faults_changes_nothing(tmp_path: Path) -> None:
    """A seeded run: each change, state and dead letter is where it must be, once.

    So is what was posted to collectors and answered; and no answer of a worker is wrong or old.
    """
    plan = Plan(seed=1, minutes=1, interactions=20_000, customers=1_000, http=True)
    outcome = await run(plan, tmp_path, lambda _: None)
    assert outcome.verdict.differences == []
    assert outcome.fallen == []
    assert outcome.verdict.interactions > 20_000
    counted = (
        "duplicates",
        "known",
        "late",
        "dead_letters",
        "deadlines",
        "edits",
        "moved_by_edits",
        "imported",
        "figures",
    )
    assert min(getattr(outcome.verdict, name) for name in counted) > 0
    assert all(outcome.faults[kind] for kind in KINDS)
    assert all(outcome.codecs[codec or "none"] for codec in CODECS)
    assert outcome.imports_killed > 0
    over_http = outcome.verdict.over_http
    assert all(over_http[kind] for kind in COLLECTOR_FAULTS)
    assert over_http["posted items answered 200"] > 500
    assert over_http["posted items that are bad"] > 10
    assert over_http["requests answered 429 rate_exceeded"] > 0
    assert over_http["lookups answered 200"] > 1_000
    assert over_http["lookups answered 503"] > 0


async def test_faults_change_no_deadline_that_comes_by_the_wall_clock(tmp_path: Path) -> None:
    """None is early, none is missing, and each stands between the interactions between which it was fired."""
    plan = Plan(seed=2, minutes=0.5, interactions=10_000, customers=500, clock="wall", http=True)
    outcome = await run(plan, tmp_path, print)
    assert outcome.verdict.differences == []
    assert outcome.fallen == []
    assert outcome.verdict.deadlines > 1_000
    assert outcome.verdict.moved_by_edits > 0
    assert outcome.verdict.imported > 0


async def test_interactions_of_several_topics_are_gathered_through_faults(tmp_path: Path) -> None:
    """Each once, and no deadline is fired before one that waits in another topic."""
    kinds: list[Kind] = ["kill-all", "rival", "stall", "broker-kill", "freeze"]
    plan = Plan(3, 0.3, 6_000, 500, kinds=kinds, clock="wall", topics=3)
    outcome = await run(plan, tmp_path, print)
    assert outcome.verdict.differences == []
    assert outcome.fallen == []
    assert outcome.verdict.interactions > 5_500


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in ALWAYS else pytest.mark.wrong) for kind in BROKEN]
)
async def test_a_build_that_is_wrong_on_purpose_is_caught(
    kind: str, kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """Faults, and a worker that breaks one of the promises: the verdict says so."""
    command = (sys.executable, str(BROKEN_WORKER), kind, "worker")
    wall = kind in ("early", "rash")
    clock: Clock = "wall" if wall else "stream"
    faults = HARMED_BY[kind]
    minutes, interactions = (0.2, 6_000) if faults == ["edit"] else (0.35, 8_000 if wall else 16_000)
    plan = Plan(2, minutes, interactions, 500, command, faults, clock=clock, patient=True)
    if kind not in WORKERS:
        plan = over_http(plan, kind)
    if "stall" not in faults:  # which needs a network of its own
        plan = replace(plan, bootstrap=kafka.bootstrap, prefix=topic_prefix)
    outcome = await run(plan, tmp_path, lambda _: None)
    assert any(CAUGHT_BY.get(kind, "") in line for line in outcome.verdict.differences), outcome.verdict


def over_http(plan: Plan, kind: str) -> Plan:
    """A shorter one, in which a collector or lookups are wrong."""
    minutes, interactions = (0.5, 8_000) if kind == "always-sure" else (0.1, 3_000)
    plan = replace(plan, minutes=minutes, interactions=interactions, http=True, collector_faults=())
    if kind not in COLLECTORS:
        return plan
    faults: list[CollectorFault] = ["collector-kill-all"]
    own = (sys.executable, str(BROKEN_WORKER), kind, "collector")
    return replace(plan, command=COMMAND, collector_faults=faults, collector_command=own)
