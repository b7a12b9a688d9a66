"""That nothing is sent where nothing may be: after 410, to an endpoint that is paused, or turned off in its file.

What is allowed, and why: a request that was begun before a partition's state said that the endpoint is closed may
arrive `UNDER_WAY` later. After the answer 410 the process that got it begins nothing at once; others, as soon as the
command reaches them, for which they get `REACHES` while Kafka is there. What one was sending when it was stopped
arrives when it goes on.
"""

from collections import Counter
from collections.abc import Iterator

from tests.faults.webhooks.changelog import Changelog, Closed
from tests.faults.webhooks.fates import BACK, Fates
from tests.faults.webhooks.journal import Arrival, Journal

UNDER_WAY = 1_000
"""Milliseconds that a request may take from its begin to the receiver, on a busy machine."""
REACHES = 5_000
"""Milliseconds in which a command reaches all processes."""
_EDIT = 3_000
"""Milliseconds in which an edit of the file does."""
_NEVER_RESUMED = "gone"


def arrived_though_closed(journal: Journal, changelog: Changelog, fates: Fates, counts: Counter[str]) -> Iterator[str]:
    """A line for each arrival that nothing explains."""
    for each in changelog.closed:
        counts[f"{'disabled' if each.is_gone else 'paused'}, on a partition"] += 1
        yield from _on_a_partition(each, journal, fates, counts)
    yield from _of_one_process(journal, fates, counts)
    yield from _of_all(journal, changelog, fates)
    for off in journal.of("off"):
        for arrival in _at(journal, off.of, off.began + _EDIT, off.ended):
            if not _excused(arrival, fates, counts):
                yield f"{off.of}: {arrival.id} came {arrival.at - off.began:.0f} ms after it was turned off"


def _on_a_partition(closed: Closed, journal: Journal, fates: Fates, counts: Counter[str]) -> Iterator[str]:
    for arrival in _at(journal, closed.endpoint, closed.since + UNDER_WAY, closed.until):
        if fates.partition(arrival) == closed.partition and not _excused(arrival, fates, counts):
            late = arrival.at - closed.since
            yield (
                f"{closed.endpoint}: {arrival.id} came from {arrival.sender} {late:.0f} ms after partition "
                f"{closed.partition} knew that nothing is to be sent there"
            )


def _of_one_process(journal: Journal, fates: Fates, counts: Counter[str]) -> Iterator[str]:
    """Nothing comes from a process that was answered 410."""
    told: dict[str, float] = {}
    for arrival in journal.arrivals:
        if arrival.endpoint != _NEVER_RESUMED:
            continue
        since = told.get(arrival.sender)
        if since is not None and arrival.at > since + UNDER_WAY and not _excused(arrival, fates, counts):
            yield f"gone: {arrival.id} came {arrival.at - since:.0f} ms after {arrival.sender} was answered 410"
        if since is not None and arrival.at > since:
            counts["requests under way when 410 came"] += 1
        if since is None and arrival.whole and arrival.answer == 410:
            told[arrival.sender] = arrival.ended


def _of_all(journal: Journal, changelog: Changelog, fates: Fates) -> Iterator[str]:
    """Nothing comes from anybody once a command had time to reach all."""
    first = min((each.since for each in changelog.closed if each.endpoint == _NEVER_RESUMED), default=None)
    if first is None:
        yield f"{_NEVER_RESUMED}: no partition knows that it is gone"
        return
    until = first + REACHES
    for each in sorted(fates.outages, key=lambda each: each.began):
        if each.overlaps(first - BACK, until):
            until = max(until, each.ended + BACK)
    for arrival in _at(journal, _NEVER_RESUMED, until, float("inf")):
        if not fates.was_stopped(arrival.sender, arrival.at):
            yield f"gone: {arrival.id} came from {arrival.sender} {arrival.at - first:.0f} ms after 410 was known"


def _at(journal: Journal, endpoint: str, since: float, until: float) -> Iterator[Arrival]:
    return (each for each in journal.arrivals if each.endpoint == endpoint and since < each.at < until)


def _excused(arrival: Arrival, fates: Fates, counts: Counter[str]) -> bool:
    if not fates.was_stopped(arrival.sender, arrival.at):
        return False
    counts["sent by one that was stopped, to who is closed"] += 1
    return True
