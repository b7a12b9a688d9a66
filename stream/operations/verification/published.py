"""The stage changes that are on the topic from one partition of interactions, until each is accounted for."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from stream.codec.records import SourceRecord
from stream.codec.stage_change_reader import read_change
from stream.codec.stage_changes import EVENT_TYPE, in_header
from stream.codec.state.keys import customer_key
from stream.operations.verification.findings import Difference, Findings, subject_of

_BY_TIME: Final = ("deadline", "forgotten")


class Id(NamedTuple):
    """What names a change of one subject."""

    lifecycle: str
    born: str
    sequence: int


class Published(NamedTuple):
    """A change on the topic."""

    value: bytes
    at: int
    source: int
    """The offset that it names."""
    by_time: bool
    """Nothing but time caused it."""


class PublishedChanges:
    """Those that name one partition of `topic` as their source."""

    def __init__(self, topic: str, partition: int, findings: Findings, *, exactly_once: bool) -> None:
        self.first_source: dict[int, int] = {}
        """By partition of stage-changes: the source offset of the first change that was read there."""
        self._topic = topic
        self._partition = partition
        self._findings = findings
        self._exactly_once = exactly_once
        self._changes: dict[bytes, dict[Id, Published]] = {}

    def add(self, stage_partition: int, record: SourceRecord, *, alike: bool, only: frozenset[bytes] | None) -> None:
        """A record of stage-changes; `alike`: all of its partition are of ours, as both topics have as many."""
        where = f"stage-changes, partition {stage_partition}, offset {record.offset}"
        change = read_change(record.value)
        if change is None:
            if alike or self._partition == 0:
                self._differ(None, "", f"{where} is no stage change")
            return
        source = change.source
        if source.partition != self._partition or source.topic != self._topic:
            if alike:
                self._differ(None, change.lifecycle, f"{where} names {source.topic}[{source.partition}] as its source")
            return
        self.first_source.setdefault(stage_partition, source.offset)
        key = customer_key(change.kind, change.subject)
        if only is not None and key not in only:
            return
        name = Id(change.lifecycle, change.born, change.sequence)
        headers, ce_id = dict(record.headers), change.event_id
        if (
            headers.get("ce_id") != in_header(ce_id)
            or headers.get("ce_type") != EVENT_TYPE.encode()
            or record.key != key[1:]
        ):
            self._differ(key, change.lifecycle, f"key or headers of {where} do not fit its value: must be {ce_id}")
        changes = self._changes.setdefault(key, {})
        if name in changes:
            self._findings.counts["changes repeated"] += 1
            if self._exactly_once:
                self._differ(
                    key, name.lifecycle, f"change {name.sequence} of {name.born} stands twice, again at {where}"
                )
        changes[name] = Published(record.value or b"", change.at, source.offset, change.trigger.kind in _BY_TIME)

    def take(self, key: bytes, name: Id) -> Published | None:
        """A change that is accounted for now."""
        changes = self._changes.get(key)
        return None if changes is None else changes.pop(name, None)

    def left(self) -> Iterator[tuple[bytes, Id, Published]]:
        """What nothing accounted for."""
        for key, changes in self._changes.items():
            for name, change in changes.items():
                yield key, name, change

    def _differ(self, key: bytes | None, lifecycle: str, problem: str) -> None:
        self._findings.differ(Difference(self._partition, "" if key is None else subject_of(key), lifecycle, problem))


def born_at(born: str, partition: int, generation: int) -> int | None:
    """The source offset in `<partition>-<offset>`, behind its generation where that is not the first.

    None where partition or generation is another: the life was carried over by a repartition.
    """
    of_generation, _, where = born.rpartition(".")
    of, _, offset = where.partition("-")
    is_ours = (of_generation or "1") == str(generation) and of == str(partition)
    return int(offset) if is_ours and offset.isdecimal() else None
