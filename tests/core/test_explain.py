"""What is told of a customer: comparisons of each kind, worked out by hand; guards, limits, and what time does."""

import pytest

from stream.core.explain import explain
from stream.core.explanation.explanation import Compared, Explained, Explanation, Full, Guard, Joined, LedgerNow, UsedUp
from tests.core.subject import SECOND, Subject, lifecycle
from tests.kit.times import DAY, HOUR, T0

BASE = """
interactions: {{visit: [page], order: [Order Completed], refund: [Order Refunded]}}
scores: {{interest: {{half_life: 14d, max: 100}}, value: {{}}}}
signals:
  looked: {{each: visit, add: {{interest: 5}}}}
  spent: {{each: order, add: {{value: properties.total}}}}
facts:
  orders: {{count: order, minus: refund}}
  revenue: {{sum: properties.total, each: order}}
  busy: {{count: visit, within: 7d}}
  first_order: {{first: order}}
  last_order: {{last: order}}
  country: {{latest: properties.country}}
  seats: {{latest: properties.seats}}
  trial_end: {{latest_time: properties.ends}}
  last_refund: {{last: refund}}
bands:
  grade: {{value: {{A: 500, B: }}, interest: {{1: 50, 2: }}}}
stages: {{visitor: {{}}, customer: {{title: Customer, channels: [email], actions: [call]}}}}
transitions:
  - {{from: visitor, to: customer, when: '({condition}) and {never}'}}
"""


def shown(condition: str, later: int = DAY) -> Explanation:
    """Of a customer who viewed a page, ordered for 40 with all properties, and was seen no more for a day."""
    never = "idle >= 900d" if "in_stage" in condition else "in_stage >= 900d"
    subject = Subject(lifecycle(BASE.format(condition=condition.replace("'", "''"), never=never)))
    subject.sees(T0 - HOUR, "page")
    end = {"country": "DE", "seats": "12", "ends": T0 + 10 * DAY}
    subject.sees(T0, "Order Completed", {"total": 40, **end})
    return told(subject, T0 + later)


def told(subject: Subject, at: int) -> Explanation:
    assert subject.customer is not None
    (found,) = explain(subject.model, subject.customer, at)
    return found


def part(condition: str, later: int = DAY) -> Explained:
    (way,) = shown(condition, later).ways_out
    assert isinstance(way.condition, Joined)
    return way.condition.parts[0]


def compared(condition: str, later: int = DAY) -> Compared:
    """The comparison, out of its `not` where it stands under one."""
    found = part(condition, later)
    if isinstance(found, Joined):
        assert found.kind == "not"
        (found,) = found.parts
    assert isinstance(found, Compared)
    return found


@pytest.mark.parametrize(
    ("condition", "value", "operator", "needs", "missing"),
    [
        ("orders >= 3", 1, ">=", 3, 2),
        ("orders > 3", 1, ">", 3, 3),
        ("orders < 1", 1, "<", 1, -1),
        ("orders <= 0", 1, "<=", 0, -1),
        ("orders == 5", 1, "==", 5, 4),
        ("orders >= 1.5", 1, ">=", 1.5, 1),
        ("3 <= orders", 1, ">=", 3, 2),
        ("orders in [4, 7]", 1, "in", (4, 7), 3),
        ("orders > seats", 1, ">", "12", 12),
        ("revenue >= 99.5", 40.0, ">=", 99.5, 59.5),
        ("value >= 41.5", 40.0, ">=", 41.5, 1.5),
        ("busy >= 3", 1, ">=", 3, 2),
        ("busy == 0", 1, "==", 0, -1),
        ("seats >= 20", "12", ">=", 20, 8),
        ("since(last_order) >= 90d", DAY, ">=", 90 * DAY, 89 * DAY),
        ("since(last_order) > 90d", DAY, ">", 90 * DAY, 89 * DAY + 1),
        ("since(last_order) < 1h", DAY, "<", HOUR, HOUR - 1 - DAY),
        ("idle >= 3d", DAY, ">=", 3 * DAY, 2 * DAY),
        ("in_stage >= 2d", DAY + HOUR, ">=", 2 * DAY, DAY - HOUR),
        ("until(trial_end) <= 7d", 9 * DAY, "<=", 7 * DAY, -2 * DAY),
        ("until(trial_end) >= 20d", 9 * DAY, ">=", 20 * DAY, 11 * DAY),
        ("first_order < last_order", T0, "<", T0, -1),
    ],
)
def test_a_number_that_is_not_enough_says_how_much_is_missing(condition, value, operator, needs, missing):
    found = compared(condition)
    assert (found.value, found.operator, found.needs, found.missing) == (value, operator, needs, missing)
    assert found.holds is False
    assert found.wanted
    assert found.decisive


