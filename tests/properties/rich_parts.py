"""Random facts and signals of a rich lifecycle, without their `where`."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.properties.lifecycles import (
    POINTS,
    PROPERTIES,
    Source,
    Tempo,
    Texts,
    facts,
    signals,
)
from tests.properties.rich_conditions import Features

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
    over = "lists" in features and draw(st.booleans())
    if over:
        fact["over"] = draw(st.sampled_from(LISTS))
    if "sum" in fact:
        fact["sum"] = draw(numbers(features, over=over))
    if "latest" in fact and over:
        fact["latest"] = draw(st.sampled_from(["item", "item.category", "properties.country"]))
    return fact, comparisons


@st.composite
def rich_signals(
    draw: st.DrawFn, names: Sequence[str], vocabulary: Sequence[str], tempo: Tempo, features: Features
) -> Source:
    """A signal for one or more of these scores."""
    signal = draw(signals(names, vocabulary, tempo))
    signal.pop("where", None)
    over = "lists" in features and draw(st.booleans())
    if over:
        signal["over"] = draw(st.sampled_from(LISTS))
    points = st.sampled_from(POINTS) | numbers(features, over=over)
    adding = signal["add"]
    assert isinstance(adding, dict)
    signal["add"] = {score: draw(points) for score in adding}
    return signal
