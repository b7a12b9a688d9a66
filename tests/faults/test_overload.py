"""More at once than a worker can take: it is late, shows it, keeps to its memory, and loses nothing.

Programs beside this file do the same at full size and report figures.
"""

from pathlib import Path

import pytest

from stream.kafka.topics import ensure_topics
from stream.machine.budget import MAX_BYTES
from stream.settings import Settings
from tests.bench.worker import BenchWorker
from tests.faults import hot
from tests.faults.deadlines import storm
from tests.faults.flood import LIFECYCLE
from tests.faults.overload import PARTITIONS, Load, overload
from tests.kit.kafka import SharedKafka

pytestmark = pytest.mark.slow
MIB = 1 << 20
ROOM = 300 * MIB
"""Above what an idle worker takes: for each of 4 partitions 1 MiB fetched ahead, 8,000 interactions at hand, and a
transaction of 4 MiB in some copies. Not for the backlog: there each interaction would take a kilobyte and more."""


def say(_: str) -> None:
    """Nobody listens."""


async def test_an_overload_shows_in_the_lag_and_is_worked_off(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """Two hundred thousand interactions as fast as the broker takes them."""
    load = Load(measured=20_000, seconds=None, count=200_000, customers=4_000)
    outcome = await overload(kafka.bootstrap, tmp_path, load, topic_prefix, say)
    assert outcome.differences == []
    assert outcome.reached > outcome.sustained
    assert outcome.most_lag > outcome.written / 4
    assert max(each.lag_of_health for each in outcome.samples) > outcome.written / 4
    assert outcome.samples[-1].lag == 0
    assert outcome.most_resident < outcome.resident_before + ROOM


async def test_a_hot_customer_does_not_stop_the_other_partitions(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """Fifty thousand interactions of one customer; those of the others are all written before its last."""
    settings = Settings(
        bootstrap=kafka.bootstrap,
        topic_prefix=topic_prefix,
        app=f"{topic_prefix}app",
        partitions=PARTITIONS,
        lifecycles=(LIFECYCLE,),
    )
    await ensure_topics(settings)
    await hot.fill(settings, hot=50_000, others=500)
    named = {"LIFECYCLES": LIFECYCLE, "PARTITIONS": str(PARTITIONS), "CLOCK": "stream"}
    async with BenchWorker(kafka.bootstrap, topic_prefix, tmp_path / "worker.log", named) as worker:
        await worker.until_taken(50_500)
    outcome = await hot.outcome(settings)
    assert outcome.touches == 50_000
    assert outcome.others == 500
    assert outcome.others_done < outcome.hot_done


async def test_many_deadlines_at_once_let_interactions_pass(kafka: SharedKafka, tmp_path: Path) -> None:
    """Twenty thousand customers due in the same millisecond."""
    outcome = await storm(kafka.bootstrap, tmp_path, 20_000, ahead=20, every=0.02, say=say)
    assert outcome.recovered_in_time
    assert outcome.differences == []
    assert outcome.between > 0
    assert outcome.transactions > 20_000 / 5_000
    assert outcome.most_bytes < MAX_BYTES * 1.1
    assert outcome.memory["most"] < outcome.memory["before"] + ROOM
