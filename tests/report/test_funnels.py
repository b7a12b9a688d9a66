"""Funnels: examples that can be counted by hand, and any events against a walk that tries every start."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.durations import DAY
from stream.core.interaction import Interaction
from stream.errors import LifecycleError
from stream.report.funnels import walk
from stream.report.making import Asked
from tests.report.reckoning import in_zone, plain, reckoned, table

STEPS = ("view", "cart", "buy")
EVER = 1_000


def counted(
    people: Sequence[str], order: str = "ordered", within: int | None = None, starts: tuple[int, int] = (0, EVER)
) -> list[int]:
    """Each person's events as letters, one a moment: `v`, `c`, `b`, and `x` for anything else."""
    names = {"v": "view", "c": "cart", "b": "buy", "x": "other"}
    rows = [
        (f"p{who}", time, names[letter])
        for who, events in enumerate(people)
        for time, letter in enumerate(events)
        if letter != "."
    ]
    rows.sort(key=lambda row: row[1])
    events = pl.DataFrame(rows, {"person": pl.String, "time": pl.Int64, "step": pl.String}, orient="row")
    return walk(events, STEPS, starts, order, within, EVER).counts


@pytest.mark.parametrize(
    ("events", "ordered", "strict", "any_order"),
    [
        ("vcb", 3, 3, 3),
        ("vxcb", 3, 1, 3),
        ("vcxb", 3, 2, 3),
        ("cvb", 1, 1, 3),
        ("bcv", 1, 1, 3),
        ("vb", 1, 1, 1),  # the cart is missing: what follows it is not reached, in whatever order
        ("vvcb", 3, 3, 3),
        ("vcvb", 3, 2, 3),
        ("cb", 0, 0, 0),
        ("vxvcb", 3, 3, 3),  # a later attempt gets further
    ],
)
def test_each_order_by_hand(events: str, ordered: int, strict: int, any_order: int) -> None:
    expected = {"ordered": ordered, "strict": strict, "any": any_order}
    assert {order: sum(counted([events], order)) for order in expected} == expected


def test_a_window_counts_from_any_start_not_from_the_first_alone() -> None:
    """The first view was long ago; the second is near enough."""
    assert counted(["v........v.cb"], within=4) == [1, 1, 1]
    assert counted(["v.........cb"], within=4) == [1, 0, 0]
    assert counted(["vcb"], within=2) == [1, 1, 0], "what happens at its very end is not within it"


def test_a_funnel_begins_in_the_period_and_may_end_after_it() -> None:
    assert counted(["vcb"], starts=(0, 1)) == [1, 1, 1]
    assert counted([".vcb"], starts=(0, 1)) == [0, 0, 0]


def brute(events: str, order: str, within: int, starts: tuple[int, int]) -> int:
    """How many steps the best attempt gets: every start is tried, and after it every later event."""
    letters = "vcb"
    best = 0
    for begin in range(len(events)):
        if not starts[0] <= begin < starts[1] or events[begin] == ".":
            continue
        seen = [
            (time, letter) for time, letter in enumerate(events) if begin <= time < begin + within and letter != "."
        ]
        if order == "any":
            if events[begin] in letters:
                found = {letter for _, letter in seen}
                best = max(best, next((n for n, letter in enumerate(letters) if letter not in found), 3))
            continue
        if events[begin] != "v":
            continue
        reached = 1
        for place in range(1, len(seen)):
            if reached == 3:
                break
            if seen[place][1] == letters[reached]:
                reached += 1
            elif order == "strict":
                break
        best = max(best, reached)
    return best


@given(
    st.lists(st.text("vcbx.", min_size=1, max_size=12), min_size=1, max_size=4),
    st.sampled_from(["ordered", "strict", "any"]),
    st.integers(1, 12),
    st.integers(1, 12),
)
def test_it_gets_as_far_as_the_best_of_all_attempts(
    people: list[str], order: str, within: int, last_start: int
) -> None:
    starts = (0, last_start)
    far = [brute(each, order, within, starts) for each in people]
    assert counted(people, order, within, starts) == [sum(each > step for each in far) for step in range(3)]


def interactions() -> list[Interaction]:
    """Ann looks anonymously, logs in and buys; Ben only looks."""
    begin = 1_780_272_000_000  # 1 June 2026

    def did(hour: int, name: str, customer: str | None, visitor: str | None) -> Interaction:
        return Interaction(customer, visitor, None, name, begin + hour * 3_600_000, {"order_id": hour, "total": 5}, {})

    return [
        did(0, "page", None, "phone"),
        did(1, "Product Viewed", None, "phone"),
        did(2, "Email Delivered", "ann", None),
        did(3, "Order Completed", "ann", "phone"),
        did(4, "page", "ben", None),
        did(29 * 24, "page", "ben", None),
    ]


def test_who_was_seen_anonymously_and_then_by_name_is_one_person(tmp_path: Path) -> None:
    """And what we send stands between no two steps."""
    asked = Asked(funnel=("visit", "product", "order"), order="strict")
    rows = table(reckoned(in_zone("UTC", tmp_path), interactions(), asked), "funnel").rows
    assert [(row[0], plain(row[1])) for row in rows] == [("visit", 2), ("product", 1), ("order", 1)]
    assert plain(rows[2][7]) == 3 * 3_600_000


def test_stages_are_steps_too_and_an_unknown_step_is_told(tmp_path: Path) -> None:
    lifecycle = in_zone("UTC", tmp_path)
    asked = Asked(funnel=("awareness", "conversion"), within=30 * DAY)
    rows = table(reckoned(lifecycle, interactions(), asked), "funnel").rows
    assert [(row[0], plain(row[1])) for row in rows] == [("Awareness and discovery", 3), ("Conversion and purchase", 1)]
    with pytest.raises(LifecycleError, match=r"'chart' is no word of metrics.*words are .*cart"):
        reckoned(lifecycle, interactions(), Asked(funnel=("visit", "chart")))
    with pytest.raises(LifecycleError, match="at least two steps"):
        reckoned(lifecycle, interactions(), Asked(funnel=("visit",)))
