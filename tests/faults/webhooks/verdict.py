"""What must have arrived of the changes on the topic, in which order, how often; and what the topics say of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from stream.codec.deliveries import GivenUpDelivery, read_given_up, subject_of
from stream.codec.stage_change_reader import read_whole_change
from stream.settings import Settings
from stream.webhooks.attempt_log import read_attempt
from stream.webhooks.exchange import Verdict as Became
from tests.faults.webhooks.attempts import Known, Told, told_of
from tests.faults.webhooks.changelog import Changelog, Place
from tests.faults.webhooks.endpoints import ENDPOINTS, MOST_WAITING, WANTED_BY
from tests.faults.webhooks.fates import COMMIT, Fates
from tests.faults.webhooks.journal import Arrival, Journal
from tests.faults.webhooks.quiet import arrived_though_closed
from tests.faults.webhooks.role import DELAYS
from tests.kit.topics import read_all

_ROUNDED = 2.0
"""Milliseconds."""


class Change(NamedTuple):
    """A stage change on the topic."""

    id: str
    partition: int
    to: str


@dataclass
class Verdict:
    """What came of it."""

    differences: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """Figures by what they count, in words."""


async def judge(settings: Settings, journal: Journal, changelog: Changelog) -> Verdict:
    """Read the topics and compare."""
    topics, bootstrap = settings.webhook_topics, settings.bootstrap
    changes = []
    for number, records in (await read_all(bootstrap, topics.source)).items():
        for record in records:
            change = read_whole_change(record.value, number, record.offset)
            assert change is not None
            changes.append(Change(change.event_id, number, change.to_stage or ""))
    known = []
    for number, records in (await read_all(bootstrap, topics.events)).items():
        for record in records:
            attempt = read_attempt(record.value)
            assert attempt is not None
            known.append(Known(record.timestamp, number, attempt))
    letters: defaultdict[Place, list[GivenUpDelivery]] = defaultdict(list)
    for records in (await read_all(bootstrap, topics.dead_letters)).values():
        for record in records:
            letter = read_given_up(record.value, record.headers)
            assert letter is not None
            letters[letter.endpoint, letter.event_id].append(letter)
    return compare(journal, changelog, changes, known, letters)


def compare(
    journal: Journal,
    changelog: Changelog,
    changes: list[Change],
    known: Iterable[Known],
    letters: Mapping[Place, list[GivenUpDelivery]],
) -> Verdict:
    """What is wrong; `letters` are deliveries that were given up."""
    return _Judge(journal, changelog, changes, known, letters).verdict()


class _Judge:
    def __init__(
        self,
        journal: Journal,
        changelog: Changelog,
        changes: list[Change],
        known: Iterable[Known],
        letters: Mapping[Place, list[GivenUpDelivery]],
    ) -> None:
        self._journal, self._changelog, self._changes, self._letters = journal, changelog, changes, letters
        self._fates = Fates(journal, len(changelog.read_up_to))
        self._told = told_of(journal, known)
        self._nothing = Told([], [], {}, [])
        self._counts: Counter[str] = Counter()
        self._last: dict[str, int] = {}

    def verdict(self) -> Verdict:
        lines = [
            *(f"{each.endpoint}, {each.id}: {each.wrong}" for each in self._journal.arrivals if each.wrong),
            *(line for told in self._told.values() for line in told.lines),
            *(line for place in self._places() for line in self._account(place)),
            *(line for place, told in self._told.items() for line in self._repeats(place, told)),
            *(line for place, told in self._told.items() for line in self._times(place, told)),
            *self._orders(),
            *self._waiting(),
            *arrived_though_closed(self._journal, self._changelog, self._fates, self._counts),
        ]
        self._counts["changes"] = len(self._changes)
        self._counts["arrivals"] = len(self._journal.arrivals)
        self._counts["attempts recorded"] = sum(len(each.known) for each in self._told.values())
        return Verdict(lines, self._counts)

    def _wanted(self, endpoint: str, change: Change) -> bool:
        place = endpoint, change.id
        if endpoint == "switched":  # whether it was on when the change was read, nobody knows but who read it
            return place in self._changelog.waited
        return WANTED_BY.get(endpoint, change.to) == change.to

    def _places(self) -> Iterator[Place]:
        """All deliveries that there must be, or are."""
        wanted = {(name, each.id) for name in ENDPOINTS for each in self._changes if self._wanted(name, each)}
        self._counts["deliveries"] = len(wanted)
        yield from sorted(wanted | self._told.keys() | self._letters.keys() | self._changelog.waits.keys())

    def _account(self, place: Place) -> Iterator[str]:
        """A delivery came to one end, and to that only."""
        endpoint, event_id = place
        told, letters = self._told.get(place, self._nothing), self._letters.get(place, [])
        delivered = sum(each.record.verdict is Became.DELIVERED for each in told.known)
        waits = place in self._changelog.waits
        superseded = endpoint == "latest" and not (delivered or letters) and self._is_followed(event_id)
        self._counts["delivered"] += delivered
        self._counts["superseded"] += superseded
        self._counts["waiting for ever"] += waits
        for each in letters:
            self._counts[f"given up: {each.reason}"] += 1
        if delivered + len(letters) + waits + superseded != 1:
            yield (
                f"{place}: {delivered} times delivered, {len(letters)} times given up, {int(waits)} waiting; "
                f"{len(told.arrivals)} arrivals"
            )
        taken = [number for number, each in enumerate(told.arrivals) if each.taken]
        if delivered and not taken:
            yield f"{place}: counts as delivered, and was never taken"
        for each in letters:
            yield from self._letter(place, each, told)

    def _letter(self, place: Place, letter: GivenUpDelivery, told: Told) -> Iterator[str]:
        failed = sum(each.record.verdict in (Became.AGAIN, Became.GONE) for each in told.known)
        refused = sum(each.record.verdict is Became.REFUSED for each in told.known)
        right = {
            "exhausted": failed == letter.attempts == len(DELAYS),
            "refused": place[0] == "picky" and refused == 1 and letter.attempts == failed + 1,
            "overflow": place[0] == "gone" and letter.attempts == failed,
        }
        if not right.get(letter.reason, False):
            yield (
                f"{place}: was given up as {letter.reason} after {letter.attempts} attempts ({letter.detail}); "
                f"{failed} failed, {refused} were refused"
            )

    def _repeats(self, place: Place, told: Told) -> Iterator[str]:
        """Each arrival is known, or its sender could not tell; and none comes after one that was known to be taken."""
        if place not in self._changelog.waited:
            yield f"{place}: arrived, and never waited"
        taken: int | None = None
        for number, each in enumerate(told.arrivals):
            excuse = "" if number in told.about else self._fates.excuse(each)
            if excuse is None and self._was_settled(place, told, number):
                excuse = "settled meanwhile"
            if excuse is None:
                yield (
                    f"{place}: arrived at {each.at:.0f} from {each.sender}, was answered {each.answer} ({each.how}), "
                    "and nobody knows of it, though nothing was done to who sent it"
                )
            elif excuse:
                self._counts[f"attempts unknown: {excuse}"] += 1
            if each.at < self._changelog.waited.get(place, 0.0) - _ROUNDED:
                yield f"{place}: was sent before it was committed as waiting"
            if taken is not None:
                yield from self._duplicate(place, told, taken, each)
            elif each.taken:
                taken = number

    def _was_settled(self, place: Place, told: Told, number: int) -> bool:
        """Whether an earlier attempt, or a later change, had ended the delivery before this one's result was heard."""
        arrival = told.arrivals[number]
        if place[0] == "latest" and not any(each.record.verdict is Became.DELIVERED for each in told.known):
            return self._is_followed(place[1])
        earlier = (known.written for each, known in told.about.items() if each < number and known.record.next is None)
        return any(arrival.at <= each <= arrival.ended + COMMIT for each in earlier)

    def _duplicate(self, place: Place, told: Told, taken: int, again: Arrival) -> Iterator[str]:
        self._counts["duplicates"] += 1
        known = told.about.get(taken)
        if known is None or known.written > again.at:
            why = self._fates.excuse(told.arrivals[taken])
            self._counts[f"duplicates: {why}"] += 1
        elif known.record.verdict is not Became.DELIVERED:
            self._counts["duplicates: answered too late"] += 1
        elif self._fates.was_stopped(again.sender, again.at):
            self._counts["duplicates: on their way when it was stopped"] += 1
        else:
            yield (
                f"{place}: arrived again at {again.at:.0f} from {again.sender}, after it was taken and known to be, "
                f"at {told.arrivals[taken].at:.0f} from {told.arrivals[taken].sender}, written {known.written:.0f}"
            )

    def _times(self, place: Place, told: Told) -> Iterator[str]:
        """No repeat comes before its time."""
        for number, arrival in enumerate(told.arrivals):
            others = (each for each in told.known if each is not told.about.get(number))
            before = [each for each in others if max(each.ended, each.written) <= arrival.at]
            if not before or (due := before[-1].record.next) is None:
                continue
            if arrival.at < due - _ROUNDED and not self._fates.was_stopped(arrival.sender, arrival.at):
                yield f"{place}: came {due - arrival.at:.0f} ms before it was due, from {arrival.sender}; {before[-1]}"

    def _orders(self) -> Iterator[str]:
        """A customer's changes came one after the other: none before the one before it had come to its end."""
        lives: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for each in self._changes:
            for endpoint in ENDPOINTS:
                if self._wanted(endpoint, each):
                    lives[endpoint, subject_of(each.id)].append(each.id)
        for (endpoint, _), ids in lives.items():
            before: list[str] = []
            for event_id in ids:
                told = self._told.get((endpoint, event_id), self._nothing)
                if told.arrivals:
                    for one in before:
                        if not self._ended_before((endpoint, one), told.arrivals[0].at):
                            yield f"{endpoint}: {event_id} came before {one} had come to its end"
                    before = [event_id]  # those before it are over
                else:
                    before.append(event_id)

    def _ended_before(self, place: Place, at: float) -> bool:
        told = self._told.get(place, self._nothing)
        if any(each.taken and each.ended <= at + _ROUNDED for each in told.arrivals):
            return True
        if any(each.at <= at + _ROUNDED for each in self._letters.get(place, [])):
            return True
        return place[0] == "latest" and all(each.ended <= at + _ROUNDED for each in told.known)

    def _is_followed(self, event_id: str) -> bool:
        """Whether a later change of the customer is wanted by `latest`."""
        subject, number = subject_of(event_id), int(event_id.rpartition(":")[2])
        return self._last_wanted.get(subject, 0) > number

    @property
    def _last_wanted(self) -> Mapping[str, int]:
        """By subject, the number of the last change that `latest` wants."""
        if not self._last:
            for each in self._changes:
                if self._wanted("latest", each):
                    self._last[subject_of(each.id)] = int(each.id.rpartition(":")[2])
        return self._last

    def _waiting(self) -> Iterator[str]:
        waiting: Counter[tuple[str, int]] = Counter()
        for (endpoint, _), partition in self._changelog.waits.items():
            waiting[endpoint, partition] += 1
        for (endpoint, partition), count in waiting.items():
            if count > MOST_WAITING or endpoint != "gone":
                yield f"{count} deliveries to {endpoint} wait on partition {partition}"
