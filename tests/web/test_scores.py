"""Scores over time: as changes had them, and ahead by the closed formula of decay."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.settings import Settings
from stream.web.lookup.score_history import past, scores_data
from tests.core.subject import Subject, lifecycle
from tests.kit.kafka import SharedKafka
from tests.kit.lifecycles import SHOP, buy
from tests.kit.stage_changes import change, write
from tests.kit.times import DAY, HOUR, T0
from tests.kit.topics import create_topics
from tests.web.rig import Rig, ask, placed

CLUB = """
interactions: {visit: [page], order: [Order Completed], call: [called]}
scores: {interest: {half_life: 14d, max: 100}, value: {}, fresh: {}}
signals:
  looked: {each: visit, add: {interest: properties.points}}
  spent: {each: order, add: {value: properties.total}}
  called: {each: call, add: {fresh: 5}, expires: 3d}
stages: {new: {}, asleep: {title: Asleep}}
transitions:
  - {from: new, to: asleep, when: idle >= 20d}
"""
STILL = CLUB[: CLUB.index("stages:")]


def told(subject: Subject, now: int, points: int = 60, changes: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    assert subject.customer is not None
    return scores_data(subject.model, subject.customer, subject.model.lifecycles[0], now, changes or [], points)


def ahead(data: dict[str, Any], score: str) -> list[tuple[int, float]]:
    [found] = [each["ahead"] for each in data["scores"] if each["score"] == score]
    return list(found)


@given(
    st.lists(st.tuples(st.integers(0, 30 * DAY), st.floats(0.1, 60)), min_size=1, max_size=8),
    st.integers(0, 10 * DAY),
    st.integers(1, 200),
)
def test_a_decayed_score_is_that_of_the_closed_formula(
    visits: list[tuple[int, float]], later: int, points: int
) -> None:
    """In whatever order the visits came, from the last one over the present to the next move by time."""
    subject = Subject(lifecycle(STILL))
    for when, amount in visits:
        subject.sees(T0 + when, "page", {"points": amount})
    last = T0 + max(when for when, _ in visits)
    data = told(subject, last + later, points)
    assert (data["at"], data["until"], data["next"]) == (last + later, last + later + 30 * DAY, None)
    curve = ahead(data, "interest")
    assert [time for time, _ in curve] == sorted({time for time, _ in curve})
    assert (curve[0][0], curve[-1][0]) == (last, data["until"])
    assert data["at"] in [time for time, _ in curve]
    assert points <= len(curve) <= points + 3 or points < 3
    for time, value in curve:
        exact = sum(amount * 2.0 ** ((T0 + when - time) / (14 * DAY)) for when, amount in visits)
        assert math.isclose(value, min(exact, 100.0), rel_tol=1e-9)


def test_what_lies_ahead_ends_with_the_next_move_by_time() -> None:
    subject = Subject(lifecycle(CLUB))
    subject.sees(T0, "page", {"points": 10})
    data = told(subject, T0 + DAY)
    assert data["next"] == {"at": T0 + 20 * DAY, "to": "asleep", "title": "Asleep"}
    assert (data["at"], data["until"]) == (T0 + DAY, T0 + 20 * DAY)
    assert ahead(data, "interest")[-1] == (T0 + 20 * DAY, pytest.approx(10 * 2 ** (-20 / 14)))


def test_a_move_that_is_due_and_was_not_made_yet_ends_it_at_the_present() -> None:
    subject = Subject(lifecycle(CLUB))
    subject.sees(T0, "page", {"points": 10})
    data = told(subject, T0 + 21 * DAY)
    assert (data["next"]["at"], data["at"], data["until"]) == (T0 + 20 * DAY, T0 + 21 * DAY, T0 + 21 * DAY)
    assert ahead(data, "interest")[-1][0] == T0 + 21 * DAY


def test_after_a_move_by_time_it_begins_with_the_last_interaction_still() -> None:
    """And is before the move what it was then."""
    subject = Subject(lifecycle(CLUB))
    subject.sees(T0, "page", {"points": 10})
    subject.sees(T0, "called")
    before = told(subject, T0 + DAY)
    subject.waits(T0 + 25 * DAY)
    data = told(subject, T0 + 25 * DAY)
    assert (data["next"], data["until"]) == (None, T0 + 55 * DAY)
    curve = ahead(data, "interest")
    assert curve[0] == (T0, 10.0)
    for time, value in [*curve, *ahead(before, "interest")]:
        assert value == pytest.approx(10 * 2 ** ((T0 - time) / (14 * DAY)))
    assert ahead(data, "fresh")[:3] == ahead(before, "fresh")[:1] + ahead(before, "fresh")[2:4]


def test_whoever_is_forgotten_has_no_scores_afterwards() -> None:
    subject = Subject(lifecycle(STILL), kind="anonymous", forget_after=12 * DAY)
    subject.sees(T0, "page", {"points": 10})
    assert told(subject, T0 + DAY)["until"] == T0 + 12 * DAY
    assert told(subject, T0 + 13 * DAY)["until"] == T0 + 13 * DAY


def test_a_score_that_does_not_vary_has_three_values_and_points_that_expire_their_steps() -> None:
    subject = Subject(lifecycle(STILL))
    subject.sees(T0, "Order Completed", {"total": 30})
    subject.sees(T0 + HOUR, "called")
    subject.sees(T0 + 2 * HOUR, "called")
    data = told(subject, T0 + DAY)
    end = T0 + 31 * DAY
    assert ahead(data, "value") == [(T0 + 2 * HOUR, 30.0), (T0 + DAY, 30.0), (end, 30.0)]
    first, second = T0 + HOUR + 3 * DAY, T0 + 2 * HOUR + 3 * DAY
    assert ahead(data, "fresh") == [
        (T0 + 2 * HOUR, 10.0),
        (T0 + DAY, 10.0),
        (first - 1, 10.0),
        (first, 5.0),
        (second - 1, 5.0),
        (second, 0.0),
        (end, 0.0),
    ]
    assert len(ahead(told(subject, T0 + DAY, points=2), "fresh")) == 5


def test_the_past_is_what_changes_had_and_of_several_at_once_one() -> None:
    """A score that the lifecycle did not have then has no value then."""
    changes = [
        {"at": 1, "scores": {"a": 1.0}},
        {"at": 2, "scores": {"a": 2.0, "b": 7.0}},
        {"at": 2, "scores": {"a": 2.0, "b": 7.0}},
        {"at": 5, "scores": {"a": 0.5, "b": 8.0}},
    ]
    assert past("a", changes) == [(1, 1.0), (2, 2.0), (5, 0.5)]
    assert past("b", changes) == [(2, 7.0), (5, 8.0)]
    assert past("c", changes) == []


async def test_a_customer_of_whom_the_topic_has_no_change_any_more_still_has_what_is_ahead(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """The past is empty, and said not to be complete; changes of others are not the customer's."""
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, clock="stream")
    await create_topics(settings.bootstrap, settings.topics.stage_changes, partitions=2)
    await write(settings, [change("somebody else", at=T0)])
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP, encoding="utf-8")
    rig = Rig(str(file), settings=settings)
    rig.broker.records = placed([buy("42", T0, 19)])
    async with rig.serving():
        await rig.own({0: rig, 1: rig})
        status, body = await ask(rig, "/v1/customers/42/scores?points=5")
        assert (status, body["complete"]) == (200, False)
        [shop] = body["lifecycles"]
        assert (shop["lifecycle"], shop["at"], shop["until"]) == ("shop", T0, T0 + 30 * DAY)
        assert shop["next"] == {"at": T0 + 30 * DAY, "to": "dormant", "title": "dormant"}
        [value] = shop["scores"]
        assert (value["past"], value["ahead"]) == ([], [[T0, 19.0], [T0 + 30 * DAY, 19.0]])
        assert (await ask(rig, "/v1/customers/nobody/scores"))[0] == 404
        assert (await ask(rig, "/v1/anonymous/42/scores"))[0] == 404
        for query, part in (("?points=201", "a whole number from 1 to 200"), ("?limit=3", "known are points")):
            status, body = await ask(rig, f"/v1/customers/42/scores{query}")
            assert status == 400
            assert part in body["message"]
