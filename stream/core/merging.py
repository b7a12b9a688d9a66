"""Two records of one person become one: what was known of an anonymous visitor goes into the customer.

What does not depend on the order of arrival (rule 25) is afterwards as if all of it had come to one record from the
start. What was capped (`at_most`, `once`) was capped in each; from then on it is capped as if all had been in one.
Stages are not looked at here, nor are the sums of the lifecycle's figures, in which both records have counted.
"""

from typing import cast

from librt.vecs import vec
from mypy_extensions import i64

from stream.core import deduplication, exact, facts, known_values, ledgers, limits, scoring, timed_points
from stream.core.customer import ID_HASH_BYTES, NONE, WINDOW_NUMBERS, Customer, FactState, Life, Window
from stream.core.facts import Fact
from stream.core.figures import KEPT_WINDOWS
from stream.core.imported import REMEMBERED as IMPORTS
from stream.core.interaction import ImportedRow
from stream.core.lifecycle import Lifecycle, Signal
from stream.core.memory import Memory, TimedPoints

_WINDOWS = 2
"""Windows of `at_most` that are kept: the latest."""


def merge_customers(customer: Customer, other: Customer) -> None:
    """Take over what all lifecycles share: ids of interactions, rows of imports, signs of life."""
    _unite_ids(customer, other)
    customer.latest = max(customer.latest, other.latest)
    customer.active = max(customer.active, other.active)
    customer.identified = customer.identified or other.identified
    customer.quarantined = customer.quarantined or other.quarantined
    deduplication.remember(customer, None)  # those that are too old, or too many, go
    customer.rows = _rows(customer.rows, other.rows)


def merge_lives(lifecycle: Lifecycle, life: Life, other: Life) -> None:
    """Take over what one lifecycle knows of the other record; `life` keeps its birth, its stage and its sequence.

    Its clock is then the later of both. Whoever calls this decides on the stage, and schedules.
    """
    life.clock = max(life.clock, other.clock)
    life.active = max(life.active, other.active)
    life.identified = life.identified or other.identified
    life.fired = 0
    resets = _resets(lifecycle, life, other)
    for signal in lifecycle.signals:
        life.counts[signal.index] += other.counts[signal.index]
        if signal.window >= 0:
            _unite_windows(life, other, signal.window)
        _unite_points(lifecycle, signal, life, other)
    for fact in lifecycle.facts:
        _unite_fact(fact, life, other)
    if life.memory is not None and other.memory is not None:
        _unite_memory(lifecycle, life.memory, other.memory)
        life.memory.resets = resets
        for ledger in lifecycle.ledgers:
            ledgers.unite(ledger, life.memory.ledgers[ledger.index], other.memory.ledgers[ledger.index])


def _unite_ids(customer: Customer, other: Customer) -> None:
    """Both records' ids in the order of their times; one that is in both stands there twice."""
    width = ID_HASH_BYTES
    found: list[tuple[int, int, int, bytes]] = []
    for place, each in enumerate((other, customer)):
        for index in range(len(each.id_times)):
            id_hash = each.id_hashes[index * width : (index + 1) * width]
            found.append((each.id_times[index], place, index, id_hash))
    found.sort()
    customer.id_hashes = b"".join([each[3] for each in found])
    customer.id_times = vec[i64]([each[0] for each in found])


def _rows(ours: list[ImportedRow] | None, theirs: list[ImportedRow] | None) -> list[ImportedRow] | None:
    """Of each import the last row of both."""
    if not theirs:
        return ours
    last = {each.source: each for each in theirs}
    for row in ours or ():
        known = last.pop(row.source, row)
        last[row.source] = max(row, known, key=_place)
    return list(last.values())[-IMPORTS:]


def _place(row: ImportedRow) -> tuple[int, int]:
    return row.time, row.number


def _resets(lifecycle: Lifecycle, life: Life, other: Life) -> list[int | None]:
    """The later reset of each score wins; what the other record has of it from before goes."""
    found: list[int | None] = []
    if life.memory is None or other.memory is None:
        return found
    for place, name in enumerate(lifecycle.resets):
        ours, theirs = life.memory.resets[place], other.memory.resets[place]
        if theirs is not None and (ours is None or theirs > ours):
            _drop_before(lifecycle, life, name, theirs)
            found.append(theirs)
        else:
            if ours is not None and ours != theirs:
                _drop_before(lifecycle, other, name, ours)
            found.append(ours)
    return found


