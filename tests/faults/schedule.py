"""Which faults come when: drawn from a seed, so that a run can be had again."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

Kind = Literal[
    "kill",
    "kill-all",
    "terminate",
    "rolling",
    "edit",
    "import",
    "freeze",
    "isolate",
    "rival",
    "broker-stop",
    "broker-kill",
    "stall",
    "refuse",
    "reset",
]
"""kill: `kill -9` of one worker, which is started again; kill-all: of all of them; terminate: SIGTERM of one, and a
new one in its place; rolling: so with three, one after the other, each when the one before is in the group; edit: the
same, each new one with the lifecycle files of the next edit, and one killed in the middle; import:
`lifecycle import` of a file, killed half-way and begun again; freeze: SIGSTOP past the
session timeout, then SIGCONT: a zombie; isolate: every second worker reaches no broker until past the session timeout,
and goes on answering whoever asks it; rival: someone takes a partition's transactional id; broker-stop and
broker-kill: down for some seconds; stall, refuse and reset: the network between workers and broker holds everything
back, lets nobody in, or ends every connection once."""

KINDS: tuple[Kind, ...] = get_args(Kind)
OF_WORKERS: tuple[Kind, ...] = ("kill", "kill-all", "terminate")
"""What can be done to workers where nothing fences a zombie."""
OF_CLUSTER: tuple[Kind, ...] = tuple(each for each in KINDS if each != "isolate")
"""What can be done where workers share a way to each of several brokers."""
NEEDED: Mapping[Kind, int] = {
    "kill": 14,
    "kill-all": 6,
    "terminate": 6,
    "edit": 6,
    "import": 3,
    "freeze": 5,
    "isolate": 4,
    "broker-stop": 2,
    "broker-kill": 3,
}
"""What ten minutes hold at least."""
_LASTS = {
    "freeze": (3.0, 6.0),
    "isolate": (3.0, 6.0),
    "edit": (0.2, 3.0),
    "broker-stop": (0.5, 4.0),
    "broker-kill": (0.5, 4.0),
    "stall": (0.5, 8.0),
}
_REFUSED = (0.5, 4.0)
_MEAN_SECONDS = 2.5
"""What a fault takes, on average."""
_LEAST_GAP = 0.45
"""Of the time that there is for each fault."""
_GAP = (0.3, 1.7)
"""A fault comes so many times the mean gap after the one before has passed."""


class Fault(NamedTuple):
    """One fault."""

    after: float
    """Seconds from the end of the fault before it."""
    kind: Kind
    lasts: float
    """Seconds that it lasts; 0 where it is over at once."""
    which: int
    """Chooses a worker or a partition among those there are, by remainder."""
    workers: int
    """How many there are to be afterwards."""


def needed(minutes: float, kinds: Sequence[Kind] = KINDS) -> list[Kind]:
    """What is NEEDED of ten minutes in proportion, each kind once at least."""
    return [kind for kind in kinds for _ in range(max(1, round(NEEDED.get(kind, 2) * minutes / 10)))]


def schedule(seed: int, minutes: float, kinds: Sequence[Kind]) -> list[Fault]:
    """These faults over so many minutes, in an order that the seed decides; the same for the same arguments."""
    chance = random.Random(seed)
    chosen = list(kinds)
    chance.shuffle(chosen)
    share = minutes * 60 / max(1, len(chosen))
    gap = share * max(_LEAST_GAP, 1 - _MEAN_SECONDS / share)
    return list(_timed(chosen, gap, chance))


def _timed(kinds: list[Kind], gap: float, chance: random.Random) -> Iterator[Fault]:
    for kind in kinds:
        low, high = _LASTS.get(kind, _REFUSED if kind == "refuse" else (0.0, 0.0))
        yield Fault(
            after=gap * chance.uniform(*_GAP),
            kind=kind,
            lasts=chance.uniform(low, high),
            which=chance.randrange(1_000),
            workers=chance.choice((1, 2, 2, 3)),
        )
