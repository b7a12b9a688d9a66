"""How far an import came that broke off, or was made before: its rows that are on the interactions topic.

Only a saving, and what people want to hear: workers know again what they applied, whatever is sent twice. So what the
topic does not show (retention, no grant, a broker that cannot find records by time) is sent again.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

from aiokafka import TopicPartition

from stream.codec.import_rows import HEADER
from stream.codec.records import SourceRecords
from stream.errors import UnreadableError
from stream.kafka.log_reader import LogReader
from stream.kafka.permissions import Grant, Operation, require
from stream.settings import Settings

READ_WHOLE: Final = 1_000_000
"""A topic of so many records is read as a whole: some seconds. Of a longer one, what is younger than the files."""
_SLACK: Final = 3_600_000
"""Milliseconds by which the clocks of the files and of the broker may differ."""
_PAGE_BITS: Final = 15


class Rows:
    """Numbers of rows, a bit each."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}

    def add(self, number: int) -> bool:
        """Whether this one was not there yet."""
        page_number, at = number >> _PAGE_BITS, number & (1 << _PAGE_BITS) - 1
        page = self._pages.get(page_number)
        if page is None:
            page = self._pages[page_number] = bytearray(1 << _PAGE_BITS - 3)
        bit = 1 << (at & 7)
        if page[at >> 3] & bit:
            return False
        page[at >> 3] |= bit
        return True


async def find_rows(
    settings: Settings,
    partitions: int,
    names: Iterable[str],
    since: int | None,
    progress: Callable[[int, int], None],
) -> dict[str, Rows]:
    """The rows of these imports that the topic holds.

    `since`: none of them began earlier, epoch milliseconds; None: nobody knows.
    `progress` hears how many records were read, of how many. Raises BrokerError where we may not read the topic,
    KafkaError, PositionError and TimeoutError where it cannot be read.
    """
    topic = settings.topics.interactions
    await require(settings, [Grant(Operation.READ, topic)])
    found = {name.encode(): Rows() for name in names}
    async with LogReader(settings, isolation="read_uncommitted") as log:
        tps = [TopicPartition(topic, number) for number in range(partitions)]
        spans = await log.spans(tps)
        if since is not None and sum(end - begin for begin, end in spans.values()) > READ_WHOLE:
            spans = await log.spans(tps, since - _SLACK)
        whole = sum(end - begin for begin, end in spans.values())
        done = 0
        for tp, (begin, end) in spans.items():
            async for records in _readable(log, tp, begin, end):
                for record in records:
                    for name, value in record.headers:
                        if name == HEADER:
                            _note(found, value or b"")
                progress(done + log.position - begin, whole)
            done += end - begin
    return {name.decode(): rows for name, rows in found.items()}


async def _readable(log: LogReader, tp: TopicPartition, begin: int, end: int) -> AsyncIterator[SourceRecords]:
    """As LogReader.read, without the batches that cannot be read: what they hold is sent again."""
    while True:
        try:
            async for records in log.read(tp, begin, end):
                yield records
        except UnreadableError as error:
            if not error.data:  # the broker cannot hand it out, nor say where it ends
                return
            begin = error.after
        else:
            return


def _note(found: dict[bytes, Rows], value: bytes) -> None:
    name, _, location = value.partition(b":")
    rows = found.get(name)
    number = location.rpartition(b":")[2]
    if rows is not None and number.isdigit():
        rows.add(int(number))
