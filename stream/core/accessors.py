"""What a condition reads: a value of a life at a time, or of the interaction at hand.

Classes with one method rather than closures: compiled, a call between them costs a few nanoseconds.
"""

from collections.abc import Callable
from typing import Final, cast

from mypy_extensions import i64

from stream.core import exact, facts, scoring
from stream.core.customer import IN_LARGE, NONE, Life
from stream.core.event import Event, PropertyPath, lookup
from stream.core.facts import Fact
from stream.core.scoring import Score

_LOWER: Final[Callable[[str], str]] = str.lower
"""Not called as a method, for which a compiled build has its own, without the rule for a sigma that ends a word."""


class Accessor:
    """A value; this one does not exist."""

    def get(self, life: Life, now: i64, event: Event | None) -> object:
        """The value for a life at a time, seeing an interaction or none; None where there is none."""
        return None


class Number(Accessor):
    """A number that always exists; this one is 0."""

    def number(self, life: Life, now: i64) -> float:
        """The number for a life at a time."""
        return 0.0

    def get(self, life: Life, now: i64, event: Event | None) -> object:
        return self.number(life, now)


class Anchor:
    """A moment of a life from which time is measured; this one is the latest sign of life."""

    def start(self, life: Life) -> i64:
        """The moment; NONE where it does not exist."""
        return life.active


class StageEntered(Anchor):
    """When the present stage was entered."""

    def start(self, life: Life) -> i64:
        return life.entered


class FactTime(Anchor):
    """A fact of kind `first` or `last`."""

    def __init__(self, index: int) -> None:
        self.index = index

    def start(self, life: Life) -> i64:
        return life.numbers[self.index]


class FactMoment(Anchor):
    """A fact of kind `latest_time`: the time that an interaction told; it may lie ahead."""

    def __init__(self, index: int) -> None:
        self.index = index

    def start(self, life: Life) -> i64:
        state = cast("tuple[int, int | None] | None", life.facts[self.index])
        if state is None:
            return NONE
        moment = state[1]
        return NONE if moment is None else moment


class Constant(Accessor):
    """A constant of the condition."""

    def __init__(self, value: object) -> None:
        self.value = value

    def get(self, life: Life, now: i64, event: Event | None) -> object:
        return self.value


class ScoreNumber(Number):
    """A score."""

    def __init__(self, score: Score) -> None:
        self.score = score

    def number(self, life: Life, now: i64) -> float:
        return scoring.read(self.score, life, now)


class Count(Number):
    """A fact of kind `count`."""

    def __init__(self, index: int) -> None:
        self.index = index

    def number(self, life: Life, now: i64) -> float:
        number = life.numbers[self.index]
        return float(exact.number_of_fact(life, self.index)) if number == IN_LARGE else float(number)


class Sum(Number):
    """A fact of kind `sum`."""

    def __init__(self, index: int) -> None:
        self.index = index

    def number(self, life: Life, now: i64) -> float:
        return facts.total(life, self.index)


class Rolling(Number):
    """A rolling count."""

    def __init__(self, fact: Fact) -> None:
        self.fact = fact

    def number(self, life: Life, now: i64) -> float:
        return float(facts.rolling(self.fact, life, now))


class FactValue(Accessor):
    """A fact that may not exist yet: a time, or the latest value."""

    def __init__(self, fact: Fact) -> None:
        self.fact = fact

    def get(self, life: Life, now: i64, event: Event | None) -> object:
        return facts.value(self.fact, life, now)


class Identified(Accessor):
    """Whether a customer id was seen."""

    def get(self, life: Life, now: i64, event: Event | None) -> object:
        return life.identified


class StageName(Accessor):
    """The present stage."""

    def get(self, life: Life, now: i64, event: Event | None) -> object:
        return life.stage


class EventType(Accessor):
    """The interaction's word, else its name."""

    def get(self, life: Life, now: i64, event: Event | None) -> object:
        return None if event is None else event.type


class EventName(Accessor):
    """The interaction's name as sent."""

    def get(self, life: Life, now: i64, event: Event | None) -> object:
        return None if event is None else event.name


class Property(Accessor):
    """A property of the interaction, or of its context."""

    def __init__(self, path: PropertyPath) -> None:
        self.path = path

    def get(self, life: Life, now: i64, event: Event | None) -> object:
        return None if event is None else lookup(self.path, event)


class Lowered(Accessor):
    """Another value in small letters."""

    def __init__(self, accessor: Accessor) -> None:
        self.accessor = accessor

    def get(self, life: Life, now: i64, event: Event | None) -> object:
        return lowered(self.accessor.get(life, now, event))


class Exists(Accessor):
    """Whether another value exists."""

    def __init__(self, accessor: Accessor) -> None:
        self.accessor = accessor

    def get(self, life: Life, now: i64, event: Event | None) -> object:
        return self.accessor.get(life, now, event) is not None


def lowered(found: object) -> object:
    """Rule 27: a text in small letters, a list with its texts in small letters; nothing of all else."""
    if isinstance(found, str):
        return lower(found)
    if isinstance(found, list):
        return [lower(each) if isinstance(each, str) else each for each in found]
    return None


def lower(text: str) -> str:
    """The text in small letters, by all rules of Unicode."""
    return text.lower() if text.isascii() else _LOWER(text)
