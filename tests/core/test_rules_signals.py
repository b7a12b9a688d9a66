"""Rule 6, signals: where, once and at_most."""

import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFileError
from tests.core.subject import Subject, lifecycle
from tests.kit.lives import windows_of as kept_windows
from tests.kit.times import DAY, HOUR, T0


def counting(signal: str) -> Subject:
    """A subject whose score counts a signal: one point each time."""
    return Subject(
        lifecycle(f"scores: {{points: {{}}}}\nsignals: {{s: {{each: visit, add: {{points: 1}}, {signal}}}}}")
    )


def windows_of(subject: Subject) -> list[tuple[int, int]]:
    """The windows that are kept of the one capped signal."""
    (windows,) = kept_windows(subject.life())
    return windows


def test_an_interaction_may_match_several_signals_and_a_signal_several_words() -> None:
    """Each adds its own points, also to several scores."""
    text = """
        scores: {a: {}, b: {}}
        signals:
          one: {each: visit, add: {a: 1, b: 10}}
          two: {each: [form, visit], add: {a: 2}}
          three: {each: form, add: {b: 20}}
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit")
    assert (subject.score("a"), subject.score("b")) == (3, 10)
    subject.sees(0, "form")
    assert (subject.score("a"), subject.score("b")) == (5, 30)


def test_where_decides_by_the_interaction() -> None:
    """By its properties, its context, its word and its name."""
    where = """where: 'properties.path == "/pricing" and context.device == "phone" and event.name == "page"'"""
    text = f"""
        interactions: {{visit: [page]}}
        scores: {{points: {{}}}}
        signals: {{s: {{each: visit, add: {{points: 1}}, {where}}}}}
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "page", {"path": "/pricing"}, context={"device": "phone"})
    subject.sees(0, "visit", {"path": "/pricing"}, context={"device": "phone"})
    subject.sees(0, "page", {"path": "/pricing"})
    subject.sees(0, "page", {"path": "/"}, context={"device": "phone"})
    assert subject.score("points") == 1


@pytest.mark.parametrize(
    "where",
    [
        "points > 1",
        "f > 1",
        "identified",
        'stage == "start"',
        "idle > 1d",
        "in_stage > 1d",
        "since(t) > 1d",
        "exists(t)",
    ],
)
def test_where_of_a_ledger_sees_the_interaction_only(where: str) -> None:
    """What is known of the customer is refused at load."""
    with pytest.raises(LifecycleFileError, match="`where` of a ledger sees the interaction only"):
        lifecycle(f"""
            scores: {{points: {{}}}}
            ledgers: {{bought: {{each: order, where: '{where}'}}}}
            signals: {{s: {{each: visit, add: {{points: 1}}}}}}
            facts: {{f: {{count: visit}}, t: {{first: visit}}}}
        """)


def test_a_where_sees_the_customer_before_the_interaction_is_applied() -> None:
    """Also what an earlier signal, a fact and `idle` make of it; lengths of time end at the interaction's own time."""
    subject = Subject(
        lifecycle("""
            scores: {heat: {}}
            ledgers: {bought: {each: order, amount: properties.total}}
            facts:
              orders: {count: bought}
              last_mail: {last: mailed}
              seldom: {count: visit, where: idle >= 1h}
              known: {count: visit, where: identified and stage == "start"}
            signals:
              first: {each: visit, add: {heat: 1}, where: heat == 0}
              second: {each: visit, add: {heat: 10}, where: heat == 1}
              click: {each: click, add: {heat: 100}, where: since(last_mail) >= 30s}
              again: {each: order, add: {heat: 1000}, where: orders >= 1}
        """)
    )
    subject.sees(T0, "visit")
    assert (subject.score("heat"), subject.fact("seldom"), subject.fact("known")) == (1, 0, 1)
    subject.sees(T0 + HOUR, "visit")
    assert (subject.score("heat"), subject.fact("seldom")) == (11, 1)
    subject.sees(T0 + 2 * HOUR, "mailed")
    subject.sees(T0 + 2 * HOUR + 29_999, "click")
    subject.sees(T0 + 3 * HOUR, "visit")
    subject.sees(T0 + 2 * HOUR + 29_999, "click")  # late, and as soon after the mail
    assert subject.score("heat") == 11
    subject.sees(T0 + 2 * HOUR + 30_000, "click")
    assert subject.score("heat") == 111
    subject.sees(T0 + 3 * HOUR, "order", {"total": 5})
    subject.sees(T0 + 3 * HOUR, "order", {"total": 5})
    assert subject.score("heat") == 1_111


def test_once_counts_once_for_ever() -> None:
    """Ten years later it still does not count again, and an earlier one that comes late neither."""
    subject = counting("once: true")
    for time in (T0, T0, T0 + 3650 * DAY, T0 - DAY):
        subject.sees(time, "visit")
    assert (subject.score("points"), list(subject.life().counts)) == (1, [1])


def test_once_that_matched_and_added_nothing_is_used_up() -> None:
    """The first interaction has no total: the second one is too late."""
    subject = Subject(
        lifecycle("""
        scores: {points: {}}
        signals: {s: {each: visit, add: {points: properties.total}, once: true}}
    """)
    )
    subject.sees(0, "visit")
    subject.sees(0, "visit", {"total": 5})
    assert subject.score("points") == 0


