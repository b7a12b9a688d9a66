"""What a verification comes to: counts, and differences in words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from stream.codec.plain import plain
from stream.codec.state.keys import kind_of
from stream.core.customer import ID_HASH_BYTES, Customer
from stream.core.exact import points_of
from stream.core.facts import kept
from stream.core.lifecycle import Lifecycle
from stream.core.memory import TimedPoints
from stream.core.model import Model
from stream.core.remembered import points_in, remembered
from stream.core.snapshot import facts_of, scores_of

_MOST_FIELDS: Final = 4


class Difference(NamedTuple):
    """Something that is not as it must be."""

    partition: int
    """Of the interactions."""
    subject: str
    """`customer 42`, `anonymous a-7`; empty where it is nobody's."""
    lifecycle: str
    """Empty where it is none's alone."""
    problem: str
    """What was expected, and what was found."""

    def __str__(self) -> str:
        where = (f"partition {self.partition}", self.subject, self.lifecycle)
        return f"{', '.join(each for each in where if each)}: {self.problem}"


class Behind(NamedTuple):
    """What had arrived in a partition when the verification began, and was not applied when it gave up waiting."""

    partition: int
    position: int | None
    """The offset at which the partition reads on; None: no worker began there yet."""
    end: int
    """The offset at which the partition's log ended."""
    waiting: int
    """Interactions between the two, transaction markers among them."""
    open: bool
    """Some stand behind a transaction of a producer that is still open."""

    def __str__(self) -> str:
        where = "no worker began there yet" if self.position is None else f"applied up to offset {self.position:,}"
        behind = ", behind a transaction that is still open" if self.open else ""
        return f"partition {self.partition}: {where}, its log ended at {self.end:,}: {self.waiting:,} waiting{behind}"


class Findings:
    """Of all partitions; the first differences are kept, all are counted."""

    def __init__(self, show: int) -> None:
        self.counts: Counter[str] = Counter()
        """By what is counted, see `stream/cli/terminal/verify_summary.py`."""
        self.not_reached: Counter[str] = Counter()
        """Customers that were not verified, by the reason."""
        self.behind: list[Behind] = []
        """Partitions that lack what had arrived."""
        self.unseen: list[str] = []
        """What else could not be verified, and why."""
        self.notes: list[str] = []
        """What a person should know beside."""
        self.differences: list[Difference] = []
        self.differing = 0
        self._show = show

    @property
    def looked(self) -> bool:
        """Whether there was anything to look at."""
        return any(count for name, count in self.counts.items() if name != "partitions") or bool(self.not_reached)

    def differ(self, difference: Difference) -> None:
        """Something is not as it must be."""
        self.differing += 1
        if len(self.differences) < self._show:
            self.differences.append(difference)


def subject_of(key: bytes) -> str:
    """Whose a changelog key is, in words."""
    return f"{kind_of(key)} {plain(key[1:].decode(errors='replace'))}"


def unlike(found: Mapping[str, object], wanted: Mapping[str, object]) -> str:
    """The fields of which one has another value than the other, in words."""
    fields = list(_fields("", found, wanted))
    more = len(fields) - _MOST_FIELDS
    return "; ".join(fields[:_MOST_FIELDS]) + (f"; and {more} more" if more > 0 else "")


def _fields(path: str, found: object, wanted: object) -> Iterator[str]:
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        for name in [*wanted, *(each for each in found if each not in wanted)]:
            yield from _fields(f"{path}.{name}" if path else str(name), found.get(name), wanted.get(name))
    elif isinstance(found, Sequence) and isinstance(wanted, Sequence) and not isinstance(found, str | bytes):
        if len(found) != len(wanted):
            yield f"{path} has {len(found)} entries, must have {len(wanted)}"
        for index, (one, two) in enumerate(zip(found, wanted, strict=False)):
            yield from _fields(f"{path}[{index}]", one, two)
    elif found != wanted or type(found) is not type(wanted):
        yield f"{path} is {_shown(found)}, must be {_shown(wanted)}"


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    return plain(value if isinstance(value, str) else str(value))


def described(model: Model, customer: Customer) -> dict[str, object]:
    """A customer's record in words that a person knows; all of it, so that two that differ read differently."""
    id_hashes = customer.id_hashes
    remembered = [id_hashes[at : at + ID_HASH_BYTES].hex() for at in range(0, len(id_hashes), ID_HASH_BYTES)]
    return {
        "identified": customer.identified,
        "latest": customer.latest,
        "active": customer.active,
        "lifecycles": {
            each.id: _life(each, customer) if each.id in customer.lives else None for each in model.lifecycles
        },
        "remembered ids": dict(zip(remembered, customer.id_times, strict=False)),
        "remembered imports": {row.source.hex(): [row.time, row.number] for row in customer.rows or ()},
        "offset": customer.offset,
        "quarantined": customer.quarantined,
    }


def _life(lifecycle: Lifecycle, customer: Customer) -> dict[str, object]:
    life = customer.lives[lifecycle.id]
    signals = lifecycle.signals
    return {
        "stage": life.stage,
        "entered": life.entered,
        "born": life.born,
        "sequence": life.sequence,
        "clock": life.clock,
        "deadline": life.due,
        "scores": scores_of(lifecycle, life, life.clock),
        "facts": facts_of(lifecycle, life, life.clock),
        "counted": {signal.name: life.counts[signal.index] for signal in signals},
        "points": {
            f"{signals[signal].name} for {score}": [life.sums[slot], points_of(life, slot), life.ats[slot]]
            for slot, (signal, score) in enumerate(lifecycle.slots)
        },
        "kept facts": {fact.name: _kept(kept(fact, life)) for fact in lifecycle.facts},
        "remembered": remembered(lifecycle, life),
        "active": life.active,
        "fired": life.fired,
    }


def _kept(state: object) -> object:
    return points_in(state) if isinstance(state, TimedPoints) else state
