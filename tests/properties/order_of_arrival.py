"""Lifecycles whose scores and facts do not depend on the order in which interactions of different times arrive.

One kind for each part of the language of which that is promised (rule 25): nothing is capped, nothing is beyond what is
kept, and no `where` reads what is known of the customer. The interactions are those of one customer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st

from stream.core.customer import Life
from stream.core.lifecycle import Lifecycle
from stream.core.snapshot import contributions_of, facts_of, scores_of
from tests.properties.lifecycles import DURATIONS, Source
from tests.properties.reference_values import mapping
from tests.properties.rich_conditions import FEATURES, about_what_is_said, condition
from tests.properties.rich_histories import ORDERS, said, seeds
from tests.properties.rich_parts import computed_number
from tests.properties.timelines import START, small

WORDS = ["buy", "change", "refund", "visit"]
SPAN = 60
"""Milliseconds in which all happens, and some of it expires."""
MOST = 24
"""Interactions; no order, time or value is beyond what is kept of so few."""
TITLES = ["properties.country", "lower(properties.country)", "properties.n"]
POINTS: list[dict[object, float]] = [{"DE": 3, "de": 1}, {3: 2, "2.50": -1}, {True: 4, "": 0.1}]


@dataclass
class Choices:
    """What the kinds are made of."""

    chance: Random

    def number(self) -> str:
        """What an interaction comes to."""
        return computed_number(self.chance, FEATURES, over=False)

    def of_elements(self) -> Source:
        """A list, and what its elements come to."""
        lists = ["properties.products", "properties.tags"]
        return {"sum": computed_number(self.chance, FEATURES, over=True), "over": self.chance.choice(lists)}

    def length(self) -> str:
        """How long something counts."""
        return self.chance.choice(DURATIONS["tiny"])

    def where(self) -> Source:
        """At times a condition, about the interaction alone."""
        if self.chance.random() < 0.5:
            return {}
        return {"where": condition(self.chance, about_what_is_said(WORDS, FEATURES), 1)}

    def ledgers(self) -> Source:
        """Orders, updates and partial or full returns without ids, within `keep` and those that may wait."""
        told: Source = {"each": "buy", "update": "change", "minus": "refund", "amount": self.number(), **self.where()}
        if self.chance.random() < 0.8:
            told["by"] = "properties.order"
        if self.chance.random() < 0.7:
            told["returned"] = "properties.returned"
        facts: Source = {
            "orders": {"count": "bought"},
            "revenue": {"sum": "bought"},
            "late_orders": {"count": "bought", "within": self.length()},
            "late_revenue": {"sum": "bought", "within": self.length()},
        }
        return {"ledgers": {"bought": told}, "facts": facts}

    def over(self) -> Source:
        """Points, counts and sums over lists."""
        one, two = self.of_elements(), self.of_elements()
        signal: Source = {"each": "buy", "over": one["over"], "add": {"heat": one["sum"]}, **self.where()}
        facts: Source = {
            "n": {"count": "buy", "minus": "refund", "over": two["over"], **self.where()},
            "total": {**two, "each": ["buy", "visit"], "minus": "refund", **self.where()},
            "latest": {"latest": "item.category", "each": "buy", "over": "properties.products", **self.where()},
        }
        return {"scores": {"heat": {}}, "signals": {"it": signal}, "facts": facts}

    def expiring_points(self) -> Source:
        """Points that expire, beside others that last, over lists and not."""
        elements = self.of_elements()
        added: Source = {"heat": elements["sum"], "value": 1}
        signals: Source = {
            "it": {"each": "buy", "add": {"heat": self.number()}, "expires": self.length(), **self.where()},
            "all": {"each": ["buy", "change"], "over": elements["over"], "add": added, "expires": self.length()},
            "lasting": {"each": "visit", "add": {"heat": self.number()}},
        }
        return {"scores": {"heat": {}, "value": {"max": 3}}, "signals": signals}

    def rolling_sums(self) -> Source:
        """Sums of the time just past, with what is taken off."""
        plain: Source = {"sum": self.number(), "each": "buy", "minus": ["refund", "change"], "within": self.length()}
        elements: Source = {**self.of_elements(), "each": "buy", "within": self.length()}
        return {"facts": {"plain": {**plain, **self.where()}, "elements": elements}}

    def latest_points(self) -> Source:
        """Points of the latest value, in one score with others."""
        one, two = (
            {
                "each": ["buy", "visit"],
                "latest": self.chance.choice(TITLES),
                "points": self.chance.choice(POINTS),
                "to": "fit",
                **self.where(),
            }
            for _ in range(2)
        )
        plain: Source = {"each": "change", "add": {"fit": 1}}
        return {"scores": {"fit": {}}, "signals": {"one": one, "two": two, "plain": plain}}

    def latest_times(self) -> Source:
        """Times as facts."""
        told: Source = {"latest_time": "properties.ends", "each": ["buy", "visit"], **self.where()}
        return {"facts": {"end": told}, "time_zone": self.chance.choice(["UTC", "Europe/Paris"])}

    def once_for_each_value(self) -> Source:
        """The same points for each value: which of its interactions counts makes no difference."""
        values = ["properties.order", "properties.n", "properties.country"]
        one: Source = {"each": "buy", "add": {"heat": 2.5}, "once": self.chance.choice(values)}
        two: Source = {"each": ["buy", "visit"], "add": {"heat": 10}, "once": self.chance.choice(values)}
        return {"scores": {"heat": {}}, "signals": {"one": one, "two": two}}


KINDS: dict[str, Callable[[Choices], Source]] = {
    "ledgers": Choices.ledgers,
    "over": Choices.over,
    "expiring points": Choices.expiring_points,
    "rolling sums": Choices.rolling_sums,
    "latest points": Choices.latest_points,
    "latest_time": Choices.latest_times,
    "once for each value": Choices.once_for_each_value,
}


def cases(kind: str) -> st.SearchStrategy[tuple[Source, list[Source], list[Source]]]:
    """A lifecycle of this kind, and the same interactions in two orders; their times differ."""
    return seeds().map(lambda chance: case(chance, kind))


def case(chance: Random, kind: str) -> tuple[Source, list[Source], list[Source]]:
    """One such lifecycle with interactions."""
    told = small([("only", "other", "never >= 1")], version=1, **KINDS[kind](Choices(chance)))
    told["facts"] = {**mapping(told.get("facts")), "never": {"count": "never"}}
    orders = chance.sample(ORDERS[:14], chance.randint(1, 6))
    times = [START + time for time in chance.sample(range(SPAN), chance.randint(2, MOST))]
    arrived: list[Source] = [
        {
            "id": str(number),
            "type": chance.choice([*WORDS, "buy"]),
            "customer_id": "c",
            "time": time,
            **said(chance, orders, time, [0, 1, 5, 50]),
        }
        for number, time in enumerate(times)
    ]
    return told, arrived, chance.sample(arrived, len(arrived))


def moments() -> range:
    """Times after all that happened, at which scores and facts are read."""
    return range(START + SPAN, START + 2 * SPAN, 3)


def values(lifecycle: Lifecycle, life: Life) -> list[object]:
    """Scores, facts and contributions at these times."""
    return [
        (
            scores_of(lifecycle, life, moment),
            facts_of(lifecycle, life, moment),
            {
                score: [(each.signal, each.points, each.count) for each in contributions]
                for score, contributions in contributions_of(lifecycle, life, moment).items()
            },
        )
        for moment in moments()
    ]
