"""What a partition says where it stands before a batch that it cannot read: what helps there."""

import logging

import pytest

from stream.engine.partition_log import PartitionLog
from stream.errors import UnreadableError
from stream.events import Event, Line
from stream.kafka.log_throttle import Throttle


@pytest.mark.parametrize(
    ("skips_gaps", "helps"),
    [(False, "`lifecycle skip 3 50` goes on without it"), (True, "or retention has deleted it")],
    ids=["worker", "webhooks"],
)
def test_a_blocked_partition_says_what_helps_in_its_role(
    caplog: pytest.LogCaptureFixture, *, skips_gaps: bool, helps: str
) -> None:
    """`lifecycle skip` is for interactions: what webhooks read is gone with its retention, and they go on behind it."""
    damaged = UnreadableError("stage-changes", 3, 50, after=52, data=b"", why="its checksum is wrong")
    with caplog.at_level(logging.ERROR, "stream"):
        PartitionLog(3, Throttle(), skips_gaps=skips_gaps).blocked(damaged)
    (line,) = [record.msg for record in caplog.records if isinstance(record.msg, Line)]
    assert line.event is Event.PARTITION_BLOCKED
    assert str(line).startswith(f"partition 3 is blocked: {damaged}. ")
    assert str(line).endswith(helps)
