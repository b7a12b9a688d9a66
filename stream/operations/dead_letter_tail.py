"""The latest dead letters, for who wants to see at a glance what goes wrong now."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

from stream.codec.dead_letters import DeadLetter, Receipt, SourceAddress, read
from stream.codec.records import SourceRecord
from stream.kafka.log_tail import read_tail
from stream.settings import Settings

MOST: Final = 1_000
"""Records that are looked at."""
SHOWN: Final = 2_000
"""Characters of a key and of a value."""
SECONDS: Final = 0.8
"""For as long is read; what is not read by then is not shown."""
_BYTES_OF_A_CHARACTER: Final = 4


@dataclass(frozen=True, slots=True)
class DeadLetterTail:
    """What the end of the topic holds."""

    looked_at: int
    """Records, receipts among them."""
    complete: bool
    """There are no more on the topic."""
    letters: list[DeadLetter]
    """Those that were not replayed, the newest first; without headers, and of keys and values the beginning."""

    def counts(self) -> list[tuple[str, int, int]]:
        """By reason, how many, and when the latest came, epoch milliseconds; the most frequent first."""
        latest: dict[str, int] = {}
        for each in self.letters:
            latest[each.reason] = max(each.time, latest.get(each.reason, each.time))
        return [
            (reason, count, latest[reason]) for reason, count in Counter(e.reason for e in self.letters).most_common()
        ]


async def latest_dead_letters(settings: Settings, seconds: float = SECONDS) -> DeadLetterTail:
    """Read the end of the topic, at most `MOST` records of it and for so long.

    Raises KafkaError where Kafka does not answer.
    """
    letters: list[DeadLetter] = []
    replayed: set[SourceAddress] = set()
    seen = 0

    def see(record: SourceRecord, partition: int) -> None:
        nonlocal seen
        seen += 1
        found = read(record, partition)
        if isinstance(found, Receipt):
            replayed.add(found.source)
        elif found is not None:
            letters.append(replace(found, key=_beginning(found.key), value=_beginning(found.value), headers=()))

    complete = await read_tail(settings, settings.topics.dead_letters, MOST, seconds, see)
    # A receipt stands behind its dead letter, in the same partition: who sees the letter sees the receipt.
    left = [each for each in letters if each.source not in replayed]
    left.sort(key=lambda each: (each.time, each.address), reverse=True)
    return DeadLetterTail(seen, complete, left)


def _beginning(data: bytes | None) -> bytes | None:
    """As much as the characters that are shown can be."""
    return None if data is None else bytes(data[: SHOWN * _BYTES_OF_A_CHARACTER])
