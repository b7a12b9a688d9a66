"""Whatever happens to deliveries, in whatever order: the machine does what lists do, and forgets nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stream.codec.deliveries import DeliveryCommand, EndpointState, read_given_up
from stream.machine.batch import Batch
from stream.webhooks.attempt_log import read_attempt
from stream.webhooks.deliveries import deliveries, outbox
from stream.webhooks.deliveries.machine import DeliveryMachine
from stream.webhooks.deliveries.news import Attempted, Configured, GivenBack, Taken
from stream.webhooks.deliveries.schedule import FAILING_FOR, next_due
from stream.webhooks.endpoint import Endpoint
from stream.webhooks.exchange import Verdict
from tests.kit.machines import compacted
from tests.webhooks.machines import NOW, commanded, ended, endpoint, id_of, machine, run, value

MOST_OF_ONE, MOST = 4, 7
CUSTOMERS, LIFECYCLES, ENDPOINTS = ("1", "2", "3", "4"), ("shop", "club"), ("crm", "mail", "chat")
NEW = EndpointState()


@dataclass
class Entry:
    """A delivery that waits, in the model."""

    event_id: str
    subject: str
    value: bytes
    came: int
    attempts: int = 0
    due: int = 0
    redelivered: bool = False

    @property
    def lifecycle(self) -> str:
        return self.event_id.split(":")[0]

    @property
    def sequence(self) -> int:
        return int(self.event_id.split(":")[-1])


@dataclass
class Lane:
    """What waits for one endpoint, in the order in which it came, in the model."""

    entries: list[Entry] = field(default_factory=list)
    under_way: list[Entry] = field(default_factory=list)
    state: EndpointState = NEW

    def of(self, subject: str) -> list[Entry]:
        return [each for each in self.entries if each.subject == subject]

    def heads(self) -> Iterator[Entry]:
        seen: set[str] = set()
        for each in self.entries:
            if each.subject not in seen:
                seen.add(each.subject)
                yield each

    def first_that_may_go(self, among: list[Entry]) -> Entry | None:
        return next((each for each in among if not any(each is other for other in self.under_way)), None)

    def remove(self, entry: Entry) -> None:
        self.entries = [each for each in self.entries if each is not entry]
        self.under_way = [each for each in self.under_way if each is not entry]


class DeliveriesAreLists(RuleBasedStateMachine):
    """Inputs come in any order, batches are committed or lost, and processes begin anew from the changelog."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = [patch.object(deliveries, "MOST_WAITING_OF_ONE", MOST_OF_ONE)]
        for each in self.patches:
            each.start()
        self.now = NOW
        self.endpoints: dict[str, Endpoint] = {
            "crm": endpoint("crm", most_waiting=MOST),
            "mail": endpoint("mail", most_waiting=MOST, only_latest=True),
        }
        self.source: list[tuple[str, str, bytes] | None] = []
        self.sequences: dict[tuple[str, str], int] = {}
        self.commands: list[DeliveryCommand] = []
        self.results: list[Attempted] = []
        self.back: list[Taken] = []
        self.out: list[Taken] = []
        """Taken by the process that runs, or by one that ran before."""
        self.changelog: dict[bytes, bytes] = {}
        self.machine = machine(self.endpoints)
        self.lanes: dict[str, Lane] = {}
        self.wanted: dict[str, list[str]] = {}
        self.over: dict[str, set[str]] = {}
        """By endpoint, changes that were delivered, given up or superseded."""
        self.letters: list[tuple[str, Entry, str]] = []
        self.first_sent: dict[tuple[str, str], list[int]] = {}
        self.arrived: dict[tuple[str, str], int] = {}
        self.told = 0

    def teardown(self) -> None:
        for each in self.patches:
            each.stop()

    # What happens outside.

    @rule(customer=st.sampled_from(CUSTOMERS), lifecycle=st.sampled_from(LIFECYCLES), times=st.integers(1, 3))
    def changes_are_published(self, customer: str, lifecycle: str, times: int) -> None:
        for _ in range(times):
            number = self.sequences[customer, lifecycle] = self.sequences.get((customer, lifecycle), 0) + 1
            made = value(customer, number, lifecycle=lifecycle)
            self.source.append((id_of(customer, number, lifecycle), f"customer:{customer}", made))

    @precondition(lambda self: self.source)
    @rule(data=st.data())
    def one_is_published_again(self, data: Any) -> None:
        self.source.append(data.draw(st.sampled_from(self.source[-6:])))

    @rule()
    def something_else_is_published(self) -> None:
        self.source.append(None)

    @rule(milliseconds=st.sampled_from([1, 4_000, 7_000, 400_000, 90_000_000, -6_000]))
    def time_passes(self, milliseconds: int) -> None:
        self.now += milliseconds

    @rule(name=st.sampled_from(ENDPOINTS), command=st.sampled_from(["pause", "disable", *["resume"] * 5]))
    def somebody_commands(self, name: str, command: Any) -> None:
        self.commands.append(DeliveryCommand(command, name, self.now, "somebody said so"))

    @precondition(lambda self: self.letters)
    @rule(data=st.data())
    def a_dead_letter_is_delivered_again(self, data: Any) -> None:
        name, entry, _ = data.draw(st.sampled_from(self.letters))
        again = DeliveryCommand("redeliver", name, self.now, id=entry.event_id, change=orjson_raw(entry.value))
        self.commands.append(again)

    # What this process does.

    @rule(most=st.integers(1, 20), name=st.sampled_from(ENDPOINTS))
    def deliveries_are_taken(self, most: int, name: str) -> None:
        lane, ready = self.lanes.get(name, Lane()), self.ready(name)
        taken = self.machine.take(name, most, self.now)
        assert len(taken) == min(most, len(ready))
        assert len({each.subject for each in taken}) == len(taken)
        for each in taken:
            [entry] = [entry for entry in ready if entry.event_id == each.event_id]
            assert (each.subject, each.value, each.came, each.attempts) == (
                entry.subject,
                entry.value,
                entry.came,
                entry.attempts,
            )
            lane.under_way.append(entry)
            if not entry.redelivered and (name, each.event_id) not in self.arrived:
                self.arrived[name, each.event_id] = len(self.arrived)
                self.first_sent.setdefault((name, entry.subject + entry.lifecycle), []).append(entry.sequence)
        self.out += taken

    @precondition(lambda self: self.out)
    @rule(
        data=st.data(),
        verdict=st.sampled_from([*Verdict, Verdict.AGAIN, Verdict.AGAIN]),
        wait=st.sampled_from([None, None, None, 30.0]),
        answered=st.booleans(),
        keep=st.booleans(),
    )
    def an_attempt_ends(self, data: Any, verdict: Verdict, wait: float | None, answered: bool, keep: bool) -> None:
        taken = data.draw(st.sampled_from(self.out))
        status = {"status": None} if not answered and verdict in (Verdict.AGAIN, Verdict.REFUSED) else {}
        self.results.append(ended(taken, verdict, wait=wait, at=self.now, **status))
        if not keep:  # else it ends twice, as results do that are told again
            self.out.remove(taken)

    @precondition(lambda self: any(lane.under_way for lane in self.lanes.values()))
    @rule(data=st.data())
    def a_delivery_is_given_back(self, data: Any) -> None:
        under_way = [(name, each.event_id) for name, lane in self.lanes.items() for each in lane.under_way]
        name, event_id = data.draw(st.sampled_from(under_way))
        found = [each for each in self.out if (each.endpoint, each.event_id) == (name, event_id)]
        self.back += found[-1:]

    @rule(name=st.sampled_from(ENDPOINTS), how=st.sampled_from(["gone", "off", *["on", "latest", "all"] * 2]))
    def the_file_is_edited(self, name: str, how: str) -> None:
        edited = dict(self.endpoints)
        known = edited.pop(name, None) or endpoint(name, most_waiting=MOST)
        if how != "gone":
            changes: dict[str, Any] = {
                "off": {"enabled": False},
                "on": {"enabled": True},
                "latest": {"only_latest": True},
                "all": {"only_latest": False},
            }[how]
            edited[name] = replace(known, **changes)
        self.endpoints = edited

    @rule(
        most=st.integers(0, 8),
        small=st.booleans(),
        reread=st.integers(0, 5),
        commit=st.sampled_from([True] * 5 + [False]),
    )
    def a_batch_runs(self, most: int, small: bool, reread: int, commit: bool) -> None:
        self.now += 1
        begin = self.machine.next_offset or 0
        values = [None if each is None else each[2] for each in self.source[begin : begin + most]]
        news: list[object] = []
        if self.machine.endpoints is not self.endpoints:
            news.append(Configured(self.endpoints))
        news += [GivenBack(each) for each in self.back]
        news += self.results
        first = max(0, self.machine.next_command - reread)
        news.append(commanded(*self.commands[first:], first=first))
        known = self.machine.next_command
        with patch.object(outbox, "MAX_BYTES", 2_500 if small else 4 << 20):
            batch = run(self.machine, values, *news, wall=self.now, first=begin)
        assert batch.more == (batch.next_offset < begin + len(values))
        if not commit:
            self.begin_anew()
            return
        for each in batch.state:  # a record that is written again stands behind the others then
            self.changelog.pop(each.key or b"", None)
        self.changelog = compacted([batch], self.changelog)
        self.apply(known, begin, batch)

    # What mostly happens, in one step.

    @rule(
        changes=st.lists(st.tuples(st.sampled_from(CUSTOMERS), st.sampled_from(LIFECYCLES)), min_size=1, max_size=9),
    )
    def changes_come(self, changes: list[tuple[str, str]]) -> None:
        for customer, lifecycle in changes:
            self.changes_are_published(customer, lifecycle, 1)
        self.a_batch_runs(most=20, small=False, reread=0, commit=True)

    @rule(
        name=st.sampled_from(ENDPOINTS),
        most=st.integers(1, 9),
        verdicts=st.lists(st.sampled_from([*Verdict, *[Verdict.AGAIN] * 4, Verdict.DELIVERED]), min_size=4, max_size=4),
        rounds=st.integers(1, 4),
        later=st.sampled_from([0, 7_000, 90_000_000]),
        wait=st.sampled_from([None, None, 0.0, 30.0]),
    )
    def attempts_are_made(
        self, name: str, most: int, verdicts: list[Verdict], rounds: int, later: int, wait: float | None
    ) -> None:
        for _ in range(rounds):
            self.deliveries_are_taken(most, name)
            for verdict, taken in zip(verdicts, [each for each in self.out if each.endpoint == name], strict=False):
                self.results.append(ended(taken, verdict, at=self.now, wait=wait))
                self.out.remove(taken)
            self.now += later
            self.a_batch_runs(most=0, small=False, reread=0, commit=True)

    def begin_anew(self) -> None:
        """As after a crash: results that were not committed are told again, what was under way is not any more."""
        self.machine = machine(self.machine.endpoints, self.changelog)
        self.back.clear()
        for lane in self.lanes.values():
            lane.under_way.clear()

    # What is to come of it.

    def apply(self, known_command: int, begin: int, batch: Batch) -> None:
        expected: list[tuple[str, str, str]] = []
        self.expected_letters = expected
        attempts = 0
        back, self.back = self.back, []
        for taken in back:
            lane = self.lanes.get(taken.endpoint, Lane())
            if (entry := self.awaited(taken)) is not None:
                lane.under_way = [each for each in lane.under_way if each is not entry]
        results, self.results = self.results, []
        for result in results:
            attempts += self.ends(result)
        for command in self.commands[known_command:]:
            self.obeys(command)
        for each in self.source[begin : batch.next_offset]:
            for name, named in self.endpoints.items():
                if each is not None and named.enabled:
                    self.comes(name, *each, redelivered=False)
        letters = [read_given_up(each.value, each.headers) for each in batch.dead_letters]
        assert [(each.endpoint, each.event_id, each.reason) for each in letters if each] == expected
        told = [read_attempt(each.value) for each in batch.events]
        assert len(told) == attempts
        assert None not in told

    def awaited(self, taken: Taken) -> Entry | None:
        queue = self.lanes.get(taken.endpoint, Lane()).of(taken.subject)
        if not queue or (queue[0].event_id, queue[0].came, queue[0].attempts) != taken[2:5]:
            return None
        return queue[0]

    def ends(self, result: Attempted) -> int:
        entry, name = self.awaited(result.taken), result.taken.endpoint
        if entry is None:
            return 0
        lane, verdict, end = self.lanes[name], result.outcome.verdict, result.at + 250
        self.judges(lane, result)
        if result.outcome.wait is not None:
            lane.state = lane.state.but(not_before=max(lane.state.not_before, end + round(result.outcome.wait * 1000)))
        lane.under_way = [each for each in lane.under_way if each is not entry]
        due = next_due(entry.event_id, name, entry.attempts + 1, end)
        later = [each for each in lane.of(entry.subject)[1:] if each.lifecycle == entry.lifecycle]
        if verdict is Verdict.DELIVERED:
            self.ends_for_good(name, entry)
        elif verdict is Verdict.REFUSED:
            self.is_lost(name, entry, "refused")
        elif later and name in self.endpoints and self.endpoints[name].only_latest:
            self.ends_for_good(name, entry)
        elif due is None and verdict is not Verdict.GONE:
            self.is_lost(name, entry, "exhausted")
        else:
            entry.attempts += 1
            entry.due = max(due or end, lane.state.not_before)
        return 1

    def judges(self, lane: Lane, result: Attempted) -> None:
        verdict, since = result.outcome.verdict, lane.state.failing_since
        if verdict in (Verdict.DELIVERED, Verdict.REFUSED):
            if result.status is not None:
                lane.state = lane.state.but(failing_since=None)
        elif verdict is Verdict.GONE:
            self.is_disabled(lane, result.at, "410 said the tool")
        elif since is None:
            lane.state = lane.state.but(failing_since=result.at)
        elif result.at - since >= FAILING_FOR:
            self.is_disabled(lane, result.at, "every attempt of five days failed")

    def is_disabled(self, lane: Lane, at: int, why: str) -> None:
        if lane.state.disabled_at is None:
            lane.state = lane.state.but(disabled_at=at, disabled_reason=why)

    def obeys(self, command: DeliveryCommand) -> None:
        lane = self.lanes.setdefault(command.endpoint, Lane())
        if command.command == "pause":
            lane.state = lane.state.but(paused_at=command.at)
        elif command.command == "resume":
            lane.state = NEW
        elif command.command == "disable":
            self.is_disabled(lane, command.at, command.reason)
        else:
            subject = ":".join(command.id.split(":")[1:3])
            self.comes(command.endpoint, command.id, subject, bytes(command.change), redelivered=True)

    def comes(self, name: str, event_id: str, subject: str, made: bytes, *, redelivered: bool) -> None:
        lane = self.lanes.setdefault(name, Lane())
        if any(each.event_id == event_id for each in lane.entries):
            return
        repeated = redelivered or event_id in self.wanted.get(name, ())
        self.wanted.setdefault(name, []).append(event_id)
        self.over.setdefault(name, set()).discard(event_id)
        new = Entry(event_id, subject, made, self.now, redelivered=repeated)
        alike = [each for each in lane.of(subject) if each.lifecycle == new.lifecycle]
        if name in self.endpoints and self.endpoints[name].only_latest:
            if any(each.sequence > new.sequence for each in alike):
                self.over[name].add(event_id)
                return
            for each in alike:
                if not any(each is other for other in lane.under_way):
                    self.ends_for_good(name, each)
        lane.entries.append(new)
        if len(lane.of(subject)) > MOST_OF_ONE:
            self.overflows(name, lane, lane.of(subject))
        most = self.endpoints[name].most_waiting if name in self.endpoints else 100_000
        while len(lane.entries) > most and self.overflows(name, lane, lane.entries):
            pass

    def overflows(self, name: str, lane: Lane, among: list[Entry]) -> bool:
        oldest = lane.first_that_may_go(among)
        if oldest is not None:
            self.is_lost(name, oldest, "overflow")
        return oldest is not None

    def is_lost(self, name: str, entry: Entry, reason: str) -> None:
        self.letters.append((name, entry, reason))
        self.expected_letters.append((name, entry.event_id, reason))
        self.ends_for_good(name, entry)

    def ends_for_good(self, name: str, entry: Entry) -> None:
        self.lanes[name].remove(entry)
        self.over[name].add(entry.event_id)

    def ready(self, name: str) -> list[Entry]:
        """What may be sent now."""
        lane, named = self.lanes.get(name, Lane()), self.machine.endpoints.get(name)
        if named is None or not named.enabled or not lane.state.is_open or self.now < lane.state.not_before:
            return []
        return [
            each
            for each in lane.heads()
            if not any(each is other for other in lane.under_way) and (not each.attempts or each.due <= self.now)
        ]

    # What always holds.

    @invariant()
    def what_waits_is_what_the_lists_say(self) -> None:
        self.holds(self.machine)

    @invariant()
    def a_restart_would_know_the_same(self) -> None:
        self.holds(machine(self.machine.endpoints, self.changelog))

    def holds(self, made: DeliveryMachine) -> None:
        for name in ENDPOINTS:
            lane, waiting = self.lanes.get(name, Lane()), made.waiting.get(name)
            if waiting is None:
                assert not lane.entries
                assert lane.state == NEW
                continue
            assert waiting.state == lane.state
            assert waiting.count == len(lane.entries)
            assert (waiting.oldest.event_id if waiting.oldest else None) == next(
                (each.event_id for each in lane.entries), None
            )
            for customer in CUSTOMERS:
                subject = f"customer:{customer}"
                mine, theirs = list(waiting.of(subject)), lane.of(subject)
                assert [(each.event_id, each.value, each.came, each.attempts) for each in mine] == [
                    (each.event_id, each.value, each.came, each.attempts) for each in theirs
                ]
                assert all(each.due == other.due for each, other in zip(mine, theirs, strict=True))

    @invariant()
    def nothing_is_lost(self) -> None:
        for name, came in self.wanted.items():
            waits = {each.event_id for each in self.lanes[name].entries}
            assert waits.isdisjoint(self.over[name])
            assert waits | self.over[name] == set(came)

    @invariant()
    def first_arrivals_are_in_order(self) -> None:
        for numbers in self.first_sent.values():
            assert numbers == sorted(numbers)

    @invariant()
    def the_machine_says_when_it_is_due(self) -> None:
        expected: list[int] = []
        for name, lane in self.lanes.items():
            named = self.machine.endpoints.get(name)
            heads = [each for each in lane.heads() if not any(each is other for other in lane.under_way)]
            if named is None or not named.enabled or not lane.state.is_open or not heads:
                continue
            wall, until = self.machine._wall, lane.state.not_before
            if any(not each.attempts or each.due <= wall for each in heads):
                expected += [until] if until > wall else []
            else:
                expected.append(max(until, min(each.due for each in heads)))
        due = self.machine.next_due()
        if due is not None:
            assert due > self.machine._wall
        if expected:
            # Places that are left behind may have it look earlier or, within the second of an idle turn, later.
            assert due is None or due <= max(expected)


def orjson_raw(made: bytes) -> Any:
    """A value as it stands in a command."""
    import msgspec  # noqa: PLC0415

    return msgspec.Raw(made)


TestDeliveriesAreLists = DeliveriesAreLists.TestCase
TestDeliveriesAreLists.settings = settings(max_examples=120, stateful_step_count=50, deadline=None)
