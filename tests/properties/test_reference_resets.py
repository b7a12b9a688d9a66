"""Reset and floor in the reference (rule 25), worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.kit.times import DAY
from tests.properties.lifecycles import Source
from tests.properties.timelines import START, at, contributed, known

SIGNALS: dict[str, Any] = {
    "plain": {"each": "tap", "add": {"heat": "properties.n"}},
    "recycled": {"each": "recycled", "reset": ["heat"]},
}


def tap(time: int, n: object = 1, **properties: object) -> Source:
    return {**at(START + time, "tap"), "properties": {"n": n, **properties}}


def reset(time: int) -> Source:
    return at(START + time, "recycled")


def heat(arrived: list[Source], signals: Mapping[str, object] | None = None, **score: object) -> object:
    """The score after these arrivals."""
    return known({"scores": {"heat": score}, "signals": {**SIGNALS, **(signals or {})}}, arrived)["heat"]


def test_a_reset_takes_all_points_at_its_arrival() -> None:
    """Also those that are later than it: a reset that comes late."""
    assert heat([tap(0), tap(5), reset(6)]) == 0
    assert heat([tap(0), tap(5), reset(3)]) == 0
    assert heat([tap(0), reset(1), tap(2, 4)]) == 4


def test_what_is_not_later_than_the_reset_adds_nothing() -> None:
    """Of several resets the largest time is kept."""
    assert heat([reset(10), tap(9), tap(10), tap(11, 4)]) == 4
    assert heat([reset(10), reset(5), tap(9), tap(11, 4)]) == 4
    assert heat([reset(10), tap(11, 4), reset(5), tap(9)]) == 0


def test_signals_of_the_same_interaction_add_nothing() -> None:
    """Whether they stand before or after the reset in the file."""
    before = {"before": {"each": "recycled", "add": {"heat": 3}}}
    assert known({"scores": {"heat": {}}, "signals": {**before, **SIGNALS}}, [tap(0), reset(1)]) == {"heat": 0}
    assert heat([tap(0), reset(1)], before) == 0


def test_a_reset_may_depend_on_what_is_known() -> None:
    """Its `where` reads the score before; only its own score is gone."""
    parts = {
        "scores": {"heat": {}, "other": {}},
        "signals": {
            "plain": {"each": "tap", "add": {"heat": 1, "other": 1}},
            "recycled": {"each": "tap", "reset": ["heat"], "where": "heat >= 2"},
        },
    }
    assert known(parts, [tap(0), tap(1)]) == {"heat": 2, "other": 2}
    assert known(parts, [tap(0), tap(1), tap(2), tap(3)]) == {"heat": 1, "other": 4}


def test_decaying_expiring_and_latest_points_are_reset() -> None:
    """After it each begins anew, for what is later than the reset."""
    assert heat([tap(0, 8), reset(1), tap(DAY, 2), at(START + 2 * DAY, "look")], half_life="1d") == 1
    expiring = {"plain": {**SIGNALS["plain"], "expires": "10ms", "keep": 2}}
    assert heat([tap(0), tap(5), reset(6), tap(6, 2), tap(7, 4), tap(8, 8)], expiring) == 12
    latest = {"plain": {"each": "tap", "latest": "properties.n", "points": {"a": 3, "b": 5}, "to": "heat"}}
    assert heat([tap(0, "a"), reset(1)], latest) == 0
    assert heat([tap(0, "a"), reset(1), tap(1, "b")], latest) == 0
    assert heat([tap(0, "a"), reset(1), tap(2, "b")], latest) == 5
    assert heat([tap(9, "a"), reset(1), tap(2, "b")], latest) == 5


def test_an_entry_without_points_left_makes_room() -> None:
    """Two places: the taps at 10 and 20 are reset by a late reset of 5, so one at 7 has room beside one at 6."""
    signals = {"plain": {**SIGNALS["plain"], "expires": "1d", "keep": 2}}
    assert heat([tap(10), tap(20), reset(5), tap(7, 2), tap(6, 4)], signals) == 6
    parts = {
        "scores": {"heat": {}, "other": {}},
        "signals": {**SIGNALS, "plain": {**signals["plain"], "add": {"heat": "properties.n", "other": "properties.m"}}},
    }
    arrived = [tap(10, 1, m=10), tap(20, 1), reset(5), tap(7, 2), tap(6, 4)]
    assert known(parts, arrived) == {"heat": 2, "other": 10}


def test_what_is_used_up_stays_used_up() -> None:
    """Once, windows, cool-downs and known values are not reset."""
    for cap in ({"once": True}, {"at_most": {"times": 1, "per": "1d"}}, {"at_most": {"times": 1, "within": "1d"}}):
        assert heat([tap(0), reset(1), tap(2)], {"plain": {**SIGNALS["plain"], **cap}}) == 0
    value = {"plain": {**SIGNALS["plain"], "once": "properties.form"}}
    assert heat([tap(0, 1, form="a"), reset(1), tap(2, 1, form="a"), tap(2, 4, form="b")], value) == 4


def test_after_a_reset_the_contribution_is_nothing() -> None:
    """How often the signal counted stays, also where it added nothing."""
    parts = {"scores": {"heat": {}}, "signals": SIGNALS}
    assert contributed(parts, [tap(0), reset(1)]) == {"heat": {"plain": (0, 1)}}
    assert contributed(parts, [tap(0), reset(1), tap(1), tap(2, 5)]) == {"heat": {"plain": (5, 3)}}


KARMA: Source = {
    "scores": {"karma": {"floor": 0}},
    "signals": {
        "gain": {"each": ["tap", "both"], "add": {"karma": "properties.n"}},
        "loss": {"each": ["fall", "both"], "add": {"karma": "-properties.m"}},
        "crash": {"each": "both", "add": {"karma": "-properties.k"}},
    },
}


def karma(arrived: list[Source], **score: object) -> tuple[object, object]:
    """The score with its floor, and what each signal really added."""
    parts = {**KARMA, "scores": {"karma": {"floor": 0, **score}}}
    return known(parts, arrived)["karma"], contributed(parts, arrived)["karma"]


def fall(time: int, m: object) -> Source:
    return at(START + time, "fall", m=m)


def both(time: int, n: object, m: object, k: object = None) -> Source:
    return at(START + time, "both", n=n, m=m, k=k)


def test_a_score_does_not_fall_below_its_floor() -> None:
    """Three, minus five is nothing, and what comes then begins there."""
    assert karma([tap(0, 3), fall(1, 5), tap(2, 4)]) == (4, {"gain": (7, 2), "loss": (-3, 1)})
    assert karma([tap(0, 3), tap(2, 4), fall(1, 5)]) == (2, {"gain": (7, 2), "loss": (-5, 1)})
    assert karma([fall(0, 5)]) == (0, {"loss": (0, 1)})
    assert karma([fall(0, 5), fall(1, 5)], floor=-7.5) == (-7.5, {"loss": (-7.5, 2)})


def test_the_additions_of_one_interaction_are_summed_before() -> None:
    """Two and minus one are one, whatever stands first in the file."""
    assert karma([both(0, 2, 1)]) == (1, {"crash": (0, 1), "gain": (2, 1), "loss": (-1, 1)})
    assert karma([tap(0, 1), both(1, 2, 9)]) == (0, {"crash": (0, 1), "gain": (3, 2), "loss": (-3, 1)})


def test_what_was_lifted_is_taken_from_the_losses_by_name() -> None:
    """2 - 6 - 3 is lifted by 7: `crash` gives back all its 3, `loss` 4 of its 6."""
    assert karma([both(0, 2, 6, 3)]) == (0, {"crash": (0, 1), "gain": (2, 1), "loss": (-2, 1)})
    assert karma([both(0, 2, 6, 8)]) == (0, {"crash": (0, 1), "gain": (2, 1), "loss": (-2, 1)})
    assert karma([both(0, 7, 6, 8)]) == (0, {"crash": (-1, 1), "gain": (7, 1), "loss": (-6, 1)})


def test_a_floor_holds_what_is_added_and_clamps_what_is_read() -> None:
    """Read as at most 2, the score is 5, so that minus 4 leaves 1."""
    assert karma([tap(0, 5), fall(1, 4)], max=2)[0] == 1
    assert karma([tap(0, 5)], max=2)[0] == 2


def test_a_reset_brings_a_score_with_a_floor_back_to_nothing() -> None:
    """Also one that was below 0."""
    signals = {**SIGNALS, "plain": {**SIGNALS["plain"], "add": {"heat": "properties.n"}}}
    assert heat([tap(0, -3), reset(1)], signals, floor=-5) == 0
    assert heat([tap(0, -3), reset(1), tap(1, -4), tap(2, -4)], signals, floor=-5) == -4