@pytest.mark.parametrize(("condition", "value", "bound"), [("revenue > 40", 40.0, 40), ("value > 41.1", 40.0, 41.1)])
def test_more_than_a_number_is_missing_up_to_the_next_number_there_is(condition, value, bound):
    found = compared(condition)
    assert found.missing is not None
    assert value + found.missing > bound
    assert found.missing == pytest.approx(bound - value)
    falling = compared(f"not ({condition.replace('>', '<=')})")
    assert falling.missing == found.missing


def test_less_than_a_number_is_too_much_by_down_to_the_number_before():
    found = compared("revenue < 0.3")
    assert found.missing is not None
    assert 40.0 + found.missing < 0.3
    assert found.missing == pytest.approx(-39.7)
    assert compared("revenue != 40").missing is None, "any change will do"


def test_a_score_is_the_one_at_the_present():
    """The 5 points of a page view have halved after 14 days."""
    found = compared("interest >= 50", later=14 * DAY - HOUR)
    assert found.value == pytest.approx(2.5)
    assert found.missing == pytest.approx(47.5)
    assert found.name == "interest"


@pytest.mark.parametrize(
    ("condition", "unit", "value", "needs"),
    [
        ('country == "FR"', "text", "DE", "FR"),
        ('country in ["FR", "AT"]', "text", "DE", ("FR", "AT")),
        ('country starts "F"', "text", "DE", "F"),
        ('lower(country) == "fr"', "text", "de", "fr"),
        ('stage == "customer"', "text", "visitor", "customer"),
        ("country > 3", "text", "DE", 3),
        ("exists(last_refund)", "boolean", False, True),
        ("since(last_refund) >= 1d", "duration", None, DAY),
    ],
)
def test_what_no_number_decides_has_a_value_and_nothing_missing(condition, unit, value, needs):
    found = compared(condition)
    assert (found.unit, found.value, found.needs, found.missing) == (unit, value, needs, None)
    assert found.holds is False


@pytest.mark.parametrize(
    "condition", ["orders >= 1", "identified", 'country != "FR"', "idle < 30d", 'grade starts "B"']
)
def test_what_holds_misses_nothing_and_is_not_decisive(condition):
    found = compared(condition)
    assert found.holds is True
    assert (found.missing, found.by_time, found.decisive) == (None, None, False)


@pytest.mark.parametrize(
    "condition",
    [
        'event.type == "order"',
        'event.name == "Order Completed"',
        "properties.total >= 99.5",
        'properties["unit price"] > 10',
        'context.device.type == "mobile"',
        '"vip" in properties.tags',
        "orders < properties.limit",
        'lower(properties.title) contains "manager"',
        "properties.gift",
        "exists(properties.gift)",
    ],
)
def test_what_needs_an_interaction_is_not_known_without_one(condition):
    """Not under `not` either, and the transition waits for it."""
    for found in (compared(condition), compared(f"not ({condition})")):
        assert (found.text, found.holds, found.missing, found.by_time) == (condition, None, None, None)
        assert found.decisive


def test_a_comparison_of_the_customer_with_the_interaction_shows_the_side_that_is_known():
    assert compared("orders < properties.limit").value == 1
    assert (found := compared("properties.total >= 99.5")).value is None
    assert found.needs == 99.5


def test_under_not_it_is_said_what_has_to_stop_holding():
    found = compared("not (orders < 3)")
    assert (found.text, found.wanted, found.holds, found.missing) == ("orders < 3", False, True, 2)
    assert found.decisive
    found = compared("not identified")
    assert (found.text, found.value, found.wanted, found.holds, found.missing) == (
        "identified",
        True,
        False,
        True,
        None,
    )


def test_the_author_s_own_words_and_spaces_are_kept():
    assert compared("orders   >=  3").text == "orders   >=  3"
    assert compared('"FR" == country').text == '"FR" == country'
    assert compared("since( last_order )>=12960h").text == "since( last_order )>=12960h"


