"""Interactions of several topics in a run of faults: whether each was gathered, once, as it was and in its order."""

from stream.codec.gathered import GatheredFrom, gathered, origin_of
from stream.settings import Settings
from tests.kit.topics import read_all

_READ_SECONDS = 120.0
SOURCES = ("web", "crm", "mail")
"""Names of topics, as many as a run may have."""


async def compare_gathered(settings: Settings) -> list[str]:
    """What differs between the topics that were sent to and the one that they were gathered into."""
    topics = settings.topics
    differences: list[str] = []
    last: dict[tuple[str, int], int] = {}
    copies: dict[GatheredFrom, object] = {}
    for partition, records in (await read_all(settings.bootstrap, topics.interactions, seconds=_READ_SECONDS)).items():
        for record in records:
            origin = origin_of(record.headers)
            if origin is None:  # sent here, as ticks and rows of imports are
                continue
            if origin.partition != partition:
                differences.append(f"{origin} was gathered into partition {partition}")
            if last.get(origin[:2], -1) >= origin.offset:
                differences.append(f"{origin} was gathered behind offset {last[origin[:2]]} of the same partition")
            last[origin[:2]] = origin.offset
            copies[origin] = record.key, record.value, list(record.headers)
    for topic in topics.sources:
        for partition, records in (await read_all(settings.bootstrap, topic, seconds=_READ_SECONDS)).items():
            for record in records:
                origin = GatheredFrom(topic, partition, record.offset)
                must = gathered(record, topic, partition)
                if copies.pop(origin, None) != (must.key, must.value, must.headers):
                    differences.append(f"{origin} was not gathered as it is")
    differences += [f"{origin} was gathered, and is on no topic" for origin in copies]
    return differences
