"""What senders post to collectors: items that count, each by a weight of its own, and items that are bad on purpose.

An item of a customer weighs four to the power of its place among them. A fact sums the weights up, so that its digits
to the base four say of each item how often it was applied, whatever the core thinks of ids.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stream.settings import Clock
from tests.faults.traffic import END, NAMES, SPAN

PLACES = 20
"""Items of a customer; the sum of all weights, in millionths, has 61 bits."""
BASE = 4
BAD = 0.04
"""Share of items that are bad on purpose."""
_OPEN = 30
"""Customers who have items at the same time."""
_WITHIN = 6 * 3_600_000
"""Milliseconds between the times of a customer's first and last item: less than a day, so that each id is remembered,
however fast the days of the traffic go by."""
_CALLS = ("track", "track", "track", "track", "page", "identify")
_TEXTS = ("plain", "", "ü 漢字 🙂", 'quo"te\\', "\u0000", "  ", "null")
_NESTED = {"a": [1, None, {"b": "c"}], "empty": {}, "list": []}


@dataclass(frozen=True)
class Item:
    """One that counts."""

    id: str
    customer: str
    call: str
    """Of Segment; what is sent natively is a `track`."""
    name: str
    """Of the event."""
    time: int
    """When it truly happened, epoch milliseconds."""
    properties: dict[str, Any]
    """Traits, where its call is `identify`."""
    place: int
    """Among those of its customer."""


@dataclass(frozen=True)
class BadItem:
    """One that is a dead letter."""

    id: str
    """Stands somewhere in its bytes."""
    text: str
    """The item, as it stands in a body."""
    reason: str


Posted = Item | BadItem

_BAD_CALLS: dict[str, str] = {
    '{"type":"track","messageId":"ID","userId":"h-bad","properties":{"total":1}}': "no_event_name",
    '{"type":"track","event":"page_view","messageId":"ID","properties":{}}': "no_subject",
    '{"type":"track","event":"page_view","messageId":"ID","userId":"undefined"}': "blocked_subject",
    '{"type":"track","event":"page_view","messageId":"ID","userId":"h-bad","timestamp":"yesterday"}': "bad_time",
    '{"type":"track","event":"page_view","messageId":"ID","userId":"h-bad","properties":{"x":"\\ud800"}}': "not_json",
    '{"type":"track","event":"page_view","messageId":"ID","userId":"h-bad","properties":[1]}': "bad_shape",
}
"""Calls of Segment that are none, and why."""
_BAD_ELEMENTS: dict[str, str] = {
    **_BAD_CALLS,
    '"ID"': "not_an_object",
    '{"type":"track","event":"page_view","messageId":"ID","userId":"h-bad","properties":'
    + '{"a":' * 80
    + "1"
    + "}" * 81: "too_deep",
}
"""Those, and what only a batch can hold."""
_BAD_NATIVE: dict[str, str] = {
    '{"id":"ID","type":"page_view"}': "no_subject",
    '{"id":"ID","customer_id":"h-bad"}': "no_event_name",
    '{"id":"ID","type":"page_view","customer_id":"null"}': "blocked_subject",
    '{"id":"ID","type":"page_view","customer_id":"h-bad","time":"yesterday"}': "bad_time",
    '{"id":"ID","type":"page_view","customer_id":"h-bad","properties":7}': "bad_shape",
}


class Items:
    """Draws items; what they are is decided by the seed, and their times by when they are drawn."""

    def __init__(self, seed: int, seconds: float, clock: Clock) -> None:
        """`seconds`: how long the traffic lasts, whose days pass in them with clock `stream`."""
        self._chance = random.Random(seed)
        self._seconds, self._clock = seconds, clock
        self._began = time.monotonic()
        self._count = 0
        self.customers: list[str] = []
        """Everybody who has items."""
        self._open: list[_Customer] = []

    def draw(self, kind: str) -> Posted:
        """The next one; `kind` is what it is posted as: a `call`, one of a `batch` of calls, or `native`."""
        self._count += 1
        if self._chance.random() < BAD:
            return self._bad(kind)
        customer = self._customer()
        call = "track" if kind == "native" else self._chance.choice(_CALLS)
        name = self._chance.choice(tuple(NAMES)) if call == "track" else call
        place, customer.places = customer.places, customer.places + 1
        properties = {
            "weight": BASE**place,
            "total": self._chance.randrange(1, 20_000) / 100,
            "text": self._chance.choice(_TEXTS),
            "large": self._chance.randrange(2**53, 2**63),
            **({"nested": _NESTED} if self._chance.random() < 0.2 else {}),
        }
        return Item(f"p-{self._count}", customer.id, call, name, customer.time(), properties, place)

    def _customer(self) -> "_Customer":
        self._open = [each for each in self._open if each.places < PLACES]
        if len(self._open) < _OPEN:
            self.customers.append(f"h-{len(self.customers)}")
            self._open.append(_Customer(self.customers[-1], self._times()))
        return self._chance.choice(self._open)

    def _times(self) -> Callable[[], int]:
        """What gives the times of a new customer's items."""
        if self._clock == "wall":
            return lambda: int(time.time() * 1_000)
        passed = min(1.0, (time.monotonic() - self._began) / self._seconds)
        base = END - SPAN + int(passed * (SPAN - _WITHIN))
        return lambda: base + self._chance.randrange(_WITHIN)

    def _bad(self, kind: str) -> BadItem:
        kinds = {"call": _BAD_CALLS, "batch": _BAD_ELEMENTS, "native": _BAD_NATIVE}[kind]
        template = self._chance.choice(tuple(kinds))
        name = f"bad-{self._count}-"
        return BadItem(name, template.replace("ID", name), kinds[template])


@dataclass
class _Customer:
    """One who has items still."""

    id: str
    time: Callable[[], int]
    places: int = 0
