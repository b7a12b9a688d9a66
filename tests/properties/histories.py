"""Random interactions for lifecycles: nasty ones, aimed at the edges of every duration a lifecycle names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.kit.times import DAY
from tests.properties.lifecycles import EVENTS, WORDS, Source, Tempo, lifecycles
from tests.properties.reference_grammar import milliseconds
from tests.properties.reference_life import END_OF_TIME

SUBJECTS = [("c1", None), ("c1", None), ("c1", "a1"), (None, "a1"), (None, "a1"), (None, "c1"), ("c2", "a1")]
"""Customer id and anonymous id; the same id in both name spaces is two subjects."""
STARTS = [1_699_920_000_000, 1_700_000_000_123, 1_719_999_999_999, END_OF_TIME - 40 * DAY, -5]
"""On the grid of days, off it, near the end of time, before the epoch."""
NUMBERS: list[object] = [1, 2, 3, 2.5, 99.99, 0.1, -3, 0, 1000, 999_999_999_999_999, 1e15, -1e15, 1e300]
TEXTS: list[object] = [
    "DE",
    "FR",
    "",
    "1",
    "3",
    "2.5",
    "-1e1",
    "1000.0",
    " 3",
    "+1",
    "1e400",
    "mobile",
    "\U0001f600",
    'é"',
    "x" * 256,
    "é" * 129,
]
OTHERS: list[object] = [
    True,
    False,
    None,
    [],
    ["DE", 3, None, True],
    {"deep": "DE"},
    {"deep": None, "type": "mobile"},
]


@dataclass(frozen=True)
class Scenario:
    """Lifecycles, what happened, and the settings of a run; times in ms."""

    lifecycles: list[Source]
    interactions: list[Source]
    until: int | None
    forget_after: int | None
    forget_identified: int | None


def durations_of(lifecycles: Sequence[Mapping[str, object]]) -> list[int]:
    """Every duration that the lifecycles name, in milliseconds."""
    texts = re.findall(r"(?<![\w\"])\d+(?:ms|[smhdw])\b", str(lifecycles).replace("'", " "))
    return sorted({milliseconds(each) for each in texts})


def names_of(lifecycles: Sequence[Mapping[str, object]]) -> list[str]:
    """Event names, mostly such that a lifecycle's words cover; one that none knows."""
    covered: list[str] = []
    for lifecycle in lifecycles:
        words = lifecycle["interactions"]
        assert isinstance(words, Mapping)
        covered += [name for word, names in words.items() for name in (word, *names)]
    return [*covered, *covered, *covered, *EVENTS, *WORDS, "never heard of"]


def values() -> st.SearchStrategy[object]:
    """A value of a property: mostly a number or a text, at times neither."""
    usual: st.SearchStrategy[object] = st.sampled_from([*NUMBERS[:8], *TEXTS[:7]])
    return usual | usual | st.sampled_from([*NUMBERS, *TEXTS, *OTHERS])


def contents() -> st.SearchStrategy[Source]:
    """The properties and the context of an interaction."""
    numbers: st.SearchStrategy[object] = st.sampled_from(NUMBERS[:9])
    properties: dict[str, st.SearchStrategy[object]] = {
        "total": numbers | values(),
        "n": numbers | values(),
        "country": st.sampled_from(TEXTS) | values(),
        "flag": st.sampled_from([True, False, "true", 1]),
        "tags": st.lists(values(), max_size=3) | values(),
        "a b": numbers | values(),
        "nest": values(),
    }
    device = st.fixed_dictionaries({"type": st.sampled_from(["mobile", "desktop"]) | values()}) | values()
    context: dict[str, st.SearchStrategy[object]] = {"weight": values(), "device": device}
    said = st.fixed_dictionaries({}, optional=properties)
    return st.builds(lambda p, c: {"properties": p, "context": c}, said, st.fixed_dictionaries({}, optional=context))


CONTENTS = contents()


@st.composite
def histories(
    draw: st.DrawFn,
    lifecycles: Sequence[Mapping[str, object]],
    *,
    most: int = 25,
    gaps: Sequence[int] | None = None,
    in_time_order: bool = False,
) -> list[Source]:
    """Interactions in order of arrival.

    Their times lie at `gaps` (ms; default: from none to years, often just at or beside a duration of the
    lifecycles) from each other, seldom backwards; never so where `in_time_order`.
    """
    lengths = gaps if gaps is not None else aimed_gaps([*durations_of(lifecycles), DAY, 90 * DAY])
    names = names_of(lifecycles)
    found: list[Source] = []
    times = [draw(st.sampled_from(STARTS))]
    # a few that come again and again: more interactions for the same number of choices
    said = draw(st.lists(CONTENTS, min_size=1, max_size=5))
    for number in range(draw(st.integers(1, most) | st.just(most))):
        anchor = draw(st.sampled_from([times[-1], times[-1], max(times), draw(st.sampled_from(times))]))
        backwards = draw(st.integers(0, 7)) == 0
        times.append(min(anchor + draw(st.sampled_from(lengths)) * (-1 if backwards else 1), END_OF_TIME))
        ids = [f"i{number}"] * 5 + [f"i{draw(st.integers(0, number))}"]
        who = draw(
            st.sampled_from([("c1", None), ("c1", "a1"), (None, "a1"), (None, "a1"), ("c2", "a1"), (None, "c1")])
        )
        found.append(
            {
                "id": draw(st.sampled_from(ids)),
                "type": draw(st.sampled_from(names)),
                "customer_id": who[0],
                "anonymous_id": who[1],
                "time": times[-1],
                **draw(st.sampled_from(said)),
            }
        )
    if in_time_order:
        for interaction, time in zip(found, sorted(times[1:]), strict=True):
            interaction["time"] = time
    return found


def aimed_gaps(durations: Sequence[int]) -> list[int]:
    """Gaps of exactly these durations, a little beside them, none at all, and years."""
    beside = [each + by for each in durations for by in (0, 0, -1, 1)]
    return [0, 0, 1, 1, 7, 1000, 3_600_000, *beside, *(2 * each for each in durations), 400 * DAY, 3000 * DAY]


@st.composite
def scenarios(
    draw: st.DrawFn,
    *,
    pace: Tempo | None = None,
    gaps: Sequence[int] | None = None,
    most: int = 25,
    in_time_order: bool = False,
) -> Scenario:
    """One to three lifecycles side by side, a history, and settings of all kinds."""
    names = draw(st.lists(st.sampled_from(["shop", "Game", "app"]), min_size=1, max_size=3, unique=True))
    chosen = [draw(lifecycles(name, pace)) for name in names]
    happened = draw(histories(chosen, most=most, gaps=gaps, in_time_order=in_time_order))
    ends = [time for each in happened if isinstance(time := each["time"], int)]
    after = draw(st.sampled_from(gaps or aimed_gaps([*durations_of(chosen), 90 * DAY])))
    lengths = [90 * DAY, 90 * DAY, 90 * DAY, None, DAY, 50]
    return Scenario(
        chosen,
        happened,
        draw(st.sampled_from([None, max(ends) + after, max(ends) + after, max(ends) - 1])),
        draw(st.sampled_from(lengths)),
        draw(st.sampled_from([None, None, None, *lengths[-3:]])),
    )
