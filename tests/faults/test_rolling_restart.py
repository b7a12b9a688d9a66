"""A new version goes out: three workers are asked to end and replaced, one after the other, while traffic runs."""

from pathlib import Path

import pytest

from tests.faults.run import Plan, run

pytestmark = pytest.mark.slow


async def test_a_rolling_restart_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """Twice over: six workers end with 0, and the topics hold what they must, each change once."""
    plan = Plan(4, 0.4, 15_000, 1_000, kinds=["rolling", "rolling"])
    outcome = await run(plan, tmp_path, lambda _: None)
    assert outcome.verdict.differences == []
    assert outcome.verdict.repeated == 0
    assert outcome.fallen == []
    assert outcome.faults["rolling"] == 2
    assert outcome.workers >= 9
