"""Points of the latest value in the reference (rule 24), worked out by hand."""

from __future__ import annotations

import pytest

from tests.properties.lifecycles import Source
from tests.properties.timelines import START, at, contributed, known

TITLES: Source = {
    "each": "profile",
    "latest": "lower(properties.title)",
    "points": {"manager": 3, "director": 5, "intern": -1.5},
    "to": "fit",
}
PLANS: Source = {"each": "profile", "latest": "properties.title", "points": {1: 10, "2.50": 25}, "to": "fit"}
YES: Source = {**PLANS, "points": {True: 7, "1.0": 10}}


def told(title: object, time: int = 0) -> Source:
    return {**at(START + time, "profile"), "properties": {"title": title}}


def nothing(time: int = 0) -> Source:
    return at(START + time, "profile")


def fit(signal: Source, *arrived: Source) -> tuple[object, object]:
    """The score that the signal feeds, and what is told of it; None where nothing is."""
    parts = {"scores": {"fit": {}}, "signals": {"title": signal}}
    of_score = contributed(parts, arrived)["fit"]
    assert isinstance(of_score, dict)
    return known(parts, arrived)["fit"], of_score.get("title")


def test_the_value_of_the_largest_time_gives_its_points() -> None:
    """They take the place of those of the value before, whichever arrived later."""
    assert fit(TITLES, told("Manager")) == (3, (3, 1))
    assert fit(TITLES, told("Manager"), told("DIRECTOR", 5)) == (5, (5, 1))
    assert fit(TITLES, told("director", 5), told("manager", 3)) == (5, (5, 1))
    assert fit(TITLES, told("director", 5), told("manager", 5)) == (3, (3, 1))
    assert fit(TITLES, told("director", 5), told("Intern", 6)) == (-1.5, (-1.5, 1))


def test_other_values_and_a_null_give_none() -> None:
    """A null takes the value away; what tells no value leaves it."""
    assert fit(TITLES, told("manager"), told("cook", 1)) == (0, (0, 1))
    assert fit(TITLES, told("manager"), told(None, 1)) == (0, (0, 0))
    assert fit(TITLES, told("manager", 2), told(None, 1)) == (3, (3, 1))
    assert fit(TITLES, told(None, 2), told("manager", 1)) == (0, (0, 0))
    assert fit(TITLES, told("manager"), nothing(1)) == (3, (3, 1))
    assert fit(TITLES, nothing()) == (0, (0, 0))


@pytest.mark.parametrize("title", [3, True, ["director"], {"a": "director"}])
def test_what_is_no_text_is_no_value_in_small_letters(title: object) -> None:
    """The value before stays."""
    assert fit(TITLES, told("manager"), told(title, 1)) == (3, (3, 1))


@pytest.mark.parametrize(
    ("value", "points"),
    [
        (1, 10),
        ("1", 10),
        (1.0, 10),
        ("1.0", 10),
        ("1e0", 10),
        (" 1", 0),
        (True, 7),
        ("true", 0),
        (False, 0),
        (2.5, 25),
        ("2.5", 25),
        (3, 0),
        ("", 0),
        ("x" * 300, 0),
    ],
)
def test_numbers_and_texts_that_are_numbers_meet_the_same_key(value: object, points: float) -> None:
    """A boolean meets a boolean alone."""
    assert fit(YES if points in (7, 10) else PLANS, told("x"), told(value, 1))[0] == points


def test_lists_and_objects_are_no_value() -> None:
    """The value before stays."""
    assert fit(PLANS, told(1), told([2], 1), told({"a": 1}, 2)) == (10, (10, 1))


def test_of_elements_the_last_with_a_value_counts() -> None:
    """A null among them is one."""
    signal: Source = {**TITLES, "over": "properties.title", "latest": "lower(item.role)"}
    roles = [{"role": "manager"}, {"role": "director"}, {"role": 3}, {}, "manager"]
    assert fit(signal, told(roles)) == (5, (5, 1))
    assert fit(signal, told([*roles, {"role": None}])) == (0, (0, 0))


def test_points_of_values_and_others_are_added() -> None:
    """The value's points are one part of the score."""
    parts = {
        "scores": {"fit": {"max": 7}},
        "signals": {"title": TITLES, "plain": {"each": "profile", "add": {"fit": 4}}},
    }
    assert known(parts, [told("director")]) == {"fit": 7}
    assert contributed(parts, [told("director")]) == {"fit": {"title": (5, 1), "plain": (4, 1)}}
