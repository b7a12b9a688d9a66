"""What an interaction leaves behind in a life: the signals that count and what each fact counts (rule 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.properties.reference_conditions import numeral
from tests.properties.reference_grammar import milliseconds
from tests.properties.reference_life import (
    Life,
    Source,
    countable,
    latest_of,
    listed,
    mapping,
    number,
    path_of,
    property_of,
    time_of,
)


def matches(life: Life, part: str, name: str, words: Sequence[object], interaction: Source) -> bool:
    """Whether the interaction is of these words, and the `where` of the signal or fact, if any, holds."""
    where = life.lifecycle.where.get((part, name))
    about = life.lifecycle.word(interaction["type"]) in words
    return about and (where is None or life.holds(where, life.clock, interaction))


def count_signals(life: Life, interaction: Source) -> None:
    """Note each signal that counts, with the points that it adds."""
    for name, signal in life.lifecycle.signals.items():
        if not matches(life, "signals", name, listed(signal["each"]), interaction):
            continue
        if used_up(life, name, interaction):
            continue
        told = mapping(signal.get("add"))
        points = {score: points_of(each, interaction) for score, each in told.items()}
        added = {score: each for score, each in points.items() if each is not None}
        life.signals.append((name, time_of(interaction), added))


def used_up(life: Life, name: str, interaction: Source) -> bool:
    """Whether `once` or `at_most` keeps the signal from counting this interaction."""
    signal = life.lifecycle.signals[name]
    times = [at for counted, at, _ in life.signals if counted == name]
    if signal.get("once") is True:
        return bool(times)
    if "at_most" not in signal:
        return False
    at_most = mapping(signal["at_most"])
    per = milliseconds(str(at_most["per"]))
    windows = Counter(at // per for at in times)
    window, latest_two = time_of(interaction) // per, sorted(windows)[-2:]
    if len(latest_two) == 2 and window < latest_two[0]:
        return True
    return windows[window] >= number(at_most["times"])


def points_of(told: object, interaction: Source) -> float | None:
    """A signal's points: a number, or the property that it names; None where that is not a number to take."""
    points = numeral(property_of(interaction, path_of(told))) if isinstance(told, str) else told
    return number(points) if countable(points) else None


def note_facts(life: Life, interaction: Source) -> None:
    """Note what each fact counts of the interaction."""
    for name, fact in life.lifecycle.facts.items():
        kind = next(each for each in ("count", "sum", "first", "last", "latest") if each in fact)
        about = fact.get("each") if kind in ("sum", "latest") else fact[kind]
        value: object = None
        if kind in ("sum", "latest"):
            value = property_of(interaction, path_of(fact[kind]))
            if kind == "sum":
                value = numeral(value)
            if not (countable(value) if kind == "sum" else latest_of(value)):
                continue
        any_word = [life.lifecycle.word(interaction["type"])]
        minus = listed(fact.get("minus"))
        for sign, words in ((-1, minus), (1, any_word if about is None else listed(about))):
            if matches(life, "facts", name, words, interaction):
                life.facts.append((name, time_of(interaction), sign, value))
                break
