"""The calls that every SDK makes, and what must be on the topic for each: the story, bursts, and endless pings."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from math import isnan, nan
from typing import Any, Final

from tests.sdks.sdks import Quirk, Sdk

LONE_SURROGATE: Final = "\ud83d"
"""Half of a sign, as a text has it that was cut in the middle of one: no text that could be stored."""
_PEOPLE: Final = 10
_SECOND: Final = 1_000
_AT: Final = 1_763_805_600_123


@dataclass(frozen=True)
class Instant:
    """A date in properties; SDKs spell it each in its own way."""

    milliseconds: int


@dataclass(frozen=True)
class Call:
    """One call, as the program makes it."""

    kind: str
    user: str | None
    anonymous: str | None = None
    name: str | None = None
    """Of an event, a page or a screen; of an alias the former id; of a group its id."""
    category: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    """Or traits."""
    time: int | None = None
    """Epoch milliseconds, where the program states it."""

    @property
    def event(self) -> str:
        """The event name that it has on the topic."""
        return self.name if self.kind == "track" and self.name is not None else self.kind

    @property
    def subject(self) -> str:
        """Whose call it is."""
        subject = self.user or self.anonymous
        assert subject is not None
        return subject

    @property
    def expected(self) -> dict[str, Any]:
        """The properties that rules must see."""
        beside = {
            "page": {"name": self.name, "category": self.category},
            "screen": {"name": self.name, "category": self.category},
            "group": {"groupId": self.name},
            "alias": {"previousId": self.name},
        }.get(self.kind, {})
        return {**self.properties, **{key: value for key, value in beside.items() if value is not None}}

    def plain(self) -> dict[str, Any]:
        """As JSON for the sender; what JSON has not is `{"$": …}`."""
        return {
            "kind": self.kind,
            "user": self.user,
            "anonymous": self.anonymous,
            "name": self.name,
            "category": self.category,
            "properties": _plain(self.properties),
            "time": self.time,
        }


def story(sdk: Sdk) -> list[list[Call]]:
    """A visitor who becomes a customer: each kind of call, and values that get lost easily.

    In two bursts: a browser's SDK gives calls that it has not sent yet the id of an `identify` behind them.
    """
    visitor, ada = f"{sdk.slug}-visitor", f"{sdk.slug}-ada"
    seen = [
        Call("track", None, visitor, "Visited", properties={"from": "newsletter", "first": True}),
        Call("page", None, visitor, "Pricing", "Docs", {"tour": 2}),
        Call("alias", f"{sdk.slug}-lovelace", None, visitor),
    ]
    known = [
        Call(
            "identify",
            ada,
            visitor,
            properties={"name": "Ada Lovelace", "plan": None, "address": {"city": "Kraków", "lines": ["1", "b"]}},
        ),
        Call("screen", ada, None, "Cart", properties={"items": 0}),
        Call(
            "track",
            ada,
            None,
            "Order Completed",
            properties={"total": 19.9, "products": [{"sku": "a", "quantity": 2}, {"sku": "b", "tags": []}]},
        ),
        Call("track", ada, None, "Größe gewählt 👟", properties={"größe": "42⅔", "«»": '\u2028\x00\x1f"\\/'}),
        Call(
            "track",
            ada,
            None,
            "Numbers",
            properties={"exact": 2**53, "least": -(2**53) + 1, "tiny": 5e-324, "third": 0.1 + 0.2, "zero": 0},
        ),
        Call(
            "track",
            ada,
            None,
            "Odd",
            properties={"no_number": nan, "nothing": None, "deep": {"a": [[{"b": [None, False, ""]}]]}, "": "no key"},
        ),
        Call("track", ada, None, "Dated", properties={"when": Instant(_AT + 250)}, time=_AT),
        Call("track", ada, None, "Cut", properties={"text": LONE_SURROGATE}),
        Call("group", ada, None, "acme", properties={"seats": 12, "name": "Acme"}),
        Call("track", ada, None, "Order Completed Again", properties={"total": 0.1}, time=_AT + _SECOND),
    ]
    return [[_as_made(call, sdk) for call in burst if _can_be_made(call, sdk)] for burst in (seen, known)]


def _can_be_made(call: Call, sdk: Sdk) -> bool:
    return call.kind != "screen" or Quirk.HAS_NO_SCREENS not in sdk.quirks


def _as_made(call: Call, sdk: Sdk) -> Call:
    return replace(call, time=None) if Quirk.TAKES_NO_TIMES in sdk.quirks else call


def pinged(sdk: Sdk) -> list[str]:
    """Who is pinged, in turn: customers, or the one visitor of a browser."""
    return [f"{sdk.slug}-{number}" for number in range(1 if sdk.is_of_a_browser else _PEOPLE)]


def pings(sdk: Sdk, count: int) -> list[Call]:
    """The first `count` of the pings that a sender makes without end: the same as those of the senders."""
    ids = pinged(sdk)
    made = []
    for number in range(count):
        user, anonymous = (None, ids[0]) if sdk.is_of_a_browser else (ids[number % len(ids)], None)
        made.append(Call("track", user, anonymous, "Ping", properties={"number": number}))
    return made


def expected(call: Call, sdk: Sdk) -> dict[str, Any]:
    """The properties that rules must see of a call of this SDK."""
    found = call.expected
    if Quirk.MENDS_TEXTS in sdk.quirks:
        found = {key: "?" if each == LONE_SURROGATE else each for key, each in found.items()}
    return _without_nulls(found) if Quirk.LEAVES_OUT_NULLS in sdk.quirks else found


def is_unreadable(call: Call, sdk: Sdk) -> bool:
    """Whether a call of this SDK must become a dead letter."""
    return LONE_SURROGATE in call.properties.values() and Quirk.MENDS_TEXTS not in sdk.quirks


def are_same(expected: object, found: object) -> bool:
    """Whether what was found is what was expected: numbers by value, dates by their instant, NaN as null."""
    match expected:
        case Instant():
            return isinstance(found, str) and instant_of(found) == expected.milliseconds
        case dict():
            return (
                isinstance(found, dict)
                and expected.keys() == found.keys()
                and all(are_same(value, found[key]) for key, value in expected.items())
            )
        case list():
            return (
                isinstance(found, list)
                and len(expected) == len(found)
                and all(are_same(one, other) for one, other in zip(expected, found, strict=True))
            )
        case float() if isnan(expected):
            return found is None
        case _:
            return isinstance(expected, bool) is isinstance(found, bool) and expected == found


def instant_of(text: str) -> int:
    """Epoch milliseconds of an ISO 8601 time, digits beyond them cut off."""
    seconds, _, fraction = text.partition(".")
    digits = fraction[: len(fraction) - len(fraction.lstrip("0123456789"))]
    zone = fraction[len(digits) :]
    whole = datetime.fromisoformat(seconds + zone)
    return int(whole.timestamp()) * 1_000 + int(digits[:3].ljust(3, "0") or "0")


def _is_none(value: object) -> bool:
    return value is None or (isinstance(value, float) and isnan(value))


def _without_nulls(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_nulls(each) for key, each in value.items() if not _is_none(each)}
        case list():
            return [_without_nulls(each) for each in value]
        case _:
            return value


def _plain(value: object) -> object:
    match value:
        case Instant():
            return {"$": "date", "milliseconds": value.milliseconds}
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case float() if isnan(value):
            return {"$": "nan"}
        case _:
            return value
