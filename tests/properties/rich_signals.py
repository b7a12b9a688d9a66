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


VALUES: list[dict[object, float]] = [
    {"DE": 3, "de": 1, "straße": -2.5},
    {3: 2, "DE": 1, "x": 0},
    {"2.50": 2, "3": -1, "coffee": 5},
    {True: 4, "coffee": 0.1, 2.5: 1, "": 7},
    {1: 10, 1000: 0.5, "tea": 1},
]


@st.composite
def rich_scores(draw: st.DrawFn, tempo: Tempo, features: Features) -> Source:
    """A score, in two of three cases a permanent one."""
    score = dict(draw(st.sampled_from(CLAMPS)))
    if draw(st.integers(0, 2)) == 0:
        score["half_life"] = draw(st.sampled_from(DURATIONS[tempo]))
    elif "floor" in features and draw(st.booleans()):
        score["floor"] = draw(st.sampled_from([0, 0, -1, -2.5, -10]))
    return score


def score_comparisons(name: str, score: Source, signals: Named) -> Texts:
    """The comparisons of a score that these signals feed: with numbers that its clamps let it reach."""
    low, high = (float(str(score.get(limit, default))) for limit, default in (("min", -1e9), ("max", 1e9)))
    low = max(low, float(str(score.get("floor", -1e9))))
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
    lasting = [name for name, score in scores.items() if not score.keys() & {"half_life", "floor"}]
    kinds = ["adding", "adding", *(["resetting"] if "reset" in features else [])]
    if lasting:
        kinds += [each for each in ("expiring", "latest_points") if each in features] * 2
    kind = draw(st.sampled_from(kinds))
    if kind == "resetting":
        which = st.lists(st.sampled_from(sorted(scores)), min_size=1, max_size=2, unique=True)
        return {"each": draw(word_lists(vocabulary)), "reset": draw(which)}
    listed_over: Source = {}
    if "lists" in features and draw(st.booleans()):
        listed_over["over"] = draw(st.sampled_from(LISTS))
    over = bool(listed_over)
    if kind == "latest_points":
        return {"each": draw(word_lists(vocabulary)), **listed_over, **draw(of_latest(lasting, over=over))}
    ledger = draw(st.sampled_from(["", *books]))
    words = [str(each) for each in listed(books[ledger]["each"])] if ledger else vocabulary
    names = st.sampled_from(lasting if kind == "expiring" else list(scores))
    points = st.sampled_from(POINTS) | numbers(features, over=over)
    return {
        "each": draw(word_lists(words)),
        **({"ledger": ledger} if ledger else {}),
        **listed_over,
        "add": draw(st.dictionaries(names, points, min_size=1, max_size=2)),
        **(draw(rolling(tempo, "expires")) if kind == "expiring" else {}),
        **draw(caps(tempo, features, over=over)),
    }


@st.composite
def of_latest(draw: st.DrawFn, scores: Sequence[str], *, over: bool) -> Source:
    """Points of the latest value."""
    paths = ["item", "item.category"] if over else ["properties.country", "properties.country", "properties.n"]
    path = draw(st.sampled_from(paths))
    return {
        "latest": draw(st.sampled_from([path, path, f"lower({path})"])),
        "points": draw(st.sampled_from(VALUES)),
        "to": draw(st.sampled_from(scores)),
    }


@st.composite
def caps(draw: st.DrawFn, tempo: Tempo, features: Features, *, over: bool) -> Source:
    """How often a signal counts."""
    ways = ["none", "none", "none", "once", "at_most"]
    ways += 3 * [each for each in ("once_each", "cool_down", "calendar") if each in features]
    way = draw(st.sampled_from(ways))
    if way == "once":
        return {"once": True}
    if way == "once_each":
        paths = ["properties.order", "properties.order", "properties.n"]
        return {"once": draw(st.sampled_from([*paths, "item.id", "item.category", "item"] if over else paths))}
    length = draw(st.sampled_from(DURATIONS[tempo]))
    if way == "at_most":
        return {"at_most": {"times": draw(st.integers(1, 3)), "per": length}}
    if way == "calendar":
        return {"at_most": {"times": draw(st.integers(1, 2)), "per": draw(st.sampled_from(["day", "week", "month"]))}}
    if way == "cool_down":
        return {"at_most": {"times": draw(st.sampled_from([1, 1, 2, 3, 20])), "within": length}}
    return {}
