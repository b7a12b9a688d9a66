"""Read the topics of an application and verify them, partition by partition, while workers may go on.

First the changelog, which gives the cut; then what others read, which holds at least what belongs to the cut; then the
interactions up to it. At the end current-stages, and what the changelogs say of after the cut.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from aiokafka import TopicPartition

from stream.codec.records import SourceRecords
from stream.core.customer import Customer
from stream.core.model import Model
from stream.errors import PositionError, SettingsError, UnreadableError
from stream.kafka.log_reader import LogReader
from stream.kafka.topics import require_partitions
from stream.operations.verification.comparison import Cut, Verification
from stream.operations.verification.current_stages import CurrentStages
from stream.operations.verification.cut_reading import CutReader, InteractionsLog, Wait
from stream.operations.verification.dead_letters import DeadLetterCheck
from stream.operations.verification.findings import Difference, Findings
from stream.operations.verification.homes import Homes
from stream.operations.verification.published import PublishedChanges
from stream.operations.verification.reach import NoReach, Reach
from stream.settings import Settings

ReportProgress = Callable[[str, float], None]
"""Called with what is read now, and the share of the whole that is done."""


class VerificationScope(NamedTuple):
    """What is verified."""

    partitions: Sequence[int]
    """Empty: all."""
    subjects: frozenset[bytes] | None
    """Changelog keys; None: all."""
    exactly_once: bool
    wait: float = 10.0
    """Seconds that workers may need, over all partitions, to apply what had arrived."""


@dataclass
class Verified:
    """A partition that was verified, and what is settled at the end."""

    tail: int
    """Where the changelog goes on after the cut."""
    open: dict[bytes, list[Difference]]
    touched: set[bytes] = field(default_factory=set)
    """Changelog keys written after the cut."""


class Shown(NamedTuple):
    """A chosen customer, as one partition has it."""

    partition: int
    customer: Customer
    recomputed: bool
    """Else it is as its record says."""


class Verifier:
    """One run."""

    def __init__(
        self, settings: Settings, model: Model, scope: VerificationScope, findings: Findings, progress: ReportProgress
    ) -> None:
        self.customers: list[Shown] = []
        """Of chosen subjects."""
        self._settings = settings
        self._model = model
        self._scope = scope
        self._findings = findings
        self._progress = progress
        self._current = CurrentStages(findings, {each.id for each in model.lifecycles})
        self._counts: dict[str, int] = {}
        self._verified: dict[int, Verified] = {}
        self._wait = Wait(scope.wait)
        self._homes = Homes(0, settings.partitioner)

    async def run(self) -> None:
        """Verify. Raises LifecycleError where that cannot be done, KafkaError where the broker does not answer."""
        topics = self._settings.topics
        needed = (topics.interactions, topics.customers, topics.stage_changes, topics.current_stages)
        self._counts = await require_partitions(self._settings, needed, "there is nothing to verify")
        partitions = self._scope.partitions or range(self._counts[topics.interactions])
        for number in partitions:
            if number >= self._counts[topics.interactions]:
                raise SettingsError(f"topic {topics.interactions} has no partition {number}")
        async with LogReader(self._settings) as log:
            sources = [TopicPartition(topics.interactions, number) for number in partitions]
            ends = await log.log_ends(sources)
            self._homes = Homes(self._counts[topics.interactions], self._settings.partitioner)
            for index, tp in enumerate(sources):
                first = await log.first_offset(tp)
                source = InteractionsLog(tp, self._counts[topics.interactions], first, ends[tp])
                try:
                    await self._partition(log, source, index / len(partitions), 1 / len(partitions))
                except UnreadableError as error:  # it holds up its own partition only
                    self._findings.unseen.append(f"partition {tp.partition} is not verified: {error}")
            if self._verified:
                await self._settle(log)

    async def _partition(self, log: LogReader, source: InteractionsLog, before: float, share: float) -> None:
        number = source.tp.partition
        self._progress(f"partition {number}: customers", before)
        changelog = CutReader(self._settings, self._model, source, exactly_once=self._scope.exactly_once)
        cut, behind = await changelog.read(
            log, self._wait, lambda lack: self._progress(f"partition {number}: {lack.waiting:,} waiting", before)
        )
        if behind is not None:
            self._findings.behind.append(behind)
        only = self._scope.subjects
        self._homes.add(number, cut.customers if only is None else only & cut.customers.keys())
        ours = not cut.position.lifecycles or self._is_made_with_ours(number, cut)
        self._progress(f"partition {number}: stage changes", before)
        published, gone = await self._read_changes(log, number, cut)
        if ours:
            reach = Reach(number, cut.position, source.first, gone, self._settings.clock)
        else:
            reach = NoReach(number, cut.position, cut.offset, gone, self._settings.clock)
        once = self._scope.exactly_once and not cut.position.changes_from  # a reset leaves the dead letters there
        dead_letters = DeadLetterCheck(source.tp.topic, number, self._findings, exactly_once=once)
        settled = max(reach.start, cut.position.since or 0)
        await self._read_dead_letters(log, dead_letters, number)
        verification = Verification(
            self._model, self._settings, cut, reach, published, self._current, self._findings, self._scope.subjects
        )
        what = f"partition {number}: interactions"
        try:
            async for records in _interactions(log, source.tp, reach.start, cut.offset, dead_letters):
                self._homes.look(number, records)
                for record in records:
                    unprocessable = dead_letters.is_unprocessable(record.offset)
                    reason = verification.process(record, unprocessable=unprocessable)
                    if self._scope.subjects is None and record.offset >= settled:
                        dead_letters.check(record.offset, reason)
                done = (log.position - reach.start) / max(1, cut.offset - reach.start)
                self._progress(what, before + share * done)
        except PositionError as error:
            raise PositionError(f"partition {number} cannot be verified: {error}") from error
        verification.finish()
        if self._scope.subjects is None and not cut.position.changes_from:
            dead_letters.finish(settled, cut.offset)
        for key in sorted(self._scope.subjects or ()):
            customer = verification.recomputed.customer(key)
            if customer is not None:
                self.customers.append(Shown(number, customer, recomputed=True))
            elif (customer := verification.kept(key)) is not None:
                self.customers.append(Shown(number, customer, recomputed=False))
        self._findings.counts["partitions"] += 1
        self._verified[number] = Verified(changelog.tail or 0, verification.open, changelog.early)

    def _is_made_with_ours(self, number: int, cut: Cut) -> bool:
        """Whether lifecycles and settings are those of the state; else says so."""
        position, settings = cut.position, self._settings.deciding
        ours, theirs = {each.id: each.digest.hex() for each in self._model.lifecycles}, position.lifecycles
        unequal = [
            f"lifecycle {name} is {'another version' if name in ours and name in theirs else 'not in both'}"
            for name in sorted(ours.keys() | theirs.keys())
            if ours.get(name) != theirs.get(name)
        ]
        unequal += [
            f"{name} is {settings.get(name, 'the default')}, was {position.settings.get(name, 'the default')}"
            for name in dict.fromkeys((*position.settings, *settings))
            if settings.get(name) != position.settings.get(name)
        ]
        if unequal:
            self._findings.unseen.append(f"partition {number} was last written with others: {'; '.join(unequal)}")
        return not unequal

    async def _read_changes(self, log: LogReader, number: int, cut: Cut) -> tuple[PublishedChanges, int | None]:
        """The changes of one partition, and the source offset up to which some may be gone."""
        topics = self._settings.topics
        published = PublishedChanges(topics.interactions, number, self._findings, exactly_once=self._scope.exactly_once)
        alike = self._counts[topics.stage_changes] == self._counts[topics.interactions]
        gone: int | None = None
        for each in [number] if alike else range(self._counts[topics.stage_changes]):
            tp = TopicPartition(topics.stage_changes, each)
            first, begin = await log.first_offset(tp), cut.position.changes_from.get(str(each), 0)
            async for records in log.read(tp, max(first, begin)):
                for record in records:
                    published.add(each, record, alike=alike, only=self._scope.subjects)
            if first > begin:
                gone = max(gone or 0, published.first_source.get(each, cut.offset))
        return published, gone

    async def _read_dead_letters(self, log: LogReader, dead_letters: DeadLetterCheck, number: int) -> None:
        topic = self._settings.topics.dead_letters
        if topic not in self._counts:
            return
        tp = TopicPartition(topic, number % self._counts[topic])
        dead_letters.cut = await log.first_offset(tp) > 0
        async for records in log.read(tp):
            for record in records:
                dead_letters.add(record)

    async def _settle(self, log: LogReader) -> None:
        """Read what is only known at the end, and decide what was in doubt."""
        topics, only = self._settings.topics, self._scope.subjects
        self._progress("current stages", 1)
        for number in range(self._counts[topics.current_stages]):
            async for records in log.read(TopicPartition(topics.current_stages, number)):
                for record in records:
                    self._current.add(record.key, record.value, only)
        for number, verified in self._verified.items():
            async for records in log.read(TopicPartition(topics.customers, number), verified.tail):
                verified.touched.update(record.key for record in records if record.key is not None)
            for key, differences in verified.open.items():
                if key not in verified.touched:
                    for difference in differences:
                        self._findings.differ(difference)
        self._homes.finish(self._findings)
        self._current.finish({number: each.touched for number, each in self._verified.items()}, self._homes.several)


async def _interactions(
    log: LogReader, tp: TopicPartition, begin: int, end: int, dead_letters: DeadLetterCheck
) -> AsyncIterator[SourceRecords]:
    """As LogReader.read, without the batches that could not be read and were skipped.

    Raises UnreadableError where one was not.
    """
    while True:
        try:
            async for records in log.read(tp, begin, end):
                yield records
        except UnreadableError as error:
            until = dead_letters.skipped_until(error.offset)
            if until is None:
                raise
            begin = until
        else:
            return
