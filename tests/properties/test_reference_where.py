"""`where` that reads what is known of the customer, in the reference (rule 22), worked out by hand."""

from __future__ import annotations

from tests.kit.times import DAY
from tests.properties.reference import run
from tests.properties.timelines import START, at, known, small

CLICKS = {
    "passive": ["mail"],
    "facts": {
        "last_mail": {"last": "mail"},
        "clicks": {"count": "click", "where": "since(last_mail) >= 30s"},
        "quick": {"count": "click", "where": "since(last_mail) < 30s"},
        "odd": {"count": "click", "where": "since(last_mail) < 0s"},
    },
}


def test_since_is_measured_at_the_interaction_s_own_time() -> None:
    """A click that comes late is judged by when it happened, and by the mails known when it comes.

    0s    10s     29.999s  30s    ... 100s   (late) 40s
    mail  click   click    click  mail       click
          quick   quick    counts            odd: 60 s before the latest mail
    """
    arrived = [
        at(START, "mail"),
        at(START + 10_000, "click"),
        at(START + 29_999, "click"),
        at(START + 30_000, "click"),
    ]
    assert known(CLICKS, arrived) == {"last_mail": START, "clicks": 1, "quick": 2, "odd": 0}
    late = [*arrived, at(START + 100_000, "mail"), at(START + 40_000, "click")]
    assert known(CLICKS, late) == {"last_mail": START + 100_000, "clicks": 1, "quick": 3, "odd": 1}


def test_without_the_fact_the_comparison_is_false() -> None:
    """Who was never sent a mail has no time since the last one."""
    assert known(CLICKS, [at(START, "click")]) == {"clicks": 0, "quick": 0, "odd": 0}


def test_where_reads_the_state_before_the_interaction_is_applied() -> None:
    """Whatever the order in the file, the second order is the first that has one before it."""
    parts = {
        "scores": {"value": {}},
        "signals": {
            "again": {"each": "buy", "add": {"value": 1}, "where": "orders >= 1 and value < 1"},
        },
        "facts": {
            "orders": {"count": "buy"},
            "again": {"count": "buy", "where": "orders >= 1"},
            "poor": {"count": "buy", "where": "value == 0"},
        },
    }
    assert known(parts, [at(START, "buy")] * 3) == {"value": 1, "orders": 3, "again": 2, "poor": 2}


def test_where_knows_the_identification_and_the_birth() -> None:
    """The first interaction with a customer id already finds the customer identified, in the first stage."""
    parts = {"facts": {"n": {"count": "x", "where": 'identified and stage == "only" and in_stage <= 0ms'}}}
    assert known(parts, [at(START, "x"), at(START + 1, "x")]) == {"n": 1}


def test_where_reads_idle_before_the_interaction_moves_it() -> None:
    """Two days of quiet before the third visit; a mail is no sign of life; a late one is before the latest.

    0d     1d     2d    3d     (late) 2.5d
    visit  visit  mail  visit  visit
    """
    parts = {
        "passive": ["mail"],
        "facts": {
            "back": {"count": "visit", "where": "idle >= 2d"},
            "before": {"count": "visit", "where": "idle <= -12h"},
        },
    }
    arrived = [
        at(START, "visit"),
        at(START + DAY, "visit"),
        at(START + 2 * DAY, "mail"),
        at(START + 3 * DAY, "visit"),
        at(START + 5 * DAY // 2, "visit"),
    ]
    assert known(parts, arrived) == {"back": 1, "before": 1}


def test_where_sees_what_the_deadlines_before_the_interaction_did() -> None:
    """After 10 ms the stage is left, and a late interaction finds the stage that was entered after it."""
    lifecycle = small(
        [("a", "b", "in_stage >= 10ms")],
        facts={
            "in_a": {"count": "x", "where": 'stage == "a"'},
            "in_b": {"count": "x", "where": 'stage == "b" and in_stage < 0ms'},
        },
    )
    outcome = run([lifecycle], [at(START, "x"), at(START + 20, "x"), at(START + 5, "x")])
    assert outcome.customers["customer_id", "c"]["l"]["facts"] == {"in_a": 1, "in_b": 1}


def test_scores_and_counts_are_read_at_the_clock() -> None:
    """Of an interaction in time the clock is its time; of a late one it is later, and the score has decayed.

    0d   1d             (late) 0d
    8    4 left: counts 3: 4 left and none within a day
    """
    parts = {
        "scores": {"heat": {"half_life": "1d"}},
        "signals": {"s": {"each": "tap", "add": {"heat": 8}}},
        "facts": {
            "taps": {"count": "tap", "within": "1d"},
            "warm": {"count": "look", "where": "heat <= 4 and taps == 0"},
            "hot": {"count": "look", "where": "heat > 4 or taps > 0"},
        },
    }
    arrived = [at(START, "tap"), at(START + DAY - 1, "look"), at(START + DAY, "look"), at(START, "look")]
    assert known(parts, arrived) == {"heat": 4, "taps": 0, "warm": 2, "hot": 1}
