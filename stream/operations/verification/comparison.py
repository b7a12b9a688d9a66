"""Hold what a partition wrote against what its interactions must have led to. Without I/O.

The *cut* is the state at one position, between two batches. Changes and deadlines at the position itself may have
come just after the cut; such a doubt is settled by what the changelog says of the customer later (`Verification.open`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from stream.codec import stage_changes
from stream.codec.records import SourceRecord
from stream.codec.stage_changes import ChangeSource
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.layouts import lifecycle_of
from stream.codec.state.positions import Position
from stream.core.customer import Customer
from stream.core.model import Model
from stream.core.stage_change import StageChange
from stream.core.times import format_time
from stream.errors import StateError
from stream.operations.verification.births import PublishedBirths
from stream.operations.verification.current_stages import CurrentStages
from stream.operations.verification.findings import Difference, Findings, described, subject_of, unlike
from stream.operations.verification.out_of_reach import OutOfReach
from stream.operations.verification.published import Id, Published, PublishedChanges
from stream.operations.verification.reach import CARRIED, UNREADABLE, Reach
from stream.operations.verification.recomputation import Recomputation, RecomputationInputs
from stream.settings import Settings


class Cut(NamedTuple):
    """A partition's state at one position."""

    position: Position
    offset: int
    """Interactions before it are in the state."""
    customers: dict[bytes, bytes]
    layouts: list[bytes]