def decisive(found: Explained) -> list[str]:
    if isinstance(found, Compared):
        return [found.text] if found.decisive else []
    return [text for each in found.parts for text in decisive(each)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("orders >= 3 and revenue >= 50 and identified", ["orders >= 3", "revenue >= 50"]),
        ("orders >= 3 or revenue >= 50", ["revenue >= 50"]),
        ("revenue >= 41 or orders >= 3", ["revenue >= 41"]),
        ('country == "FR" or value >= 400', ["value >= 400"]),
        ("orders >= 10 or (revenue >= 50 and value >= 50)", ["revenue >= 50", "value >= 50"]),
        ("orders >= 2 or (revenue >= 80 and value >= 80)", ["orders >= 2"]),
        ("not (orders < 3 or revenue < 50)", ["orders < 3", "revenue < 50"]),
        ("not (orders < 3 and revenue < 50)", ["revenue < 50"]),
        ("orders >= 1 or revenue >= 50", []),
        ('event.type == "order" and orders >= 2', ['event.type == "order"', "orders >= 2"]),
        ('event.type == "order" or orders >= 2', ["orders >= 2"]),
    ],
)
def test_decisive_is_all_that_lacks_where_all_is_needed_and_the_nearest_where_one_is_enough(condition, expected):
    assert decisive(part(condition)) == expected


def test_a_tree_has_the_shape_of_the_condition():
    found = part("not (orders >= 3 and identified) or idle < 3d")
    assert isinstance(found, Joined)
    assert (found.kind, found.holds) == ("any", True)
    negated, idle = found.parts
    assert isinstance(negated, Joined)
    assert (negated.kind, negated.holds) == ("not", True)
    (both,) = negated.parts
    assert isinstance(both, Joined)
    assert (both.kind, both.holds, len(both.parts)) == ("all", False, 2)
    assert isinstance(idle, Compared)


def test_a_band_is_told_as_it_is_written_with_the_scores_that_it_stands_for():
    found = compared('grade == "A2"')
    assert (found.text, found.name, found.value, found.needs, found.holds) == (
        *('grade == "A2"', "grade", "B2", "A2"),
        False,
    )
    assert isinstance(found.scores, Joined)
    high, low = found.scores.parts
    assert isinstance(high, Compared)
    assert isinstance(low, Compared)
    assert (high.text, high.value, high.missing, high.decisive) == ("value >= 500", 40.0, 460.0, True)
    assert (low.text, low.holds, low.decisive) == ("interest < 50", True, False)


def test_a_negated_band_is_a_not_of_what_is_written():
    found = part('not (grade in ["B2", "B1"])')
    assert isinstance(found, Joined)
    assert (found.kind, found.holds, found.decisive) == ("not", False, True)
    (band,) = found.parts
    assert isinstance(band, Compared)
    assert (band.text, band.holds, band.wanted) == ('grade in ["B2", "B1"]', True, False)
    assert isinstance(band.scores, Joined)
    assert (band.scores.kind, band.scores.holds) == ("not", True)
    (high,) = band.scores.parts
    assert isinstance(high, Compared)
    assert (high.text, high.missing, high.decisive) == ("value >= 500", 460.0, True)


def test_a_comparison_tells_when_time_alone_turns_it():
    assert compared("since(last_order) >= 90d").by_time == T0 + 90 * DAY
    assert compared("until(trial_end) < 7d").by_time == T0 + 3 * DAY + 1
    assert compared("busy == 0").by_time == T0 - HOUR + 7 * DAY
    assert compared("not (idle < 3d)").by_time == T0 + 3 * DAY
    assert compared("interest <= 2.5").by_time == T0 - HOUR + 14 * DAY
    assert compared("since(last_order) < 1h").by_time is None
    assert compared("orders >= 3").by_time is None


def test_scores_facts_stage_and_life_are_told_as_a_stage_change_tells_them():
    found = shown("orders >= 3")
    assert (found.kind, found.subject, found.identified) == ("customer", "c1", True)
    assert (found.lifecycle, found.version, found.stage, found.stage_title) == ("shop", 1, "visitor", "visitor")
    assert (found.entered, found.born, found.sequence) == (T0 - HOUR, "0-0", 1)
    assert (found.clock, found.at) == (T0, T0 + DAY)
    assert found.scores["value"] == 40.0
    assert [(each.signal, each.points, each.count) for each in found.contributions["value"]] == [("spent", 40.0, 1)]
    assert found.facts["orders"] == 1
    assert found.facts["last_order"] == T0
    assert found.times == ("first_order", "last_order", "trial_end", "last_refund")
    assert found.forgotten is None


GUARDED = lifecycle("""
signals: {}
facts: {orders: {count: order}, calm: {count: noise, within: 1d}}
stages: {new: {}, buyer: {title: Buyer}}
transitions:
  - {from: new, to: buyer, when: orders >= 1, hold: 3d}
  - {from: buyer, to: new, when: calm >= 1, at_most_every: 10d}
""")