def _drop_before(lifecycle: Lifecycle, life: Life, name: str, reset: int) -> None:
    """Take away the points of a score that came at or before a reset, as far as it is known when they came."""
    for score in lifecycle.scores:
        if score.name != name:
            continue
        for slot in score.slots:
            last = life.ats[slot] if score.half_life is not None else life.clock
            if last <= reset and not any(expiring.slot == slot for expiring in score.expiring):
                life.sums[slot], life.ats[slot] = 0.0, 0
                exact.set_points(life, slot, 0)
        for expiring in score.expiring:
            timed_points.forget_until(expiring.points(life), expiring.column, reset)
        assert life.memory is not None
        for place in score.latest:
            kept = cast("list[int]", life.memory.signals[place])
            if kept and kept[0] <= reset:
                life.memory.signals[place] = []


def _unite_windows(life: Life, other: Life, window: int) -> None:
    both = _by_window([*life.windows_of(window), *other.windows_of(window)])
    at = window * WINDOW_NUMBERS
    for place, (number, times) in enumerate(both[-_WINDOWS:]):
        life.windows[at + 2 * place], life.windows[at + 2 * place + 1] = number, times


def _unite_points(lifecycle: Lifecycle, signal: Signal, life: Life, other: Life) -> None:
    """Add the points that are there for good; those that expire and those of a latest value are in the memory."""
    latest = signal.latest
    if latest is not None:
        if _is_later(life, other, latest.place):
            exact.set_points(life, latest.slot, exact.points_of(other, latest.slot))
        return
    for points in signal.points:
        slot = points.slot
        if not lifecycle.decays[slot]:
            exact.set_points(life, slot, exact.points_of(life, slot) + exact.points_of(other, slot))
        elif other.sums[slot]:
            scoring.add(life, slot, points.half_life, other.sums[slot], other.ats[slot])


def _is_later(life: Life, other: Life, place: int) -> bool:
    """Whether the other record's latest value is the latest of both."""
    assert life.memory is not None
    assert other.memory is not None
    ours, theirs = cast("list[int]", life.memory.signals[place]), cast("list[int]", other.memory.signals[place])
    return bool(theirs) and (not ours or theirs[0] > ours[0])


def _unite_memory(lifecycle: Lifecycle, memory: Memory, other: Memory) -> None:
    for place, (index, kind) in enumerate(lifecycle.memories):
        ours, theirs, signal = memory.signals[place], other.signals[place], lifecycle.signals[index]
        if kind == "values":
            memory.signals[place] = known_values.unite(cast("bytes", theirs), cast("bytes", ours))
        elif kind == "times":
            both = sorted([*cast("list[int]", ours), *cast("list[int]", theirs)])
            memory.signals[place] = both[-limits.MAX_COOL_DOWN :]
        elif kind == "points":
            timed_points.unite(cast("TimedPoints", ours), cast("TimedPoints", theirs), signal.keep)
        else:
            at, later = cast("list[int]", ours), cast("list[int]", theirs)
            if later and (not at or later[0] > at[0]):
                memory.signals[place] = later
    memory.taken = [_later(one, two) for one, two in zip(memory.taken, other.taken, strict=True)]
    for figure in () if lifecycle.figures is None else lifecycle.figures.figures:
        if figure.window >= 0:
            windows = [*memory.figures[figure.window], *other.figures[figure.window]]
            memory.figures[figure.window] = [min(windows)] if figure.per == "ever" and windows else _by_window(windows)


def _later(one: int | None, two: int | None) -> int | None:
    return one if two is None else two if one is None else max(one, two)


def _by_window(both: list[Window]) -> list[Window]:
    counted: dict[int, int] = {}
    for number, times in both:
        counted[number] = counted.get(number, 0) + times
    return sorted(counted.items())[-KEPT_WINDOWS:]


def _unite_fact(fact: Fact, life: Life, other: Life) -> None:
    index, code = fact.index, fact.code
    if code in (facts.COUNT, facts.SUM):
        number = exact.number_of_fact(life, index) + exact.number_of_fact(other, index)
        exact.set_number_of_fact(life, index, number)
    elif code in (facts.FIRST, facts.LAST):
        ours, theirs = life.numbers[index], other.numbers[index]
        if ours == NONE:
            life.numbers[index] = theirs
        elif theirs != NONE:
            life.numbers[index] = min(ours, theirs) if code == facts.FIRST else max(ours, theirs)
    elif code == facts.ROLLING:
        times = sorted([*cast("list[int]", life.facts[index]), *cast("list[int]", other.facts[index])])
        life.facts[index] = [time for time in times[-fact.keep :] if life.clock - time < fact.within]
    elif code == facts.ROLLING_SUM:
        timed_points.unite(cast("TimedPoints", life.facts[index]), cast("TimedPoints", other.facts[index]), fact.keep)
    elif code in (facts.LATEST, facts.LATEST_TIME):
        life.facts[index] = _latest(life.facts[index], other.facts[index])


def _latest(one: FactState, two: FactState) -> FactState:
    """The one of the later time, else the first."""
    return two if isinstance(two, tuple) and (not isinstance(one, tuple) or two[0] > one[0]) else one
