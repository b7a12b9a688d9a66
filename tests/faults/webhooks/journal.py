"""What happened in a run, with its times: what arrived at the receiver, and what was done to everybody.

All times are epoch milliseconds of this machine's one clock; infinite where it never happened.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path
from time import time


def now() -> float:
    """Epoch milliseconds."""
    return time() * 1_000


@dataclass
class Arrival:
    """A request that the receiver got, whole; and how it was answered."""

    at: float
    endpoint: str
    id: str
    """`webhook-id`: of the change."""
    sender: str
    """The process that sent it."""
    wrong: str = ""
    """What is wrong with its signature or body; empty: nothing."""
    answer: int | None = None
    """The status that it was answered with, as far as that went out; None: it was not."""
    how: str = ""
    """What the receiver meant to do."""
    ended: float = inf
    """When the answer was written, or the connection cut."""
    whole: bool = False
    """The whole answer was written to a connection that the sender had not closed."""
    cut: bool = False
    """The receiver cut the connection."""

    @property
    def taken(self) -> bool:
        """The sender could know that it was taken."""
        return self.whole and self.answer is not None and 200 <= self.answer < 300


@dataclass
class Happening:
    """What was done on purpose; it lasted from `began` to `ended`."""

    kind: str
    began: float
    ended: float = inf
    of: str = ""
    """The process, the way to the broker, or the endpoint that it was done to; empty: all."""

    def overlaps(self, since: float, until: float) -> bool:
        """Whether any of it was between these."""
        return self.began <= until and self.ended >= since


@dataclass
class Journal:
    """Of one run."""

    file: Path
    arrivals: list[Arrival] = field(default_factory=list)
    """In the order in which they came."""
    happenings: list[Happening] = field(default_factory=list)
    ways: dict[str, str] = field(default_factory=dict)
    """Which way to the broker each process takes."""

    def begin(self, kind: str, of: str = "") -> Happening:
        """Something begins now."""
        happening = Happening(kind, now(), of=of)
        self.happenings.append(happening)
        return happening

    @staticmethod
    def close(happening: Happening) -> None:
        """It ends now."""
        happening.ended = now()

    def note(self, kind: str, of: str = "") -> None:
        """Something that is over at once."""
        self.close(self.begin(kind, of))

    def of(self, *kinds: str) -> list[Happening]:
        """All of these kinds."""
        return [each for each in self.happenings if each.kind in kinds]

    def write(self) -> None:
        """Keep it, for people."""
        with self.file.open("w", encoding="utf-8") as output:
            for each in [*map(asdict, self.arrivals), *map(asdict, self.happenings)]:
                output.write(json.dumps(_plain(each)) + "\n")


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    return {name: None if value == inf else value for name, value in values.items()}
