"""Random interactions for rich lifecycles: few orders, lists with anything in them, late and equal times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

from hypothesis import strategies as st

from tests.kit.times import DAY, HOUR
from tests.properties.histories import NUMBERS, OTHERS, STARTS, TEXTS, Scenario, aimed_gaps, durations_of
from tests.properties.lifecycles import EVENTS, Source, Tempo
from tests.properties.reference_life import END_OF_TIME
from tests.properties.reference_times import EPOCH, first_instant, zone_of
from tests.properties.reference_values import listed, mapping, time_of
from tests.properties.rich_conditions import FEATURES, Features
from tests.properties.rich_lifecycles import rich_lifecycle

PRICES: list[object] = [1, 2.5, 10, "10", "19.90", 0, -1, "1e1", 1e15, "999999999999999", 1e-7, None, "free", True]
TOTALS: list[object] = [
    1,
    2,
    5,
    10,
    20,
    50,
    99.99,
    0.1,
    -3,
    0,
    "2.5",
    "10",
    1e-7,
    None,
    999_999_999_999_999,
    1e15,
    "x",
    True,
]
CATEGORIES: list[object] = ["coffee", "Coffee", "tea", "3", 3, "", None]
ORDERS: list[object] = [1, "1", 1.0, "A", "B", "C", 2.5, "2.5", True, "true", "", None, ["A"], *range(3, 17)]
RETURNED: list[object] = [1, 2.5, "2.5", 10, -1, 0, 1e15, 1e-7, None, None, "all", True]
RETURNS: list[object] = ["R", "S", 1, "1", None, ""]
AGENTS: list[object] = ["Mobile Bot", "mobile bot", "STRAßE", "İ", "Bot", "e\u0301", "DE.", ["Bot", 3], 3, None]
COUNTRIES: list[object] = [
    *TEXTS[:7],
    "DE",
    "de",
    "Straße",
    "STRASSE",
    "İ",
    "x",
    3,
    2.5,
    1000,
    True,
    False,
    None,
    ["DE"],
]
ANYTHING: list[object] = [*NUMBERS, *TEXTS, *OTHERS, "x", "DE", "Bot"]
ENDS: list[object] = ["2023-11-15", 1_700_000_000_500, None, "soon", "2024-03-31T02:30", "2023-10-29 02:30:00", True]
DAYS = ["2023-10-01", "2023-10-28", "2023-10-29", "2023-11-05", "2024-01-01", "2024-03-10", "2024-03-31", "2024-07-01"]
"""Firsts of months, Mondays, and days on which clocks change."""
MANY: list[list[object]] = [
    [{"id": number, "price": number} for number in range(first, first + 70)] for first in (0, 60)
]
"""More elements than are known of anything."""
PUSHED_OUT = {"ledgers", "once_each", "cool_down"}
"""Features of which as much is kept as only a long history has."""
BELIEVED = 788_918_400_000
"""1995: numbers below are seconds to some readers."""
SUBJECTS: list[list[tuple[str | None, str | None]]] = [
    [("c1", None)],
    [("c1", None)],
    [("c1", "a1"), (None, "a1")],
    [("c1", None), (None, "c1")],
]
"""Customer id and anonymous id of those who are met in one history."""


def element(chance: Random) -> object:
    """An element of a list: mostly a product, at times anything."""
    if chance.random() < 0.3:
        return chance.choice(ANYTHING)
    found: Source = {"price": chance.choice(PRICES)}
    optional: dict[str, Sequence[object]] = {
        "quantity": [1, 2, 3, "2", 0.5, -1, None],
        "category": CATEGORIES,
        "id": range(6),
        "ends": ENDS,
        "a b": NUMBERS,
        "deep": [{"price": 2}, {}, [{"price": 2}], None],
    }
    return found | {name: chance.choice(values) for name, values in optional.items() if chance.random() < 0.5}


def elements(chance: Random) -> list[object]:
    """A list, at times a long one."""
    return chance.choice(MANY) if chance.random() < 0.08 else [element(chance) for _ in range(chance.randint(0, 4))]


def said(chance: Random, orders: Sequence[object], time: int, lengths: Sequence[int]) -> Source:
    """The properties and the context of an interaction."""
    properties: Source = {
        "total": chance.choice(TOTALS) if chance.random() < 0.95 else elements(chance),
        "order": chance.choice(orders),
        "n": chance.choice([*NUMBERS[:9], *TEXTS[:8], None, True]),
        "price": chance.choice(PRICES),
        "returned": chance.choice(RETURNED),
        "return": chance.choice(RETURNS),
        "country": chance.choice(COUNTRIES),
        "agent": chance.choice(AGENTS),
        "flag": chance.choice([True, False, "true", 1]),
        "tags": chance.choice([[], ["DE", 3], "DE", ["de", None, True, "1"], elements(chance)]),
        "products": elements(chance) if chance.random() < 0.9 else chance.choice(ANYTHING),
        "a b": chance.choice(NUMBERS),
        "nest": chance.choice(OTHERS),
        "ends": end(chance, time, lengths),
    }
    context: Source = {
        "weight": chance.choice(NUMBERS),
        "device": chance.choice([{"type": "mobile"}, {"type": "Mobile bot"}, {"type": ["Bot"]}, "mobile", {}]),
        "items": elements(chance),
    }
    kept = [name for name in properties if chance.random() < 0.9]
    return {
        "properties": {name: properties[name] for name in kept},
        "context": context if chance.random() < 0.8 else {},
    }


def end(chance: Random, time: int, lengths: Sequence[int]) -> object:
    """A time near to this one, as a property has it; at times none."""
    shape = chance.choice(["utc", "utc", "number", "local", "date", "other"])
    if shape == "other":
        return chance.choice(ENDS)
    moment = min(max(time + chance.choice(lengths), BELIEVED), END_OF_TIME - 10 * DAY)
    text = (EPOCH + timedelta(milliseconds=moment)).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return {"utc": f"{text}Z", "number": moment, "local": text, "date": text[:10]}[shape]


def names_of(lifecycles: Sequence[Mapping[str, object]]) -> list[str]:
    """Event names, nearly all such that the lifecycles' words cover."""
    covered = [
        str(name)
        for lifecycle in lifecycles
        for word, names in mapping(lifecycle["interactions"]).items()
        for name in (word, *listed(names))
    ]
    return [*covered, *covered, *covered, *covered, *EVENTS[:2], "never heard of"]