class Verification:
    """One partition of interactions."""

    def __init__(
        self,
        model: Model,
        settings: Settings,
        cut: Cut,
        reach: Reach,
        published: PublishedChanges,
        current: CurrentStages,
        findings: Findings,
        only: frozenset[bytes] | None,
    ) -> None:
        self.open: dict[bytes, list[Difference]] = {}
        """Differences of a customer that are none where the customer is written after the cut."""
        self._model = model
        self._topic = settings.topics.interactions
        self._cut = cut
        self._reach = reach
        self._partition = reach.partition
        self._published = published
        self._current = current
        self._findings = findings
        self._only = only
        self._live_from = cut.position.live_from
        clock = cut.position.clock
        self._until = None if clock is None else clock - settings.grace
        self._codec = CustomerCodec(model)
        for layout in cut.layouts:
            self._codec.learn(layout)
        self._old = OutOfReach(reach, self._live_from, current, findings)
        self._unreadable: set[bytes] = set()
        self._births = None if reach.everyone else self._find_births()
        self._hints = [] if reach.exact else self._find_hints()
        self._hint = 0
        inputs = RecomputationInputs(
            partition=self._partition,
            clock=settings.clock,
            grace=settings.grace,
            decoder=settings.decoder(),
            live_from=self._live_from,
            complete=reach.complete,
            births=self._births,
            only=only,
            generation=cut.position.generation,
            elders_before=reach.since if self._births is not None and self._has_dropped() else 0,
        )
        self.recomputed = Recomputation(model, inputs, self._expect)

    def _has_dropped(self) -> bool:
        """Whether the state knew lifecycles that are no more."""
        ours = {each.id for each in self._model.lifecycles}
        return any(lifecycle_of(layout) not in ours for layout in self._cut.layouts)

    def _find_births(self) -> set[tuple[bytes, int]]:
        """Who is known to have begun within reach: by their record, or by the changes that were published."""
        births: set[tuple[bytes, int]] = set()
        changes = PublishedBirths(self._published, self._reach, {each.id for each in self._model.lifecycles})
        for key, value in self._cut.customers.items():
            if self._only is not None and key not in self._only:
                continue
            customer = self._read(key, value)
            if customer is None:
                self._old.add(key, None, UNREADABLE)
                continue
            lives = {self._reach.born(life.born) for life in customer.lives.values()}
            born = {each for each in lives if each is not None}
            if born < lives:
                self._old.add(key, customer, CARRIED)
            elif len(born) == 1 and min(born) >= self._reach.floor and key not in changes.of_dropped:
                births.add((key, min(born)))
            else:
                oldest = min(born, default=self._reach.floor)
                self._old.add(key, customer, self._reach.why(oldest if oldest < self._reach.floor else None))
        births.update((key, at) for key, at in changes.births() if key not in self._old)
        return births

    def _read(self, key: bytes, value: bytes) -> Customer | None:
        """A customer's record; None where it cannot be read, which is a difference."""
        try:
            return self._codec.decode(key, value)
        except StateError as error:
            if key not in self._unreadable:
                self._unreadable.add(key)
                self._differ(key, "", f"its record in lifecycle-customers cannot be read: {error}")
            return None

    def _find_hints(self) -> list[tuple[int, bytes, int]]:
        """Before which offset whose deadlines fired up to when: what the changes say of lives within reach."""
        return sorted(
            (change.source, key, change.at)
            for key, name, change in self._published.left()
            if change.by_time and change.source < self._cut.offset and self._is_reached(key, name)
        )

    def _is_reached(self, key: bytes, name: Id) -> bool:
        at = self._reach.born(name.born)
        if at is None or at < self._reach.floor:
            return False
        return self._births is None or (key, at) in self._births

    def process(self, record: SourceRecord, *, unprocessable: bool) -> str | None:
        """The next interaction; returns the reason for which it must be a dead letter, if it must."""
        offset = record.offset
        self._take_hints(offset)
        self._findings.counts["interactions"] += 1
        if unprocessable:
            return "unprocessable"
        rejected = self.recomputed.process(record)
        if offset + 1 < self._cut.offset:
            self.recomputed.fire(offset + 1)
        return None if rejected is None else rejected.reason.value

    def _take_hints(self, offset: int) -> None:
        """Fire what was fired before `offset`, as far as it was due."""
        hints, until = self._hints, self._until
        while self._hint < len(hints) and hints[self._hint][0] <= offset:
            source, key, at = hints[self._hint]
            self._hint += 1
            if until is not None and at <= until:  # else it can only have fired with an interaction of its own
                self.recomputed.let_pass(key, at, source)

    def _expect(self, key: bytes, changes: Sequence[StageChange], offset: int) -> None:
        """What must have been written."""
        findings = self._findings
        for change in changes:
            value = stage_changes.encode(change, ChangeSource(self._topic, self._partition, offset))
            self._current.expect(
                self._partition, stage_changes.current_key(change), value, gone=change.to_stage is None
            )
            if self._live_from is not None and change.at < self._live_from:
                findings.counts["changes not to be published"] += 1
                continue
            found = self._published.take(key, Id(change.lifecycle, change.born, change.sequence))
            if found is not None and found.value == value:
                findings.counts["changes"] += 1
            elif found is not None:
                must = orjson.loads(value)
                unequal = unlike(orjson.loads(found.value), must) or "the same in other bytes"
                self._differ(key, change.lifecycle, f"change {_words(change)}: {unequal}")
            elif self._reach.may_be_gone(offset):
                findings.counts["changes no longer kept"] += 1
            else:
                self._differ(key, change.lifecycle, f"change {_words(change)} is missing from stage-changes")

    def kept(self, key: bytes) -> Customer | None:
        """A customer as the record says; None where there is none, or none that can be read."""
        value = self._cut.customers.get(key)
        return None if value is None else self._read(key, value)

    def finish(self) -> None:
        """After the last interaction before the cut."""
        self._take_hints(self._cut.offset)
        self._find_elders()
        self._fire_the_last()
        self._compare_customers()
        self._look_at_what_is_left()

    def _find_elders(self) -> None:
        """Who was there before the edit though all lives began after it: in lifecycles that are no more."""
        for key in self.recomputed.elders:
            value = self._cut.customers.get(key)
            if value is not None and key not in self._old and self.recomputed.customer(key) is None:
                self._old.add(key, self._read(key, value), self._reach.why(None))

    def _fire_the_last(self) -> None:
        """Deadlines at the cut itself have fired as far as the customer's record says."""
        until = self.recomputed.least if self._reach.exact else self._until
        for key in [] if until is None else self.recomputed.due_until(until):
            target = self.kept(key)
            if target is not None and target.quarantined:
                continue
            while (time := self.recomputed.due(key)) is not None and until is not None and time <= until:
                if target is not None and not self._is_behind(key, target):
                    self._doubt(key, "", f"the deadline at {format_time(time)} has come, but did not fire")
                    break
                self.recomputed.let_pass(key, time, self._cut.offset)

    def _is_behind(self, key: bytes, target: Customer) -> bool:
        """Whether the recomputed customer lacks changes that the record has."""
        mine = self.recomputed.customer(key)
        return mine is not None and any(
            life.born == mine.lives[lifecycle].born and life.sequence > mine.lives[lifecycle].sequence
            for lifecycle, life in target.lives.items()
            if lifecycle in mine.lives
        )

    def _compare_customers(self) -> None:
        wanted, found = self.recomputed.records(), self._cut.customers
        for key in sorted(wanted.keys() | found.keys()):
            if self._only is None or key in self._only:
                self._compare_customer(key, found.get(key), wanted.get(key))

    def _compare_customer(self, key: bytes, found: bytes | None, wanted: bytes | None) -> None:
        if found == wanted:
            self._findings.counts["customers"] += 1
            return
        if key in self._old:
            return
        is_now = None if found is None else self._read(key, found)
        must_be = None if wanted is None else self._codec.decode(key, wanted)
        if found is None:
            self._differ(key, "", "has no record in lifecycle-customers, must have one")
        elif is_now is None:
            return
        elif is_now.quarantined:
            self._findings.not_reached["quarantined, as our code failed on a deadline of theirs"] += 1
        elif must_be is not None:
            unequal = unlike(described(self._model, is_now), described(self._model, must_be))
            self._differ(key, "", f"record in lifecycle-customers: {unequal or 'the same in other bytes'}")
        else:
            self._differ(key, "", "has a record in lifecycle-customers, but no interaction led to it")

    def _look_at_what_is_left(self) -> None:
        """Published changes that nothing accounted for."""
        for key, name, change in self._published.left():
            if self._is_quarantined(key):
                continue
            what = f"change {name.sequence} of {name.born} at {format_time(change.at)} is on stage-changes"
            if self._came_later(key, name, change):
                self._doubt(key, name.lifecycle, f"{what}, before offset {change.source}, but nothing leads to it")
            elif self._births is None or (self._is_reached(key, name) and not self._is_elder(key)):
                self._differ(key, name.lifecycle, f"{what}, but no interaction or deadline leads to it")
            else:
                self._old.add_change(key, name, change)
        self._old.finish()

    def _is_elder(self, key: bytes) -> bool:
        return key in self._old or key in self.recomputed.elders

    def _is_quarantined(self, key: bytes) -> bool:
        customer = self.kept(key)
        return customer is not None and customer.quarantined

    def _came_later(self, key: bytes, name: Id, change: Published) -> bool:
        """Whether it is of after the cut: past its offset, or there and not yet in the record."""
        if change.source != self._cut.offset:
            return change.source > self._cut.offset
        value = self._cut.customers.get(key)
        customer = self.kept(key)
        life = None if customer is None else customer.lives.get(name.lifecycle)
        if life is None or life.born != name.born:
            return value is not None or not change.by_time
        return life.sequence < name.sequence

    def _differ(self, key: bytes, lifecycle: str, problem: str) -> None:
        self._findings.differ(Difference(self._partition, subject_of(key), lifecycle, problem))

    def _doubt(self, key: bytes, lifecycle: str, problem: str) -> None:
        difference = Difference(self._partition, subject_of(key), lifecycle, problem)
        self.open.setdefault(key, []).append(difference)


def _words(change: StageChange) -> str:
    moved = f"{change.from_stage or '(new)'} → {change.to_stage or '(forgotten)'}"
    return f"{change.sequence} of {change.born} ({moved} at {format_time(change.at)})"
