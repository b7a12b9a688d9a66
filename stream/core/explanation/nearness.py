"""How near a customer is to a way out, and what it waits for."""

from typing import NamedTuple

from stream.core.durations import format_duration
from stream.core.explanation.decisive import missing_share
from stream.core.explanation.explanation import Compared, Explained, Guard, WayOut


class Nearness(NamedTuple):
    """Of one customer and one way out."""

    share: float
    """How much is there of what the condition waits for: 1 minus the largest share that a decisive comparison misses.
    From 0, where of one nothing is there, to 1, where none is waited for."""
    waits_for: tuple[str, ...]
    """The decisive comparisons as the author wrote them, in `not (…)` where one has to stop holding, each once; where
    the condition holds, the guards that hold the transition back."""


def nearness_of(way: WayOut) -> Nearness:
    """How near a customer is to this way out of its stage.

    What is no number, and what only an interaction decides, is missing altogether.
    """
    found: list[Compared] = []
    _collect(way.condition, found)
    if way.condition.holds:
        texts = [_words_of(guard) for guard in way.guards if not guard.holds]
    else:
        texts = [each.text if each.wanted else f"not ({each.text})" for each in found]
    return Nearness(1.0 - max([_missing(each) for each in found], default=0.0), tuple(dict.fromkeys(texts)))


def _collect(part: Explained, found: list[Compared]) -> None:
    """Add the decisive comparisons, of a band the one that the author wrote."""
    if not part.decisive:
        return
    if isinstance(part, Compared):
        found.append(part)
    else:
        for each in part.parts:
            _collect(each, found)


def _missing(part: Explained) -> float:
    """The largest share that is missing of a decisive comparison, of a band of those that it stands for."""
    if not part.decisive:
        return 0.0
    if isinstance(part, Compared):
        return missing_share(part) if part.scores is None else _missing(part.scores)
    return max([_missing(each) for each in part.parts])


def _words_of(guard: Guard) -> str:
    """As a lifecycle file has it."""
    return f"{guard.kind}: {format_duration(guard.length)}"
