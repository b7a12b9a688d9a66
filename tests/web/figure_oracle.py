"""Interactions of a shop, and what its figures come to by another way than the product's."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from stream.core.interaction import Interaction
from tests.kit.times import DAY

LIFECYCLE = """
lifecycle: shop
time_zone: Europe/Paris
interactions: {visit: [page], purchase: [Order Completed], refund: [Order Refunded], ad_click: [ad], leave: [bye]}
ledgers:
  bought: {each: purchase, by: properties.order_id, amount: properties.total, minus: refund, returned: properties.total}
facts:
  country: {latest: properties.country}
  plan: {latest: properties.plan}
figures:
  visitors: {title: Visitors, each: visit, at_most: {times: 1, per: day}}
  weekly: {each: visit, at_most: {times: 1, per: week}}
  orders: {each: purchase, ledger: bought}
  revenue: {title: Revenue, each: purchase, ledger: bought, add: properties.total, minus: refund}
  cost: {each: ad_click, add: properties.cost}
  newcomers: {each: purchase, once: true}
  by: [country, plan]
rates:
  conversion: {title: Conversion, of: orders, to: visitors, percent: true}
  average_order: {of: revenue, to: orders}
  orders_per_cost: {of: orders, to: cost}
stages: {lead: {title: Lead}, buyer: {}, gone: {}}
transitions:
  - {from: lead, to: buyer, when: event.type == "purchase"}
  - {from: [lead, buyer], to: gone, when: event.type == "leave"}
  - {from: gone, to: buyer, when: event.type == "purchase"}
"""
ZONE = ZoneInfo("Europe/Paris")
BEGIN = date(2026, 2, 10)
DAYS = 75
"""With the change to daylight saving time among them."""
END = BEGIN + timedelta(days=DAYS - 1)
COUNTRIES = ("FR", "DE", "=1+1", 'naïve, "quoted"', 3, True)


def at(day: date, hour: int = 12) -> int:
    """Epoch milliseconds of an hour of the local day."""
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).timestamp() * 1000)


def day_of(time: int) -> date:
    return datetime.fromtimestamp(time / 1000, UTC).astimezone(ZONE).date()


def interactions(countries: Iterable[object] = COUNTRIES, number: int = 900) -> list[Interaction]:
    """Of 60 customers; each keeps its country, which the first interaction has, but for some without one."""
    chance = Random(18)
    lands = [*countries, None]
    begin, found = at(BEGIN, 0), list[Interaction]()
    orders: list[tuple[str, str, float]] = []
    times = sorted({begin + chance.randrange(DAYS * DAY - 2 * 3_600_000) for _ in range(number - 1)})
    for place, time in enumerate([*times, at(END, 23)]):
        who = chance.randrange(60)
        subject, land = f"customer-{who}", lands[who % len(lands)]
        name = chance.choice(["page", "page", "page", "Order Completed", "Order Completed", "ad", "bye"])
        properties: dict[str, Any] = {} if land is None else {"country": land}
        if chance.random() < 0.05 and orders:
            subject, order, total = chance.choice(orders)
            properties, name = {"order_id": order, "total": total}, "Order Refunded"
        if name == "Order Completed":
            properties |= {"order_id": f"order-{place}", "total": chance.randrange(1, 10_000) / 100}
            orders.append((subject, properties["order_id"], properties["total"]))
        if name == "ad":
            properties["cost"] = 0.1
        found.append(Interaction(subject, None, f"i-{place}", name, time, properties, {}))
    return found


class Move(NamedTuple):
    """One customer moved."""

    customer: str
    source: str | None
    target: str
    day: date
    stayed: int
    """Milliseconds."""


ALL = object()


class Oracle:
    """What interactions come to, worked out one by one, in the order of time."""

    def __init__(self, told: Iterable[Interaction]) -> None:
        self.days: dict[tuple[str, object, date], Decimal] = {}
        """By figure, country (ALL: everybody; None: none yet) and day."""
        self.moves: list[Move] = []
        self._land: dict[str, object] = {}
        self._stage: dict[str, tuple[str, int]] = {}
        self._seen: set[tuple[str, str, object]] = set()
        for each in told:
            country = each.properties.get("country")
            if country is not None:
                self._land[each.subject] = "true" if country is True else str(country)
            self._count(each)
            self._move(each)

    def _count(self, each: Interaction) -> None:
        day = day_of(each.time)
        if each.name == "page":
            self._once("visitors", each, day)
            self._once("weekly", each, day.isocalendar()[:2])
        elif each.name == "Order Completed":
            self._add("orders", each, 1)
            self._add("revenue", each, each.properties["total"])
            self._once("newcomers", each, "")
        elif each.name == "Order Refunded" and self._is_first("refund", each, each.properties["order_id"]):
            self._add("revenue", each, f"-{each.properties['total']}")
        elif each.name == "ad":
            self._add("cost", each, each.properties["cost"])

    def _is_first(self, figure: str, each: Interaction, key: object) -> bool:
        known = (each.subject, figure, key) in self._seen
        self._seen.add((each.subject, figure, key))
        return not known

    def _once(self, figure: str, each: Interaction, key: object) -> None:
        if self._is_first(figure, each, key):
            self._add(figure, each, 1)

    def _add(self, figure: str, each: Interaction, value: object) -> None:
        for segment in (ALL, self._land.get(each.subject)):
            key = figure, segment, day_of(each.time)
            self.days[key] = self.days.get(key, Decimal()) + Decimal(str(value))

    def _move(self, each: Interaction) -> None:
        who, day = each.subject, day_of(each.time)
        if who not in self._stage:
            self.moves.append(Move(who, None, "lead", day, 0))
            self._stage[who] = "lead", each.time
        source, entered = self._stage[who]
        target = {"Order Completed": "buyer", "bye": "gone"}.get(each.name, source)
        if target != source:
            self.moves.append(Move(who, source, target, day, each.time - entered))
            self._stage[who] = target, each.time

    def of(self, figure: str, country: object, first: date, last: date) -> Decimal:
        """A figure over some days."""
        found = (
            self.days.get((figure, country, first + timedelta(days=each))) for each in range((last - first).days + 1)
        )
        return sum((each for each in found if each is not None), Decimal())

    def moved(self, first: date, last: date) -> list[Move]:
        """The moves of some days."""
        return [each for each in self.moves if first <= each.day <= last]

    def customers(self, stage: str, day: date) -> int:
        """Those in a stage at the end of a day."""
        return Counter({each.customer: each.target for each in self.moves if each.day <= day}.values())[stage]


TOLD = interactions()
ORACLE = Oracle(TOLD)
