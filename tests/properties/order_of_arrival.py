"""Lifecycles whose scores and facts do not depend on the order in which interactions of different times arrive.

One kind for each part of the language of which that is promised (rule 25): nothing is capped, nothing is beyond what is
kept, and no `where` reads what is known of the customer. The interactions are those of one customer.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.properties.lifecycles import DURATIONS, Source, Texts
from tests.properties.reference_values import mapping
from tests.properties.rich_conditions import FEATURES, about_what_is_said
from tests.properties.rich_histories import CONTENTS, ends
from tests.properties.rich_parts import numbers
from tests.properties.timelines import START, small

WORDS = ["buy", "change", "refund", "visit"]
SPAN = 60
"""Milliseconds in which all happens, and some of it expires."""
MOST = 24
"""Interactions; no order, time or value is beyond what is kept of so few."""

lengths = st.sampled_from(DURATIONS["tiny"])
products = numbers(FEATURES, over=False)
item_products = numbers(FEATURES, over=True)
lists = st.sampled_from(["properties.products", "properties.tags"])
said: Texts = st.one_of([*about_what_is_said(WORDS, FEATURES).values()])
nothing: Source = {}
maybe_where: st.SearchStrategy[Source] = st.just(nothing) | said.map(lambda where: {"where": where})
titles = st.sampled_from(["properties.country", "lower(properties.country)", "properties.n"])
points = st.sampled_from([{"DE": 3, "de": 1}, {3: 2, "2.50": -1}, {True: 4, "": 0.1}])
values = st.sampled_from(["properties.order", "properties.n", "properties.country"])


@st.composite
def ledgers(draw: st.DrawFn) -> Source:
    """Orders, updates and partial or full returns without ids, within `keep` and those that may wait."""
    told: Source = {"each": "buy", "update": "change", "minus": "refund", "amount": draw(products), **draw(maybe_where)}
    if draw(st.integers(0, 4)):
        told["by"] = "properties.order"
    if draw(st.integers(0, 2)):
        told["returned"] = "properties.returned"
    facts: Source = {
        "orders": {"count": "bought"},
        "revenue": {"sum": "bought"},
        "late_orders": {"count": "bought", "within": draw(lengths)},
        "late_revenue": {"sum": "bought", "within": draw(lengths)},
    }
    return {"ledgers": {"bought": told}, "facts": facts}


@st.composite
def over(draw: st.DrawFn) -> Source:
    """Points, counts and sums over lists."""
    told: list[Source] = [{"over": draw(lists), **draw(maybe_where)} for _ in range(4)]
    return {
        "scores": {"heat": {}},
        "signals": {"it": {"each": "buy", "add": {"heat": draw(item_products)}, **told[0]}},
        "facts": {
            "n": {"count": "buy", "minus": "refund", **told[1]},
            "total": {"sum": draw(item_products), "each": ["buy", "visit"], "minus": "refund", **told[2]},
            "latest": {"latest": draw(st.sampled_from(["item", "item.category"])), "each": "buy", **told[3]},
        },
    }


@st.composite
def expiring_points(draw: st.DrawFn) -> Source:
    """Points that expire, beside others that last, over lists and not."""
    signal: Source = {"each": "buy", "add": {"heat": draw(products)}, "expires": draw(lengths), **draw(maybe_where)}
    elements: Source = {"over": draw(lists), "add": {"heat": draw(item_products), "value": 1}, "expires": draw(lengths)}
    return {
        "scores": {"heat": {}, "value": {"max": 3}},
        "signals": {
            "it": signal,
            "elements": {"each": ["buy", "change"], **elements},
            "lasting": {"each": "visit", "add": {"heat": draw(products)}},
        },
    }


@st.composite
def rolling_sums(draw: st.DrawFn) -> Source:
    """Sums of the time just past, with what is taken off."""
    plain: Source = {"sum": draw(products), "each": "buy", "minus": ["refund", "change"], "within": draw(lengths)}
    elements: Source = {"sum": draw(item_products), "over": draw(lists), "each": "buy", "within": draw(lengths)}
    return {"facts": {"plain": {**plain, **draw(maybe_where)}, "elements": elements}}


@st.composite
def latest_points(draw: st.DrawFn) -> Source:
    """Points of the latest value, in one score with others."""
    one, two = (
        {"each": ["buy", "visit"], "latest": draw(titles), "points": draw(points), "to": "fit", **draw(maybe_where)}
        for _ in range(2)
    )
    return {"scores": {"fit": {}}, "signals": {"one": one, "two": two, "plain": {"each": "change", "add": {"fit": 1}}}}


@st.composite
def latest_times(draw: st.DrawFn) -> Source:
    """Times as facts."""
    told: Source = {"latest_time": "properties.ends", "each": ["buy", "visit"], **draw(maybe_where)}
    return {"facts": {"end": told}, "time_zone": draw(st.sampled_from(["UTC", "Europe/Paris"]))}


@st.composite
def once_for_each_value(draw: st.DrawFn) -> Source:
    """The same points for each value: which of its interactions counts makes no difference."""
    one: Source = {"each": "buy", "add": {"heat": 2.5}, "once": draw(values)}
    two: Source = {"each": ["buy", "visit"], "add": {"heat": 10}, "once": draw(values)}
    return {"scores": {"heat": {}}, "signals": {"one": one, "two": two}}


KINDS: dict[str, st.SearchStrategy[Source]] = {
    "ledgers": ledgers(),
    "over": over(),
    "expiring points": expiring_points(),
    "rolling sums": rolling_sums(),
    "latest points": latest_points(),
    "latest_time": latest_times(),
    "once for each value": once_for_each_value(),
}


@st.composite
def cases(draw: st.DrawFn, kind: str) -> tuple[Source, list[Source], list[Source]]:
    """A lifecycle of this kind, and the same interactions in two orders; their times differ."""
    told = small([("only", "other", "never >= 1")], version=1, **draw(KINDS[kind]))
    told["facts"] = {**mapping(told.get("facts")), "never": {"count": "never"}}
    content = draw(st.lists(CONTENTS, min_size=1, max_size=6))
    times = draw(st.lists(st.integers(0, SPAN), min_size=2, max_size=MOST, unique=True))
    arrived: list[Source] = []
    for number, time in enumerate(times):
        told_of = draw(st.sampled_from(content))
        end = draw(ends(START + time, [0, 1, 5, 50]))
        arrived.append(
            {
                **told_of,
                "id": str(number),
                "type": draw(st.sampled_from([*WORDS, "buy"])),
                "customer_id": "c",
                "time": START + time,
                "properties": {**mapping(told_of["properties"]), "ends": end},
            }
        )
    return told, arrived, draw(st.permutations(arrived))


def moments() -> range:
    """Times after all that happened, at which scores and facts are read."""
    return range(START + SPAN, START + 2 * SPAN, 3)