def test_hold_tells_since_when_the_condition_holds_and_until_when_it_has_to():
    subject = Subject(GUARDED)
    subject.sees(T0, "order")
    (way,) = told(subject, T0 + DAY).ways_out
    assert way.holds is False
    assert way.condition.holds is True
    assert way.guards == (Guard("hold", 3 * DAY, False, T0, T0 + 3 * DAY),)
    assert way.by_time == T0 + 3 * DAY


def test_a_condition_that_does_not_hold_yet_has_no_since():
    subject = Subject(GUARDED)
    subject.sees(T0, "hello")
    (way,) = told(subject, T0 + DAY).ways_out
    assert way.guards == (Guard("hold", 3 * DAY, False, None, None),)
    assert way.by_time is None


def test_a_condition_that_time_made_hold_since_the_clock_is_held_from_then_on():
    held = lifecycle("""
    stages: {new: {}, asleep: {}}
    transitions:
      - {from: new, to: asleep, when: idle >= 3d, hold: 2d}
    """)
    subject = Subject(held)
    subject.sees(T0, "hello")
    (way,) = told(subject, T0 + 4 * DAY).ways_out
    assert way.guards == (Guard("hold", 2 * DAY, False, T0 + 3 * DAY, T0 + 5 * DAY),)
    assert (way.holds, way.by_time) == (False, T0 + 5 * DAY)


def test_at_most_every_tells_until_when_it_holds_the_transition_back():
    subject = Subject(GUARDED)
    subject.sees(T0, "order")
    subject.waits(T0 + 3 * DAY)
    subject.sees(T0 + 4 * DAY, "noise")
    assert subject.stage() == "new"
    subject.waits(T0 + 8 * DAY)
    assert subject.stage() == "buyer"
    subject.sees(T0 + 9 * DAY, "noise")
    found = told(subject, T0 + 9 * DAY + HOUR)
    (way,) = found.ways_out
    assert way.condition.holds is True
    assert way.holds is False
    assert way.guards == (Guard("at_most_every", 10 * DAY, False, T0 + 4 * DAY, T0 + 14 * DAY),)
    assert found.by_time is None, "until then it is calm again"


MOVING = lifecycle("""
facts: {last_order: {last: order}}
stages: {new: {}, resting: {}, asleep: {title: Asleep}}
transitions:
  - {from: new, to: resting, when: since(last_order) >= 30d}
  - {from: resting, to: asleep, when: idle >= 20d}
""")


def test_time_alone_may_pass_a_customer_through_a_stage_to_another():
    subject = Subject(MOVING)
    subject.sees(T0, "order")
    found = told(subject, T0 + DAY).by_time
    assert found is not None
    assert (found.at, found.target, found.title) == (T0 + 30 * DAY, "asleep", "Asleep")
    assert [(each.source, each.target, each.transition) for each in found.passages] == [
        ("new", "resting", "since(last_order) >= 30d"),
        ("resting", "asleep", "idle >= 20d"),
    ]


def test_a_move_that_is_due_and_not_made_yet_is_told_with_its_own_time():
    subject = Subject(MOVING)
    subject.sees(T0, "order")
    found = told(subject, T0 + 40 * DAY)
    assert found.stage == "new"
    assert found.by_time is not None
    assert found.by_time.at == T0 + 30 * DAY


def test_who_is_forgotten_before_moves_nowhere():
    subject = Subject(MOVING, kind="anonymous", forget_after=10 * DAY)
    subject.sees(T0, "order")
    found = told(subject, T0)
    assert (found.by_time, found.forgotten) == (None, T0 + 10 * DAY)


def test_what_is_no_sign_of_life_puts_off_nothing():
    subject = Subject(
        lifecycle("""
        passive: [mail]
        stages: {new: {}, old: {}}
        transitions:
          - {from: new, to: old, when: in_stage >= 12d}
        """),
        kind="anonymous",
        forget_after=10 * DAY,
    )
    subject.sees(T0, "hello")
    subject.sees(T0 + 5 * DAY, "mail")
    found = told(subject, T0 + 5 * DAY)
    assert (found.by_time, found.forgotten) == (None, T0 + 10 * DAY)


