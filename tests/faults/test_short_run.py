"""A minute of faults on real Kafka, and builds that are wrong on purpose."""

import sys
from pathlib import Path

import pytest

from tests.faults.broken_worker import BROKEN
from tests.faults.run import Plan, run
from tests.faults.schedule import KINDS, Kind

pytestmark = pytest.mark.slow
BROKEN_WORKER = Path(__file__).with_name("broken_worker.py")
HARMED_BY: dict[str, list[Kind]] = {
    "no-fencing": ["freeze", "freeze", "freeze"],
    "position-apart": ["kill-all"] * 6,
    "changes-last": ["kill-all"] * 6,
    "state-kept": ["rival"] * 6,
}
"""What each wrong build cannot stand."""


async def test_a_minute_of_faults_changes_nothing(tmp_path: Path) -> None:
    """A seeded run: each change, state and dead letter is where it must be, once."""
    outcome = await run(Plan(seed=1, minutes=1, interactions=20_000, customers=1_000), tmp_path, lambda _: None)
    assert outcome.verdict.differences == []
    assert outcome.fallen == []
    assert outcome.verdict.interactions > 20_000
    assert min(getattr(outcome.verdict, name) for name in ("duplicates", "late", "dead_letters", "deadlines")) > 0
    assert all(outcome.faults[kind] for kind in KINDS)


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_build_that_is_wrong_on_purpose_is_caught(kind: str, tmp_path: Path) -> None:
    """Faults, and a worker that breaks one of the promises: the verdict says so."""
    command = (sys.executable, str(BROKEN_WORKER), kind, "worker")
    plan = Plan(2, 0.5, 50_000, 500, command, HARMED_BY[kind])
    outcome = await run(plan, tmp_path, lambda _: None)
    assert outcome.verdict.differences