def start(chance: Random, lifecycles: Sequence[Source]) -> int:
    """A time from which a history goes on; mostly about the first moment of a day of the zone, where there is one."""
    zones = [str(lifecycle["time_zone"]) for lifecycle in lifecycles if "time_zone" in lifecycle]
    if not zones or chance.random() < 0.2:
        return chance.choice(STARTS)
    midnight = first_instant(datetime.fromisoformat(chance.choice(DAYS)), zone_of(chance.choice(zones)))
    return midnight + chance.choice([0, -1, 1, HOUR, -HOUR, HOUR // 2])


def rich_history(
    chance: Random, lifecycles: Sequence[Source], *, most: int = 25, gaps: Sequence[int] | None = None
) -> list[Source]:
    """Interactions of few customers in order of arrival, one in five of them late, many at equal times."""
    lengths = list(gaps if gaps is not None else aimed_gaps([*durations_of(lifecycles), DAY]))
    if gaps is None and "time_zone" in str(lifecycles):
        lengths += 4 * [HOUR, 23 * HOUR, DAY, 25 * HOUR, 7 * DAY]
    few = chance.sample(lengths, min(4, len(lengths)))
    names, subjects = names_of(lifecycles), chance.choice(SUBJECTS)
    orders: Sequence[object] = chance.sample(ORDERS, chance.choice([1, 2, 2, 3, 3, 5, 20]))
    if most > 100:
        orders = range(most // 2)
    times, name = [start(chance, lifecycles)], names[0]
    late, still, same = chance.choice([0.05, 0.2, 0.4]), chance.choice([0.1, 0.6]), chance.choice([0.2, 0.6])
    found: list[Source] = []
    for number in range(chance.choice([1, 5, 10, most, most, most])):
        anchor = chance.choice([times[-1], times[-1], max(times), min(times), chance.choice(times)])
        gap = 0 if chance.random() < still else chance.choice([0, *few, *few, chance.choice(lengths)])
        times.append(min(anchor + (-gap if chance.random() < late else gap), END_OF_TIME))
        name = name if chance.random() < same else chance.choice(names)
        customer, visitor = chance.choice(subjects)
        found.append(
            {
                "id": f"i{number}" if chance.random() < 0.95 else "i0",
                "type": name,
                "customer_id": customer,
                "anonymous_id": visitor,
                "time": times[-1],
                **said(chance, orders, times[-1], lengths),
            }
        )
    return found


def rich_scenario(
    chance: Random,
    features: Features = FEATURES,
    *,
    pace: Tempo | None = None,
    gaps: Sequence[int] | None = None,
    most: int = 25,
) -> Scenario:
    """One or two lifecycles side by side, a history, and settings of all kinds."""
    names = chance.choice([["shop"], ["shop"], ["Game", "app"]])
    chosen = [rich_lifecycle(chance, name, features, pace) for name in names]
    if features <= PUSHED_OUT and chance.random() < 0.1:
        most *= 8
    happened = rich_history(chance, chosen, most=chance.choice([most, most, most, 3 * most]), gaps=gaps)
    after = chance.choice(gaps or aimed_gaps([*durations_of(chosen), 90 * DAY]))
    return Scenario(
        chosen,
        happened,
        chance.choice([None, *2 * [max(map(time_of, happened)) + after]]),
        chance.choice([90 * DAY, 90 * DAY, None, DAY, 50]),
        chance.choice([None, None, None, DAY]),
    )


def seeds() -> st.SearchStrategy[Random]:
    """Chance that is the same each time for the same seed."""
    return st.integers(0, 2**48).map(Random)


def rich_scenarios(
    features: Features = FEATURES,
    *,
    pace: Tempo | None = None,
    gaps: Sequence[int] | None = None,
    most: int = 25,
) -> st.SearchStrategy[Scenario]:
    """Random scenarios that use these parts of the language."""
    return seeds().map(lambda chance: rich_scenario(chance, features, pace=pace, gaps=gaps, most=most))
