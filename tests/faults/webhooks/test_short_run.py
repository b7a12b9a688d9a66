"""Seconds of faults of webhooks on real Kafka, and builds that are wrong on purpose."""

from pathlib import Path

import pytest

from tests.faults.schedule import Kind
from tests.faults.webhooks.role import BROKEN
from tests.faults.webhooks.run import Plan, run
from tests.kit.kafka import SharedKafka

pytestmark = pytest.mark.slow
HARMED_BY: dict[str, list[Kind]] = {"volatile": ["kill-all"], "forgetful": ["rival"] * 4}
"""What wrong builds cannot stand, that are right as long as nothing is done to them."""
CAUGHT_BY = {
    "sent-first": "was sent before it was committed as waiting",
    "forgets": "counts as delivered",
    "unordered": "had come to its end",
    "deaf": "was answered 410",
    "volatile": "wait on partition",
    "forgetful": "and nobody knows of it",
}
"""What is said of each."""
ALWAYS = ("sent-first", "volatile")
"""Those that `make test` runs."""


async def test_faults_lose_no_delivery_and_change_no_order(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """Each change arrives, with one id, in order; more than once only where nobody could know; never after 410."""
    kinds: list[Kind] = ["kill", "rival", "freeze"]
    plan = Plan(1, 0.1, 10, kinds=kinds, bootstrap=kafka.bootstrap, prefix=topic_prefix)
    outcome = await run(plan, tmp_path, print)
    assert outcome.verdict.differences == []
    assert outcome.fallen == []
    counts = outcome.verdict.counts
    counted = ("delivered", "given up: exhausted", "given up: refused", "waiting for ever", "disabled, on a partition")
    assert all(counts[each] for each in counted), counts
    assert counts["attempts recorded"] > counts["delivered"]


@pytest.mark.parametrize(
    "build", [pytest.param(build, marks=() if build in ALWAYS else pytest.mark.wrong) for build in BROKEN]
)
async def test_a_build_of_webhooks_that_is_wrong_on_purpose_is_caught(
    build: str, kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """The verdict says so."""
    kinds = HARMED_BY.get(build, [])
    plan = Plan(
        2, 0.1, 10, build=build, kinds=kinds, processes=1, drains=5, bootstrap=kafka.bootstrap, prefix=topic_prefix
    )
    outcome = await run(plan, tmp_path, print)
    assert any(CAUGHT_BY[build] in line for line in outcome.verdict.differences), outcome.verdict.differences[:20]
