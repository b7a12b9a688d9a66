"""How each endpoint of the receiver behaves: drawn from the seed, the change's id and how often it came."""

import random
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

TIMEOUT = 1.0
"""Seconds that endpoints are given for an answer."""
_DELAY = (0.0, 0.5)
_LATE = (TIMEOUT + 0.2, TIMEOUT + 1.0)
_ASKED_TO_WAIT = (1, 2)


class Answer(NamedTuple):
    """What one request gets."""

    how: str
    status: int | None = 200
    """None: no answer."""
    delay: float = 0.0
    """Seconds until then."""
    retry_after: int | None = None
    """Seconds."""
    as_date: bool = False
    """It is told as a date."""
    part: bool = False
    """The connection is cut in the middle of the answer."""


MOODS: Mapping[str, Mapping[str, int]] = {
    "steady": {"taken": 1},
    "flaky": {"taken": 60, "no-content": 10, "error": 14, "redirect": 8, "busy": 1, "unavailable": 1, "delay": 10},
    "slow": {"taken": 50, "delay": 40, "hang": 4, "late": 6},
    "cutting": {"taken": 64, "cut": 12, "cut-in-answer": 12, "cut-after": 6, "error": 6},
    "narrow": {"taken": 50, "delay": 40, "error": 10},
    "switched": {"taken": 70, "error": 20, "delay": 10},
    "latest": {"taken": 50, "error": 50},
    "picky": {"taken": 85, "error": 15},
    "gone": {"taken": 80, "error": 15, "delay": 5},
    "moody": {"taken": 80, "error": 20},
}
"""By endpoint, how often it does what."""
REFUSES = 8
"""Every so manieth change is refused by `picky`, for good."""


class Moods:
    """What requests get; the same for the same requests."""

    def __init__(self, seed: int) -> None:
        self.calm = False
        """From now on everything is taken that may be."""
        self.gone: set[str] = set()
        """Endpoints that answer 410 now."""
        self._seed = seed
        self._came: Counter[tuple[str, str]] = Counter()

    def answer(self, endpoint: str, event_id: str) -> Answer:
        """What this request gets."""
        self._came[endpoint, event_id] += 1
        if endpoint in self.gone:
            return Answer("gone", 410)
        if endpoint == "picky" and refused(event_id):
            return Answer("refused", 422)
        if self.calm:
            return Answer("taken")
        chance = random.Random(f"{self._seed} {endpoint} {event_id} {self._came[endpoint, event_id]}")
        mood = MOODS[endpoint]
        return _drawn(chance.choices(list(mood), list(mood.values()))[0], chance)


def refused(event_id: str) -> bool:
    """Whether `picky` takes this change never."""
    return random.Random(event_id).randrange(REFUSES) == 0


def _drawn(how: str, chance: random.Random) -> Answer:
    match how:
        case "no-content":
            return Answer(how, 204)
        case "error":
            return Answer(how, chance.choice((500, 502, 400, 404)))
        case "redirect":
            return Answer(how, chance.choice((301, 302, 307)))
        case "busy" | "unavailable":
            status = 429 if how == "busy" else 503
            return Answer(how, status, retry_after=chance.choice(_ASKED_TO_WAIT), as_date=chance.random() < 0.5)
        case "delay":
            return Answer(how, delay=chance.uniform(*_DELAY))
        case "hang":
            return Answer(how, None, chance.uniform(*_LATE))
        case "late":
            return Answer(how, delay=chance.uniform(*_LATE))
        case "cut":
            return Answer(how, None, chance.choice((0.0, 0.1)))
        case "cut-in-answer":
            return Answer(how, chance.choice((200, 500)), part=True)
        case "cut-after":
            return Answer(how, None, chance.uniform(0.2, 0.6))
        case _:
            return Answer(how)
