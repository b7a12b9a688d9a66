"""What an explanation consists of. All times are epoch milliseconds; all lengths of time are milliseconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stream.core.interaction import Kind
from stream.core.stage_change import Contribution, Value

Unit = Literal["number", "text", "boolean", "time", "duration"]
"""What a compared value is: a time is epoch milliseconds, a duration milliseconds."""
Needed = Value | tuple[Value, ...]
"""What a value is compared with: one, or the constants of a list."""


@dataclass(init=False)
class Compared:
    """One comparison of a condition, or a name that must be true."""

    text: str
    """As the author wrote it."""
    name: str
    """Of what is compared, as in `engagement` or `since(last_order)`."""
    wanted: bool
    """Whether it has to hold; False where it stands under a `not`, and has to stop holding."""
    holds: bool | None
    """None: only an interaction decides it."""
    unit: Unit | None
    """What `value` is; None where nothing is known of it."""
    value: Value | None
    """What is compared, at present; None where it does not exist, or is the interaction's."""
    operator: str
    needs: Needed | None
    """What it is compared with; None where that does not exist, or is the interaction's."""
    missing: float | None
    """The least change of `value` that makes the comparison as wanted: above 0 a rise, below 0 a fall. None where it is
    as wanted already, and where no number decides."""
    by_time: int | None
    """When time alone makes it as wanted; None: never, or it is so already."""
    decisive: bool
    """The transition waits for this: see `Joined.decisive`."""
    scores: "Explained | None"
    """Of a band: the comparisons of scores that it stands for."""

    def __init__(
        self,
        text: str,
        name: str,
        wanted: bool,
        holds: bool | None,
        unit: Unit | None,
        value: Value | None,
        operator: str,
        needs: Needed | None,
        missing: float | None = None,
        by_time: int | None = None,
        decisive: bool = False,
        scores: "Explained | None" = None,
    ) -> None:
        """Written out, so that it is compiled."""
        self.text = text
        self.name = name
        self.wanted = wanted
        self.holds = holds
        self.unit = unit
        self.value = value
        self.operator = operator
        self.needs = needs
        self.missing = missing
        self.by_time = by_time
        self.decisive = decisive
        self.scores = scores


@dataclass(init=False)
class Joined:
    """Parts of a condition, all or any of which must hold, or one that must not."""

    kind: Literal["all", "any", "not"]
    holds: bool | None
    parts: "tuple[Explained, ...]"
    decisive: bool
    """The transition waits for this: where all parts are needed for each that is not as wanted, where any is enough for
    the nearest."""

    def __init__(
        self,
        kind: Literal["all", "any", "not"],
        holds: bool | None,
        parts: "tuple[Explained, ...]",
        decisive: bool = False,
    ) -> None:
        """Written out, so that it is compiled."""
        self.kind = kind
        self.holds = holds
        self.parts = parts
        self.decisive = decisive


Explained = Compared | Joined
"""A condition, or part of one."""


@dataclass(frozen=True)
class Guard:
    """What a transition asks beside its condition: `at_most_every` or `hold`."""

    kind: Literal["at_most_every", "hold"]
    length: int
    holds: bool
    since: int | None
    """When the transition was last taken, or since when its condition holds; None: it was not, or does not."""
    until: int | None
    """When it will hold the transition back no more, if nothing changes; None where it does not, or that is open."""


@dataclass(init=False)
class WayOut:
    """One transition out of the present stage."""

    target: str
    title: str
    transition: str
    """The text of its condition, as stage changes have it."""
    holds: bool | None
    """Whether it would be taken now, by the passing of time alone; None: it waits for an interaction."""
    condition: Explained
    guards: tuple[Guard, ...]
    by_time: int | None
    """When time alone makes it hold, if no other is taken before; None: never, or it holds already."""

    def __init__(
        self,
        target: str,
        title: str,
        transition: str,
        holds: bool | None,
        condition: Explained,
        guards: tuple[Guard, ...],
        by_time: int | None,
    ) -> None:
        """Written out, so that it is compiled."""
        self.target = target
        self.title = title
        self.transition = transition
        self.holds = holds
        self.condition = condition
        self.guards = guards
        self.by_time = by_time


