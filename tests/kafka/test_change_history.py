"""The latest changes of one customer on brokers that say differently where their log ends."""

import pytest

from stream.kafka.change_history import ChangeHistory, Home, LastChange
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.settings import Settings
from tests.kit.kafka import SharedKafka
from tests.kit.stage_changes import T, change, write
from tests.kit.topics import create_topics

LIFE = [change(sequence=number, at=T + 1_000 * number, entered=T + 1_000 * (number - 1)) for number in (1, 2, 3)]


async def found(settings: Settings) -> tuple[int, bool]:
    """How many changes of the customer are found, and whether all are said to be."""
    await create_topics(settings.bootstrap, settings.topics.stage_changes, partitions=1)
    await write(settings, LIFE)  # one batch, with which the log ends
    last = LastChange("shop", "0-0", 3, LIFE[-1].at)
    history = await ChangeHistory(settings).latest(b"ann", Home(0, 1), [last], 20)
    return len(history.changes), history.complete


async def test_what_ends_the_log_is_found(kafka: SharedKafka, topic_prefix: str) -> None:
    assert await found(Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)) == (3, True)


@pytest.mark.slow
async def test_what_ends_the_log_of_the_embedded_broker_is_found(topic_prefix: str) -> None:
    """It says that the log ends with the first record of the last batch."""
    async with EmbeddedBroker() as broker:
        assert await found(Settings(bootstrap=broker.bootstrap, topic_prefix=topic_prefix)) == (3, True)
