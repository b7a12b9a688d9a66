"""What a shop sold, who bought and came back: the same figures in plain Python, one interaction after another.

Written apart from `stream/report`: no frames, local days by `datetime` and the system's own way with zones, and amounts
as `Decimal`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from stream.core.interaction import Interaction

ORDER, UPDATE = {"Order Completed", "order_completed", "purchase", "transaction"}, {"Order Updated"}
BACK = {"Order Refunded", "Order Cancelled"}
LOOKS = {"page", "page_view", "screen", "screen_view", "Application Opened", "application_opened"}
LOOKS |= {"Product Viewed", "Product Added", "Checkout Started"}


class Order(NamedTuple):
    who: str
    time: int
    day: date
    amount: Decimal
    void: bool


class Back(NamedTuple):
    who: str
    time: int
    day: date
    amount: Decimal


class Shop:
    """All that happened, whatever order it is given in."""

    def __init__(self, interactions: Iterable[Interaction], zone: str) -> None:
        self.zone = ZoneInfo(zone)
        seen: set[tuple[str, str]] = set()
        self.all: list[Interaction] = []
        for each in interactions:
            if each.id is None or (subject(each), each.id) not in seen:
                self.all.append(each)
                seen.add((subject(each), each.id or ""))
        owners: dict[str, set[str]] = defaultdict(set)
        for each in self.all:
            if each.customer_id is not None and each.anonymous_id is not None:
                owners[each.anonymous_id].add(each.customer_id)
        self.owner = {visitor: next(iter(ids)) for visitor, ids in owners.items() if len(ids) == 1}
        self._sales()

    def day(self, time: int) -> date:
        return datetime.fromtimestamp(time // 1000, UTC).astimezone(self.zone).date()

    def person(self, each: Interaction) -> str:
        if each.customer_id is None and each.anonymous_id in self.owner:
            return f"={self.owner[each.anonymous_id]}"
        return subject(each)

    def named(self, who: str) -> str:
        """The person that a customer's record is of."""
        return f"={self.owner[who[1:]]}" if who[0] == "?" and who[1:] in self.owner else who

    def _sales(self) -> None:
        entries: dict[tuple[str, str], list[Interaction]] = defaultdict(list)
        number = 0
        for each in self.all:
            if each.name in ORDER | UPDATE | BACK:
                key = each.properties.get("order_id")
                number += 1
                entries[subject(each), str(key) if key else f"#{number}"].append(each)
        self.orders: list[Order] = []
        self.backs: list[Back] = []
        for (who, _key), events in entries.items():
            events.sort(key=lambda each: each.time)
            made = [each for each in events if each.name in ORDER]
            if not made:
                continue
            updates = [each for each in events if each.name in UPDATE]
            amount = _amount(updates[-1] if updates else made[0]) or Decimal(0)
            rest = amount
            whole = False
            for each in events:
                if each.name in BACK:
                    wanted = _amount(each)
                    whole = whole or wanted is None
                    taken = rest if wanted is None else min(rest, wanted)
                    rest -= taken
                    if taken:
                        self.backs.append(Back(who, each.time, self.day(each.time), taken))
            void = whole or (amount > 0 and rest == 0)
            self.orders.append(Order(who, made[0].time, self.day(made[0].time), amount, void))

    def between(self, first: date, last: date) -> "Span":
        return Span(self, first, last)

    def first_order(self) -> dict[str, Order]:
        firsts: dict[str, Order] = {}
        for each in self.orders:
            if each.who not in firsts or each.time < firsts[each.who].time:
                firsts[each.who] = each
        return firsts

    def midnight(self, day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp()) * 1000

    def active(self, moment: date, days: int) -> set[str]:
        end = self.midnight(moment)
        return {each.who for each in self.orders if end - days * 86_400_000 <= each.time < end}


class Span:
    """Some days, both inside."""

    def __init__(self, shop: Shop, first: date, last: date) -> None:
        self.orders = [each for each in shop.orders if first <= each.day <= last]
        self.backs = [each for each in shop.backs if first <= each.day <= last]
        self.sales = sum((each.amount for each in self.orders), Decimal(0))
        self.paid_back = sum((each.amount for each in self.backs), Decimal(0))
        self.buyers = {each.who for each in self.orders}
        self.new = {who for who, each in shop.first_order().items() if first <= each.day <= last}
        there = [(shop.person(each), shop.day(each.time)) for each in shop.all if each.name in LOOKS | ORDER]
        inside = [(who, day) for who, day in there if first <= day <= last]
        seen: dict[str, int] = {}
        for each in shop.all:
            seen[shop.person(each)] = min(each.time, seen.get(shop.person(each), each.time))
        firsts = {who: each for who, each in shop.first_order().items() if who in self.new}
        self.times_to_convert = [each.time - seen[shop.named(who)] for who, each in firsts.items()]
        self.visitors, self.visitor_days = {who for who, _ in inside}, set(inside)


def subject(each: Interaction) -> str:
    return f"={each.customer_id}" if each.customer_id is not None else f"?{each.anonymous_id}"


def _amount(each: Interaction) -> Decimal | None:
    total = each.properties.get("total")
    return None if total is None else Decimal(str(total))


def middle(numbers: Sequence[float]) -> float:
    return float(median(numbers))
