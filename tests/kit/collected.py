"""What a collector wrote: interactions as a worker reads them, and dead letters."""

from typing import NamedTuple

from stream.codec.dead_letters import DeadLetter, read
from stream.codec.partitioners import home_of
from stream.core.interaction import Interaction
from stream.settings import Settings
from tests.kit.topics import read_all


class Collected(NamedTuple):
    """A record of the interactions topic, which is where its customer's state is."""

    interaction: Interaction
    value: bytes
    headers: dict[str, bytes]


async def collected(settings: Settings, topic: str | None = None) -> list[Collected]:
    """All that is on a topic that interactions are sent to, by subject and name."""
    name = topic or settings.topics.sent_to[0]
    decoder = settings.decoder(name)
    partitions = await read_all(settings.bootstrap, name)
    found = []
    for number, records in partitions.items():
        for record in records:
            interaction = decoder.decode(record.value, record.timestamp, record.headers)
            assert isinstance(interaction, Interaction), interaction
            assert record.key == interaction.subject.encode()
            assert home_of(settings.partitioner, record.key, len(partitions)) == number
            found.append(Collected(interaction, record.value or b"", dict(record.headers)))
    return sorted(found, key=lambda each: (each.interaction.subject, each.interaction.name, each.value))


async def dead_letters(settings: Settings) -> list[DeadLetter]:
    """All dead letters, by reason and value."""
    topic = await read_all(settings.bootstrap, settings.topics.dead_letters)
    found = [read(record, number) for number, records in topic.items() for record in records]
    letters = [each for each in found if isinstance(each, DeadLetter)]
    return sorted(letters, key=lambda each: (each.reason, each.value or b""))
