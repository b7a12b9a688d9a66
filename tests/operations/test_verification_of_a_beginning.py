"""A verification that begins while the first worker of all does."""

import pytest
from aiokafka import TopicPartition

from stream.kafka.group_offsets import group_offset
from stream.kafka.topics import ensure_topics
from stream.operations.verification import cut_reading
from stream.operations.verification.findings import Findings
from stream.operations.verification.verifier import VerificationScope, Verifier
from stream.settings import Settings
from tests.cli.on_kafka import PARTITIONS, settings_of
from tests.cli.resetting import MODEL, order, work
from tests.kit.kafka import SharedKafka

pytestmark = pytest.mark.kafka


async def test_a_state_that_came_since_it_was_looked_for_is_not_taken_for_one_that_is_gone(
    kafka: SharedKafka, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(kafka.bootstrap, topic_prefix)
    await ensure_topics(settings)
    await order(settings, range(40))
    is_there = False

    async def after_a_worker(settings: Settings, tp: TopicPartition) -> int | None:
        """Up to where the group has processed, asked when a worker has just written state and offset."""
        nonlocal is_there
        if not is_there:
            is_there = True
            await work(settings, 40 + PARTITIONS, customers=40)
        return await group_offset(settings, tp)

    monkeypatch.setattr(cut_reading, "group_offset", after_a_worker)
    findings = Findings(show=1)
    scope = VerificationScope([], None, exactly_once=True, wait=5.0)
    await Verifier(settings, MODEL, scope, findings, lambda _what, _share: None).run()
    assert is_there
    assert (findings.differing, findings.unseen) == (0, [])
