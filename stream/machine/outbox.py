"""Stage changes on their way into a batch: to subscribers, and to the topic of current stages."""

from stream.codec import stage_changes
from stream.codec.packed_records import PackedRecord
from stream.codec.stage_changes import ChangeSource
from stream.core.stage_change import StageChange
from stream.machine.batch import Batch

_BESIDE = 200
"""Bytes of a change beside its value, about."""


class Outbox:
    """Puts one partition's changes into batches; remembers the latest of each life until `take_current`."""

    def __init__(self, topic: str, partition: int) -> None:
        self._topic = topic
        self._partition = partition
        self._latest: dict[bytes, PackedRecord] = {}

    def publish(self, changes: list[StageChange], offset: int, live_from: int | None, batch: Batch) -> int:
        """Put changes that the record at `offset` caused, or deadlines before it, into the batch; returns their bytes.

        Changes from before `live_from` (epoch ms; None: there are none) do not go to subscribers.
        """
        source = ChangeSource(self._topic, self._partition, offset)
        size = 0
        for change in changes:
            batch.counts.change(change)
            value = stage_changes.encode(change, source)
            about = stage_changes.packed_headers(change)
            key = stage_changes.current_key(change)
            gone = change.to_stage is None
            self._latest[key] = PackedRecord(key, None) if gone else PackedRecord(key, value, about)
            size += len(value) + _BESIDE
            if live_from is None or change.at >= live_from:
                batch.events.add(change.subject.encode(), value, about)
                size += len(value) + _BESIDE
        return size

    def take_current(self) -> list[PackedRecord]:
        """The latest change of each life that changed since this was last called."""
        latest, self._latest = list(self._latest.values()), {}
        return latest