def test_who_moved_by_time_as_often_as_may_be_waits_for_an_interaction():
    """Two stages that time sends it to and fro between, each millisecond."""
    to_and_fro = lifecycle("""
    stages: {a: {}, b: {}}
    transitions:
      - {from: a, to: b, when: in_stage >= 1s}
      - {from: b, to: a, when: in_stage >= 1s}
    """)
    subject = Subject(to_and_fro)
    subject.sees(T0, "hello")
    assert told(subject, T0).stopped is None
    subject.waits(T0 + 64 * SECOND)
    found = told(subject, T0 + 64 * SECOND)
    assert (found.stopped, found.by_time) == ("waits", None)
    subject.sees(T0 + 65 * SECOND, "hello")
    assert told(subject, T0 + 65 * SECOND).stopped is None


def test_of_a_quarantined_customer_no_deadline_is_fired():
    subject = Subject(MOVING, forget_identified_after=90 * DAY)
    subject.sees(T0, "order")
    assert subject.customer is not None
    subject.customer.quarantined = True
    found = told(subject, T0)
    assert (found.stopped, found.by_time, found.forgotten) == ("quarantined", None, None)


def test_signals_that_may_count_no_more_say_until_when():
    limited = lifecycle("""
    time_zone: Europe/Berlin
    scores: {heat: {}}
    signals:
      first: {each: visit, add: {heat: 1}, once: true}
      hourly: {each: visit, add: {heat: 1}, at_most: {times: 2, per: 1h}}
      daily: {each: visit, add: {heat: 1}, at_most: {times: 2, per: day}}
      cool: {each: visit, add: {heat: 1}, at_most: {times: 2, within: 3h}}
      often: {each: visit, add: {heat: 1}, at_most: {times: 9, per: 1h}}
      pages: {each: visit, add: {heat: 1}, once: properties.page}
    """)
    subject = Subject(limited)
    start = 1_795_341_600_000  # 2026-11-22T10:00:00Z
    for minute in (0, 20, 40):
        subject.sees(start + minute * 60 * SECOND, "visit", {"page": "/"})
    assert told(subject, start + HOUR // 4 * 3).used_up == (
        UsedUp("first", "once", None),
        UsedUp("hourly", "at most 2 per 1h", start + HOUR),
        UsedUp("daily", "at most 2 per day", start + 13 * HOUR),
        UsedUp("cool", "at most 2 within 3h", start + 3 * HOUR),
    )
    assert [each.signal for each in told(subject, start + 3 * HOUR - 1).used_up] == ["first", "daily", "cool"]
    assert [each.signal for each in told(subject, start + 3 * HOUR).used_up] == ["first", "daily"]
    assert [each.signal for each in told(subject, start + 13 * HOUR).used_up] == ["first"]


def test_what_keeps_no_more_entries_says_so_while_it_may_have_dropped_some_that_would_count():
    keeping = lifecycle("""
    scores: {heat: {}}
    ledgers:
      bought: {each: order, by: properties.id, amount: properties.sum, keep: 2, minus: refund, returned: properties.b}
    signals: {up: {each: visit, add: {heat: 1}, expires: 10d, keep: 3}}
    facts:
      busy: {count: visit, within: 5d, keep: 2}
      spent: {sum: properties.sum, each: order, within: 5d, keep: 4}
      bought_count: {count: bought}
    """)
    subject = Subject(keeping)
    for day in range(4):
        subject.sees(T0 + day * DAY, "visit")
        subject.sees(T0 + day * DAY, "order", {"id": f"o{day}", "sum": 10})
    assert told(subject, T0 + 4 * DAY).full == (
        Full("signal", "up", 3, T0 + DAY, None),
        Full("fact", "busy", 2, T0 + 2 * DAY, None),
        Full("fact", "spent", 4, T0, None),
        Full("ledger", "bought", 2, T0 + 2 * DAY, 2),
    )
    assert [each.name for each in told(subject, T0 + 11 * DAY).full] == ["bought"]
    subject.sees(T0 + 4 * DAY, "refund", {"id": "o3", "b": 4})
    subject.sees(T0 + 4 * DAY, "refund", {"id": "o9", "b": 4})
    assert told(subject, T0 + 4 * DAY).ledgers == (LedgerNow("bought", 4, 36.0, 2, 1),)


def test_each_life_has_its_own_explanation_and_who_has_none_yet_in_a_lifecycle_none_there():
    one = lifecycle("stages: {a: {}}", "one")
    subject = Subject(one)
    subject.sees(T0, "hello")
    two = Subject(one, lifecycle("stages: {b: {}}", "two"))
    two.customer = subject.customer
    assert two.customer is not None
    two.customer.by_place.append(None)
    assert [each.lifecycle for each in explain(two.model, two.customer, T0)] == ["one"]
    two.sees(T0, "hello")
    assert [each.lifecycle for each in explain(two.model, two.customer, T0)] == ["one", "two"]