def test_what_where_refuses_uses_nothing_up() -> None:
    """Neither once nor at_most."""
    for cap in ("once: true", "at_most: {times: 1, per: 1d}"):
        subject = counting(f"where: properties.ok, {cap}")
        subject.sees(0, "visit")
        subject.sees(0, "visit", {"ok": True})
        assert subject.score("points") == 1


def test_at_most_counts_the_first_to_arrive_in_each_window() -> None:
    """Two a day; the days are on the grid of the epoch, not since the first visit.

    day 0 .....v.v.v|day 1 v.v.v
    """
    subject = counting("at_most: {times: 2, per: 1d}")
    counted = []
    for time in (DAY - 3, DAY - 2, DAY - 1, DAY, DAY + 1, DAY + 2, 2 * DAY - 1, 2 * DAY):
        subject.sees(time, "visit")
        counted.append(subject.score("points"))
    assert counted == [1, 2, 2, 3, 4, 4, 4, 5]
    assert subject.step_counts.signals == {("shop", "s"): 5}


def test_at_most_goes_by_arrival_within_a_window() -> None:
    """The points of the earliest do not count where it is the last to come."""
    subject = Subject(
        lifecycle("""
        scores: {points: {}}
        signals: {s: {each: visit, add: {points: properties.n}, at_most: {times: 2, per: 1d}}}
    """)
    )
    for time, amount in ((30, 1), (20, 10), (10, 100)):
        subject.sees(time, "visit", {"n": amount})
    assert subject.score("points") == 11


def test_windows_before_the_epoch_lie_on_the_same_grid() -> None:
    """-1 ms is in another day than 0, and in the same as -24 h."""
    subject = counting("at_most: {times: 1, per: 1d}")
    counted = []
    for time in (-DAY - 1, -DAY, -1, 0):
        subject.sees(time, "visit")
        counted.append(subject.score("points"))
    assert counted == [1, 2, 2, 3]
    assert windows_of(subject) == [(-1, 1), (0, 1)]


def test_a_late_interaction_counts_in_its_own_window_where_there_is_room() -> None:
    """Day 0 has one of two, day 1 is full.

    day 0   v......v (late)  v (late, full)
    day 1   vv
    """
    subject = counting("at_most: {times: 2, per: 1d}")
    counted = []
    for time in (0, DAY, DAY, DAY, 5, 6):
        subject.sees(time, "visit")
        counted.append(subject.score("points"))
    assert counted == [1, 2, 3, 3, 4, 4]


def test_of_windows_the_two_latest_in_which_something_counted_are_kept() -> None:
    """Older ones are closed, one between the two is not, and then closes the older.

    arrives   0  1  3   0 no   2 yes   1 no   3 no (full)   4 yes   2 no   3 no (still full)
    """
    subject = counting("at_most: {times: 1, per: 1d}")
    steps = [(0, 1), (1, 2), (3, 3), (0, 3), (2, 4), (1, 4), (3, 4), (4, 5), (2, 5), (3, 5)]
    for day, points in steps:
        subject.sees(day * DAY, "visit")
        assert subject.score("points") == points, day
    assert windows_of(subject) == [(3, 1), (4, 1)]


def test_with_one_window_kept_an_older_one_still_counts() -> None:
    """Only the third is older than the two latest."""
    subject = counting("at_most: {times: 1, per: 1d}")
    counted = []
    for day in (9, 2, 1):
        subject.sees(day * DAY, "visit")
        counted.append(subject.score("points"))
    assert counted == [1, 2, 2]
    assert windows_of(subject) == [(2, 1), (9, 1)]


def test_at_most_is_used_up_where_points_add_nothing() -> None:
    """One a day: the one without a total was it."""
    subject = Subject(
        lifecycle("""
        scores: {points: {}}
        signals: {s: {each: visit, add: {points: properties.n}, at_most: {times: 1, per: 1d}}}
    """)
    )
    subject.sees(0, "visit")
    subject.sees(0, "visit", {"n": 5})
    subject.sees(DAY, "visit", {"n": 5})
    assert subject.score("points") == 5


def test_each_signal_has_windows_of_its_own() -> None:
    """An uncapped and a once signal between two capped ones."""
    subject = Subject(
        lifecycle("""
        scores: {points: {}}
        signals:
          a: {each: visit, add: {points: 1}, at_most: {times: 1, per: 1d}}
          b: {each: visit, add: {points: 10}}
          c: {each: visit, add: {points: 100}, once: true}
          d: {each: visit, add: {points: 1000}, at_most: {times: 2, per: 2d}}
    """)
    )
    for time in (0, 1, DAY):
        subject.sees(time, "visit")
    assert kept_windows(subject.life()) == [[(0, 1), (1, 1)], [(0, 2)]]
    assert subject.score("points") == 2 + 30 + 100 + 2000


def test_once_and_at_most_do_not_go_together() -> None:
    """Refused at load."""
    with pytest.raises(LifecycleFileError, match="once and at_most do not go together"):
        counting("once: true, at_most: {times: 1, per: 1d}")


def test_facts_are_never_capped() -> None:
    """The signal counts once, the fact every time."""
    subject = Subject(
        lifecycle("""
        scores: {points: {}}
        signals: {s: {each: visit, add: {points: 1}, once: true}}
        facts: {visits: {count: visit}}
    """)
    )
    for time in range(3):
        subject.sees(time, "visit")
    assert (subject.score("points"), subject.fact("visits")) == (1, 3)