@dataclass(frozen=True)
class Passage:
    """One transition of a move."""

    source: str
    target: str
    transition: str | None
    """The text of its condition."""


@dataclass(frozen=True)
class MoveByTime:
    """What time alone does first."""

    at: int
    """Before the present where the move is due already and was not made yet."""
    target: str
    title: str
    passages: tuple[Passage, ...]
    """The transitions, each into the stage that the next one leaves."""


@dataclass(frozen=True)
class UsedUp:
    """A signal that may not count at present."""

    signal: str
    limit: str
    """In words, as in "at most 5 per 1d"."""
    until: int | None
    """When it may count again; None: never."""


@dataclass(frozen=True)
class Full:
    """What keeps no more than a number of entries, and has that many: earlier ones may have been dropped."""

    kind: Literal["signal", "fact", "ledger"]
    name: str
    keep: int
    oldest: int
    """The time of the oldest entry that is kept."""
    dropped: int | None
    """Entries of a ledger that still count and are kept no more: returns find them no more. Else None: not known."""


@dataclass(frozen=True)
class LedgerNow:
    """What a ledger comes to."""

    name: str
    count: int
    """Entries of which something is left, those that are kept no more included."""
    total: float
    """What is left of all of them."""
    kept: int
    """Entries that are kept, and may still be changed."""
    waiting: int
    """Of entries that were returned or updated before they came: how many are waited for."""


@dataclass(init=False)
class Explanation:
    """Why one customer is where it is in one lifecycle, and what would move it."""

    kind: Kind
    subject: str
    identified: bool
    lifecycle: str
    title: str
    """The lifecycle's."""
    version: int
    stage: str
    stage_title: str
    entered: int
    born: str
    sequence: int
    clock: int
    """Up to when everything is applied."""
    at: int
    """The present: scores, facts and conditions are as they are then."""
    scores: Mapping[str, float]
    contributions: Mapping[str, tuple[Contribution, ...]]
    facts: Mapping[str, Value]
    times: tuple[str, ...]
    """The names of facts that are times."""
    channels: tuple[str, ...]
    actions: tuple[str, ...]
    ways_out: tuple[WayOut, ...]
    """In the order of the file."""
    by_time: MoveByTime | None
    """None: time alone never moves it."""
    stopped: Literal["waits", "quarantined"] | None
    """Why time does nothing, whatever the conditions: it moved the life as often as it may without an interaction, and
    waits for one; or a deadline of the customer made our code fail. None: it may do something."""
    forgotten: int | None
    """When the customer is forgotten, if nothing is heard of it until then; None: never."""
    used_up: tuple[UsedUp, ...]
    full: tuple[Full, ...]
    ledgers: tuple[LedgerNow, ...]

    def __init__(
        self,
        kind: Kind,
        subject: str,
        identified: bool,
        lifecycle: str,
        title: str,
        version: int,
        stage: str,
        stage_title: str,
        entered: int,
        born: str,
        sequence: int,
        clock: int,
        at: int,
        scores: Mapping[str, float],
        contributions: Mapping[str, tuple[Contribution, ...]],
        facts: Mapping[str, Value],
        times: tuple[str, ...],
        channels: tuple[str, ...],
        actions: tuple[str, ...],
        ways_out: tuple[WayOut, ...],
        by_time: MoveByTime | None,
        stopped: Literal["waits", "quarantined"] | None,
        forgotten: int | None,
        used_up: tuple[UsedUp, ...],
        full: tuple[Full, ...],
        ledgers: tuple[LedgerNow, ...],
    ) -> None:
        """Written out, so that it is compiled."""
        self.kind = kind
        self.subject = subject
        self.identified = identified
        self.lifecycle = lifecycle
        self.title = title
        self.version = version
        self.stage = stage
        self.stage_title = stage_title
        self.entered = entered
        self.born = born
        self.sequence = sequence
        self.clock = clock
        self.at = at
        self.scores = scores
        self.contributions = contributions
        self.facts = facts
        self.times = times
        self.channels = channels
        self.actions = actions
        self.ways_out = ways_out
        self.by_time = by_time
        self.stopped = stopped
        self.forgotten = forgotten
        self.used_up = used_up
        self.full = full
        self.ledgers = ledgers
