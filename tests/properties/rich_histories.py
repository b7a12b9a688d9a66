"""Random interactions for rich lifecycles: few orders, lists with anything in them, late and equal times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import strategies as st

from tests.kit.times import DAY, HOUR
from tests.properties.histories import (
    NUMBERS,
    OTHERS,
    STARTS,
    TEXTS,
    Scenario,
    aimed_gaps,
    durations_of,
    names_of,
    values,
)
from tests.properties.lifecycles import Source, Tempo
from tests.properties.reference_life import END_OF_TIME
from tests.properties.reference_times import EPOCH
from tests.properties.reference_values import mapping
from tests.properties.rich_conditions import FEATURES, Features
from tests.properties.rich_lifecycles import rich_lifecycles

PRICES: list[object] = [1, 2.5, 10, "10", "19.90", 0, -1, "1e1", 1e15, "999999999999999", 1e-7, None, "free", True]
CATEGORIES: list[object] = ["coffee", "Coffee", "tea", "3", 3, "", None]
ORDERS: list[object] = ["A", "A", "A", "B", "B", "C", 1, "1", 1.0, 2.5, True, "", None, ["A"]]
RETURNED: list[object] = [1, 2.5, "2.5", 10, -1, 0, 1e15, 1e-7, None, "all", True]
RETURNS: list[object] = ["R", "R", "S", 1, "1", None, ""]
AGENTS: list[object] = ["Mobile Bot", "mobile bot", "STRAßE", "İ", "Bot", "e\u0301", "DE.", ["Bot", 3], 3, None]

ENDS: list[object] = [
    "2023-11-15",
    1_700_000_000_500,
    None,
    "soon",
    "2024-03-31T02:30",
    "2023-10-29 02:30:00",
    True,
    "",
]
DAYS_OF_CHANGES = [1_698_530_400_000, 1_711_839_600_000 - HOUR, 1_699_147_800_000]
"""Paris, midnight of 29 October 2023 and an hour before that of 31 March 2024; New York, half an hour before 2:00."""
MANY = [[{"id": number, "price": number} for number in range(first, first + 70)] for first in (0, 60)]
"""More elements than are known of anything."""
BELIEVED = 788_918_400_000
"""1995: numbers below are seconds to some readers."""
SUBJECTS: list[list[tuple[str | None, str | None]]] = [
    [("c1", None)],
    [("c1", None)],
    [("c1", "a1"), (None, "a1")],
    [("c1", None), (None, "c1")],
]
"""Customer id and anonymous id of those who are met in one history."""


def elements() -> st.SearchStrategy[object]:
    """An element of a list: mostly a product, at times anything."""
    product = st.fixed_dictionaries(
        {"price": st.sampled_from(PRICES)},
        optional={
            "quantity": st.sampled_from([1, 2, 3, "2", 0.5, -1, None]),
            "category": st.sampled_from(CATEGORIES),
            "id": st.integers(0, 5),
            "ends": st.sampled_from(ENDS),
            "a b": st.sampled_from(NUMBERS),
            "deep": st.sampled_from([{"price": 2}, {}, [{"price": 2}], None]),
        },
    )
    others: st.SearchStrategy[object] = st.sampled_from([*NUMBERS, *TEXTS, *OTHERS, "x", "DE"])
    return product | product | others


def rich_contents() -> st.SearchStrategy[Source]:
    """The properties and the context of an interaction."""
    usual: st.SearchStrategy[object] = st.sampled_from(NUMBERS[:9])
    lists = st.lists(elements(), max_size=4) | st.lists(elements(), max_size=4) | st.sampled_from(MANY)
    always: dict[str, st.SearchStrategy[object]] = {
        "total": usual | usual | usual | values() | lists,
        "price": st.sampled_from(PRICES),
        "order": st.sampled_from(ORDERS),
        "products": lists | lists | lists | values(),
    }
    properties: dict[str, st.SearchStrategy[object]] = {
        "n": usual | values(),
        "returned": st.sampled_from(RETURNED),
        "return": st.sampled_from(RETURNS),
        "country": st.sampled_from([*TEXTS, "Straße", "de", "İ"]) | values(),
        "agent": st.sampled_from(AGENTS),
        "flag": st.sampled_from([True, False, "true", 1]),
        "tags": st.lists(values() | elements(), max_size=3) | values(),
        "a b": usual | values(),
        "nest": values(),
    }
    device = st.fixed_dictionaries({"type": st.sampled_from(["mobile", "Mobile bot"]) | values()}) | values()
    context: dict[str, st.SearchStrategy[object]] = {"weight": values(), "device": device, "items": lists}
    return st.builds(
        lambda p, c: {"properties": p, "context": c},
        st.fixed_dictionaries(always, optional=properties),
        st.fixed_dictionaries({}, optional=context),
    )


CONTENTS = rich_contents()


@st.composite
def ends(draw: st.DrawFn, time: int, lengths: Sequence[int]) -> object:
    """A time near to this one, as a property has it; at times none."""
    shape = draw(st.sampled_from(["utc", "utc", "number", "local", "date", "other"]))
    if shape == "other":
        return draw(st.sampled_from(ENDS))
    moment = min(max(time + draw(st.sampled_from(lengths)), BELIEVED), END_OF_TIME - 10 * DAY)
    text = (EPOCH + timedelta(milliseconds=moment)).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return {"utc": f"{text}Z", "number": moment, "local": text, "date": text[:10]}[shape]


@st.composite
def rich_histories(
    draw: st.DrawFn, lifecycles: Sequence[Source], *, most: int = 25, gaps: Sequence[int] | None = None
) -> list[Source]:
    """Interactions of few customers in order of arrival, one in six of them late, many at equal times."""
    lengths = gaps if gaps is not None else aimed_gaps([*durations_of(lifecycles), DAY, 25 * HOUR])
    covered = names_of(lifecycles)
    names = [*covered[: 2 * len(covered) // 3], "visit", "never heard of"]
    said = draw(st.lists(CONTENTS, min_size=1, max_size=6))
    times = [draw(st.sampled_from([*STARTS, *DAYS_OF_CHANGES]))]
    timed = "latest_time" in str(lifecycles)
    subjects = draw(st.sampled_from(SUBJECTS))
    found: list[Source] = []
    for number in range(draw(st.integers(1, most) | st.just(most))):
        anchor = draw(st.sampled_from([times[-1], times[-1], max(times), draw(st.sampled_from(times))]))
        backwards = draw(st.integers(0, 5)) == 0
        times.append(min(anchor + draw(st.sampled_from(lengths)) * (-1 if backwards else 1), END_OF_TIME))
        customer, visitor = draw(st.sampled_from(subjects))
        content = draw(st.sampled_from(said))
        if timed and draw(st.booleans()):
            content = {
                **content,
                "properties": {**mapping(content["properties"]), "ends": draw(ends(times[-1], lengths))},
            }
        found.append(
            {
                "id": draw(st.sampled_from([f"i{number}"] * 9 + ["i0"])),
                "type": draw(st.sampled_from(names)),
                "customer_id": customer,
                "anonymous_id": visitor,
                "time": times[-1],
                **content,
            }
        )
    return found


@st.composite
def rich_scenarios(
    draw: st.DrawFn,
    features: Features = FEATURES,
    *,
    pace: Tempo | None = None,
    gaps: Sequence[int] | None = None,
    most: int = 25,
) -> Scenario:
    """One or two lifecycles side by side, a history, and settings of all kinds."""
    names = draw(st.sampled_from([["shop"], ["shop"], ["Game", "app"]]))
    chosen = [draw(rich_lifecycles(name, features, pace)) for name in names]
    happened = draw(rich_histories(chosen, most=most, gaps=gaps))
    latest = max(time for each in happened if isinstance(time := each["time"], int))
    after = draw(st.sampled_from(gaps or aimed_gaps([*durations_of(chosen), 90 * DAY])))
    return Scenario(
        chosen,
        happened,
        draw(st.sampled_from([None, latest + after, latest + after])),
        draw(st.sampled_from([90 * DAY, 90 * DAY, None, DAY, 50])),
        draw(st.sampled_from([None, None, None, DAY])),
    )
