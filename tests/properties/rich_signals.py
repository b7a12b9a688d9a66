"""Random scores and signals of a rich lifecycle, without their `where`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from tests.properties.lifecycles import (
    CLAMPS,
    DURATIONS,
    NUMBERS,
    ORDERS,
    POINTS,
    Source,
    Tempo,
    Texts,
    compared,
    number_comparisons,
    word_lists,
)
from tests.properties.reference_values import listed, mapping
from tests.properties.rich_conditions import Features, constant_comparisons
from tests.properties.rich_parts import LISTS, numbers, rolling

Named = Mapping[str, Source]


@st.composite
def rich_scores(draw: st.DrawFn, tempo: Tempo) -> Source:
    """A score, in two of three cases a permanent one."""
    score = dict(draw(st.sampled_from(CLAMPS)))
    if draw(st.integers(0, 2)) == 0:
        score["half_life"] = draw(st.sampled_from(DURATIONS[tempo]))
    return score


def score_comparisons(name: str, score: Source, signals: Named) -> Texts:
    """The comparisons of a score that these signals feed: with numbers that its clamps let it reach."""
    low, high = (float(str(score.get(limit, default))) for limit, default in (("min", -1e9), ("max", 1e9)))
    reached: list[float] = [each for each in NUMBERS if low <= each <= high]
    if "half_life" in score:
        return compared(name, ORDERS, [str(each) for each in reached])
    if any("expires" in each and name in mapping(each.get("add")) for each in signals.values()):
        return constant_comparisons(name, reached)
    return number_comparisons(name, reached)


@st.composite
def rich_signals(
    draw: st.DrawFn, scores: Named, books: Named, vocabulary: Sequence[str], tempo: Tempo, features: Features
) -> Source:
    """A signal for one or more of these scores, perhaps of one of these ledgers."""
    words = draw(word_lists(vocabulary))
    ledger = draw(st.sampled_from(["", *books]))
    if ledger:
        words = draw(word_lists([str(each) for each in listed(books[ledger]["each"])]))
    signal: Source = {"each": words, **({"ledger": ledger} if ledger else {})}
    if "lists" in features and draw(st.booleans()):
        signal["over"] = draw(st.sampled_from(LISTS))
    permanent = [name for name, score in scores.items() if "half_life" not in score]
    expires = "expiring" in features and permanent and draw(st.booleans())
    names = st.sampled_from(permanent if expires else list(scores))
    points = st.sampled_from(POINTS) | numbers(features, over="over" in signal)
    signal["add"] = draw(st.dictionaries(names, points, min_size=1, max_size=2))
    if expires:
        signal |= draw(rolling(tempo, "expires"))
    return {**signal, **draw(caps(tempo, features, over="over" in signal))}


@st.composite
def caps(draw: st.DrawFn, tempo: Tempo, features: Features, *, over: bool) -> Source:
    """How often a signal counts."""
    ways = ["none", "none", "none", "once", "at_most"]
    ways += 3 * [each for each in ("once_each", "cool_down") if each in features]
    way = draw(st.sampled_from(ways))
    if way == "once":
        return {"once": True}
    if way == "once_each":
        paths = ["properties.order", "properties.order", "properties.n"]
        return {"once": draw(st.sampled_from([*paths, "item.id", "item.category", "item"] if over else paths))}
    length = draw(st.sampled_from(DURATIONS[tempo]))
    if way == "at_most":
        return {"at_most": {"times": draw(st.integers(1, 3)), "per": length}}
    if way == "cool_down":
        return {"at_most": {"times": draw(st.sampled_from([1, 1, 2, 3, 20])), "within": length}}
    return {}
