"""Points that expire and rolling sums in the reference (rule 23), worked out by hand."""

from __future__ import annotations

from tests.properties.lifecycles import Source
from tests.properties.reference import run
from tests.properties.timelines import START, at, contributed, known, small, steps


def score(signal: Source, arrived: list[Source]) -> object:
    """The score `heat`, fed by a signal of taps that expires after 10 ms."""
    told: Source = {"each": "tap", "add": {"heat": "properties.n"}, "expires": "10ms", **signal}
    return known({"scores": {"heat": {}, "other": {}}, "signals": {"it": told}}, arrived)["heat"]


def tap(time: int, n: object = 1, **properties: object) -> Source:
    return {**at(START + time, "tap"), "properties": {"n": n, **properties}}


def total(fact: Source, arrived: list[Source]) -> object:
    """A sum of what was bought within 10 ms."""
    return known({"facts": {"sum": {"sum": "properties.n", "each": "tap", "within": "10ms", **fact}}}, arrived)["sum"]


def test_points_expire_at_the_exact_millisecond() -> None:
    """In the score until 9 ms past, gone at 10 ms, where the deadline is; one that is at once expired is nothing."""
    ways = [("a", "b", "heat == 4 and in_stage >= 5ms"), ("b", "c", "heat < 4")]
    lifecycle = small(
        ways,
        scores={"heat": {}},
        signals={"it": {"each": "tap", "add": {"heat": "properties.n"}, "expires": "10ms"}},
    )
    outcome = run([lifecycle], [tap(0, 1), tap(3, 4)], until=START + 100)
    assert steps(outcome)[1:] == [(START + 10, "a>b", True), (START + 13, "b>c", True)]
    assert score({}, [tap(0, 1), tap(9, 2)]) == 3
    assert score({}, [tap(0, 1), tap(10, 2)]) == 2
    assert score({}, [tap(10, 2), tap(0, 1), tap(1, 4)]) == 6


def test_expiring_points_add_to_lasting_ones() -> None:
    """Of two signals one expires; what counted is told, and what is in the score now."""
    parts = {
        "scores": {"heat": {}},
        "signals": {
            "expiring": {"each": "tap", "add": {"heat": 5}, "expires": "10ms"},
            "lasting": {"each": "tap", "add": {"heat": 2}},
        },
    }
    arrived = [tap(0), tap(5), at(START + 12, "look")]
    assert known(parts, arrived) == {"heat": 9}
    assert contributed(parts, arrived)["heat"] == {"expiring": (5, 2), "lasting": (4, 2)}
    assert contributed(parts, [*arrived, at(START + 20, "look")])["heat"] == {"expiring": (0, 2), "lasting": (4, 2)}


def test_the_largest_times_are_kept_whatever_arrived_first() -> None:
    """Two are kept: the late one at 1 goes, one at 3 pushes out the one at 2; of equal times the later arrival."""
    assert score({"keep": 2}, [tap(2, 1), tap(4, 2), tap(1, 4)]) == 3
    assert score({"keep": 2}, [tap(2, 1), tap(4, 2), tap(3, 4)]) == 6
    assert score({"keep": 2}, [tap(2, 1), tap(2, 2), tap(2, 4)]) == 6
    assert score({"keep": 2}, [tap(4, 1), tap(2, 2), tap(2, 4)]) == 5


def test_64_are_kept_without_keep() -> None:
    """The 65th pushes out the first."""
    assert score({}, [tap(0, 1), *[tap(1, 10) for _ in range(63)]]) == 631
    assert score({}, [tap(0, 1), *[tap(1, 10) for _ in range(64)]]) == 640


def test_one_without_points_takes_no_place() -> None:
    """Neither a text that is no number nor an absent one pushes anything out; a 0 is a number of points."""
    assert score({"keep": 1}, [tap(0, 1), tap(1, "x"), tap(1, None)]) == 1
    assert score({"keep": 1}, [tap(0, 1), tap(1, 0)]) == 0
    two: Source = {"keep": 1, "add": {"heat": "properties.n", "other": "properties.m"}}
    assert score(two, [tap(0, 1), tap(1, None, m=1)]) == 0


def test_elements_of_one_interaction_are_one_entry() -> None:
    """Each rounded to a millionth, then added: two of 0.0000006 are 2 millionths."""
    signal: Source = {"over": "properties.list", "add": {"heat": "item"}, "keep": 1}
    assert score(signal, [tap(0, list=[1, 2, "x", 4]), tap(-1, list=[8])]) == 7
    assert score(signal, [tap(0, list=[1, 2]), tap(1, list=["x", None])]) == 3
    assert score(signal, [tap(0, list=[6e-7, 6e-7])]) == 2e-6
    assert total({"over": "properties.list", "sum": "item", "keep": 1}, [tap(0, list=[1, 2]), tap(0, list=[])]) == 3


def test_caps_hold_for_expiring_points() -> None:
    """Once is once, also after the points are gone."""
    assert score({"once": True}, [tap(0, 1), tap(5, 2)]) == 1
    assert score({"once": True}, [tap(0, 1), tap(15, 2)]) == 0


def test_a_rolling_sum_takes_off_returns_at_their_own_time() -> None:
    """A return takes a place of its own, and leaves the window by its own time.

    0     4          10          14
    +5    refund 2   -2 is left  0 is left
    """
    fact: Source = {"minus": "refund"}
    arrived = [tap(0, 5), at(START + 4, "refund", n=2)]
    assert total(fact, arrived) == 3
    looked = [total(fact, [*arrived, at(START + t, "look")]) for t in (9, 10, 13, 14)]
    assert looked == [3, -2, -2, 0]
    assert total({**fact, "keep": 1}, arrived) == -2


def test_a_rolling_sum_is_exact_and_keeps_64() -> None:
    """Ten tenths are one."""
    assert total({}, [tap(0, 0.1) for _ in range(10)]) == 1
    assert total({}, [tap(0, 1), *[tap(1, 10) for _ in range(64)]]) == 640
    assert total({}, [tap(0, "2.5"), tap(0, "x"), tap(0, 1e15)]) == 2.5


def test_a_rolling_sum_has_deadlines() -> None:
    """A condition by `==` holds while it holds."""
    ways = [("a", "b", "spent == 2"), ("b", "c", "spent in [0]")]
    facts = {"spent": {"sum": "properties.n", "each": "tap", "within": "10ms"}}
    outcome = run([small(ways, facts=facts)], [tap(0, 1), tap(3, 2)], until=START + 100)
    assert steps(outcome)[1:] == [(START + 10, "a>b", True), (START + 13, "b>c", True)]


def test_a_rolling_count_over_a_list_counts_elements() -> None:
    """They are one each: two of four times are kept."""
    fact: Source = {"count": "tap", "over": "properties.list", "within": "10ms", "keep": 2}
    assert known({"facts": {"n": fact}}, [tap(0, list=[1, 2, 3, 4])]) == {"n": 2}
