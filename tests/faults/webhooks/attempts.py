"""Which arrival each record of an attempt is about, and whether both say the same."""

from collections import defaultdict
from collections.abc import Iterable
from math import inf
from typing import NamedTuple

from stream.webhooks.attempt_log import AttemptRecord
from stream.webhooks.exchange import Verdict
from tests.faults.webhooks.changelog import Place
from tests.faults.webhooks.journal import Arrival, Journal
from tests.faults.webhooks.moods import TIMEOUT

_SLACK = 2.0
"""Milliseconds by which two readings of one clock may differ, rounded."""
_PREEMPTED = 250.0
"""Milliseconds that may lie between when an attempt says that it began, and its first request, on a busy machine."""
_UNSEEN = 1_000.0
"""Milliseconds that a request may lie at a busy receiver after its sender has given it up."""
_CUT = 1_000.0
_MAY_HAVE_COME = "is unknown"
"""In the reason of an attempt without an answer: else nothing was sent."""


class Known(NamedTuple):
    """A record of the topic of attempts."""

    written: float
    """Epoch milliseconds."""
    partition: int
    record: AttemptRecord

    @property
    def ended(self) -> float:
        """When the attempt was over."""
        return self.record.at + self.record.seconds * 1_000


class Told(NamedTuple):
    """Arrivals of one delivery, and what is known of them."""

    arrivals: list[Arrival]
    """In the order in which they came."""
    known: list[Known]
    """By the time of the attempt."""
    about: dict[int, Known]
    """By place in `arrivals`, the record of it."""
    lines: list[str]
    """What both do not agree about."""


def told_of(journal: Journal, records: Iterable[Known]) -> dict[Place, Told]:
    """By delivery, what arrived and what is known of it."""
    arrivals: defaultdict[Place, list[Arrival]] = defaultdict(list)
    known: defaultdict[Place, list[Known]] = defaultdict(list)
    for arrival in journal.arrivals:
        arrivals[arrival.endpoint, arrival.id].append(arrival)
    for each in records:
        known[each.record.endpoint, each.record.id].append(each)
    restarts = journal.of("receiver-restart")
    cuts = [each.began for each in restarts]
    return {place: _told(place, arrivals[place], known[place], cuts) for place in arrivals.keys() | known.keys()}


def _told(place: Place, arrivals: list[Arrival], known: list[Known], cuts: list[float]) -> Told:
    told = Told(arrivals, sorted(known, key=lambda each: each.record.at), {}, [])
    # What was answered first: whose request never came must not claim the next one's arrival.
    for each in sorted(told.known, key=lambda each: each.record.status is None):
        number = _arrival_of(told, each)
        if number is not None:
            told.about[number] = each
        line = _difference(None if number is None else arrivals[number], each, cuts)
        if line is not None:
            told.lines.append(f"{place}: {line}")
    return told


def _arrival_of(told: Told, known: Known) -> int | None:
    """The place of the arrival that a record is about."""
    record = known.record
    if record.status is None and _MAY_HAVE_COME not in record.reason:
        return None
    later = min((each.record.at for each in told.known if each.record.at > record.at), default=inf)
    until = min(known.ended + (_UNSEEN if record.status is None else _PREEMPTED), later - _SLACK)
    possible = [
        number
        for number, each in enumerate(told.arrivals)
        if number not in told.about and record.at - _SLACK <= each.at <= until
    ]
    alike = [number for number in possible if _is_alike(told.arrivals[number], record)]
    return next(iter(alike or possible), None)


def _is_alike(arrival: Arrival, record: AttemptRecord) -> bool:
    return arrival.answer == record.status if record.status is not None else not arrival.whole


def _difference(arrival: Arrival | None, known: Known, cuts: list[float]) -> str | None:
    record = known.record
    if record.status is None:
        if record.verdict is not Verdict.AGAIN:
            return f"was not answered, and counts as {record.verdict}"
        if arrival is None or not arrival.whole or record.seconds >= TIMEOUT - 0.05:
            return None
        cut = any(arrival.ended <= each <= arrival.ended + _CUT for each in cuts)
        return None if cut else f"was answered {arrival.answer}, and counts as not answered: {record.reason}"
    if arrival is None or arrival.answer != record.status:
        said = "never came" if arrival is None else f"was answered {arrival.answer} ({arrival.how})"
        return f"counts as answered {record.status}, and {said}"
    must = _verdict(arrival)
    if record.verdict is must or (record.verdict is Verdict.AGAIN and not arrival.whole):
        return None
    return f"was answered {arrival.answer} ({arrival.how}), and counts as {record.verdict} instead of {must}"


def _verdict(arrival: Arrival) -> Verdict:
    """What an answer means."""
    assert arrival.answer is not None
    if arrival.cut:
        return Verdict.AGAIN
    if 200 <= arrival.answer < 300:
        return Verdict.DELIVERED
    return {410: Verdict.GONE, 422: Verdict.REFUSED}.get(arrival.answer, Verdict.AGAIN)
