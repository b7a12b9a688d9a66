"""Random facts and ledgers of a rich lifecycle, without their `where`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from tests.properties.lifecycles import (
    DURATIONS,
    PROPERTIES,
    Source,
    Tempo,
    Texts,
    facts,
    number_comparisons,
    rolling_comparisons,
    word_lists,
)
from tests.properties.rich_conditions import Features, constant_comparisons, time_comparisons

LISTS = ["properties.products", "properties.products", "properties.tags", "context.items", "properties.total"]
ITEMS = ["item.price", "item.price", "item.quantity", "item", 'item["a b"]', "item.deep.price"]
FACTORS = ["2", "0.5", "0.1", "1000", "0", "3.75", "100000000000000"]


@st.composite
def numbers(draw: st.DrawFn, features: Features, *, over: bool) -> str:
    """A path to a number, or a product with at least one path."""
    paths = [*ITEMS, *PROPERTIES[:2]] if over else [*PROPERTIES, "properties.price"]
    factors = [draw(st.sampled_from(paths))]
    if "numbers" not in features:
        return factors[0]
    factors += draw(st.lists(st.sampled_from([*paths, *FACTORS]), max_size=2))
    sign = draw(st.sampled_from(["", "", "", "-", "- "]))
    gap = draw(st.sampled_from([" ", " ", ""]))
    return sign + f"{gap}*{gap}".join(draw(st.permutations(factors)))


@st.composite
def rich_facts(
    draw: st.DrawFn, name: str, vocabulary: Sequence[str], tempo: Tempo, features: Features
) -> tuple[Source, Texts]:
    """A fact, and the comparisons of it."""
    fact, comparisons = draw(facts(name, vocabulary, tempo))
    fact.pop("where", None)
    timed: bool = "times" in features and draw(st.booleans())
    if timed:
        fact = {"latest_time": "properties.ends", "each": draw(word_lists(vocabulary))}
        comparisons = time_comparisons(name, tempo)
    over = "lists" in features and draw(st.booleans())
    if over:
        fact["over"] = draw(st.sampled_from(LISTS))
    if "sum" in fact:
        fact["sum"] = draw(numbers(features, over=over))
        if "expiring" in features and draw(st.booleans()):
            fact |= draw(rolling(tempo))
            comparisons = constant_comparisons(name)
    if timed and over:
        fact["latest_time"] = draw(st.sampled_from(["item.ends", "item", "properties.ends"]))
    if "latest" in fact and over:
        fact["latest"] = draw(st.sampled_from(["item", "item.category", "properties.country"]))
    return fact, comparisons


@st.composite
def rolling(draw: st.DrawFn, tempo: Tempo, key: str = "within") -> Source:
    """How long something counts, and how much of it is kept."""
    length: Source = {key: draw(st.sampled_from(DURATIONS[tempo]))}
    return {**length, "keep": draw(st.integers(1, 3))} if draw(st.booleans()) else length


@st.composite
def ledgers(draw: st.DrawFn, vocabulary: Sequence[str], features: Features) -> Source:
    """A ledger: nearly always with keys and amounts, and mostly with few places."""
    each, *others = draw(st.permutations(vocabulary))
    told: Source = {"each": draw(st.sampled_from([each, [each]]))}
    if draw(st.integers(0, 9)):
        told["by"] = draw(st.sampled_from(["properties.order", "properties.order", "properties.n"]))
    if draw(st.integers(0, 5)):
        told["amount"] = draw(numbers(features, over=False))
        updated: bool = draw(st.booleans())
        if others and updated:
            told["update"] = others.pop()
    refunded: bool = draw(st.integers(0, 5)) > 0
    if others and refunded:
        told["minus"] = others.pop()
        if draw(st.integers(0, 3)):
            told["returned"] = draw(st.sampled_from(["properties.returned", "properties.total"]))
        if draw(st.booleans()):
            told["return"] = draw(st.sampled_from(["properties.return", "properties.n"]))
    two_words: bool = draw(st.integers(0, 3)) == 0
    if others and two_words:
        told["each"] = [each, others.pop()]
    if draw(st.booleans()):
        told["keep"] = draw(st.integers(1, 3))
    return told


@st.composite
def ledger_facts(draw: st.DrawFn, name: str, books: Mapping[str, Source], tempo: Tempo) -> tuple[Source, Texts]:
    """A fact over one of these ledgers, and the comparisons of it."""
    kind, ledger = draw(st.sampled_from(["count", "sum"])), draw(st.sampled_from(sorted(books)))
    fact: Source = {kind: ledger}
    if draw(st.booleans()):
        return fact, number_comparisons(name)
    fact["within"] = draw(st.sampled_from(DURATIONS[tempo]))
    keep = books[ledger].get("keep", 4)
    assert isinstance(keep, int)
    return fact, rolling_comparisons(name, keep) if kind == "count" else constant_comparisons(name)
