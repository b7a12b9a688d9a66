"""Rules 16, 17 and 20 to 25: computed numbers, lists, limits, points that expire, latest values, reset and floor."""

import pytest

from stream.core.stage_change import StageChange
from tests.core.subject import Subject, lifecycle
from tests.kit.times import DAY, HOUR, T0


def shop(body: str) -> Subject:
    return Subject(lifecycle("interactions: {visit: [page], buy: [Order Completed]}\n" + body))


def contributions(change: StageChange, score: str) -> list[tuple[str, float, int]]:
    return [(each.signal, each.points, each.count) for each in change.contributions[score]]


@pytest.mark.parametrize(
    ("formula", "properties", "points"),
    [
        ("properties.a * properties.b", {"a": 2, "b": 3}, 6),
        ("properties.a * 0.1", {"a": "12.5"}, 1.25),
        ("-properties.a", {"a": 4}, -4),
        ("- 2 * properties.a", {"a": 4}, -8),
        ('properties["a*b"] * 3', {"a*b": 2}, 6),
        ("properties.a * properties.b", {"a": 1e200, "b": 1e-199}, 10),
        ("properties.a * properties.b", {"a": 1e14, "b": 100}, 0),
        ("properties.a * properties.b", {"a": 5}, 0),
        ("properties.a * properties.b", {"a": 5, "b": True}, 0),
        ("properties.a", {"a": 1e15}, 0),
    ],
)
def test_computed_numbers(formula, properties, points):
    subject = shop(f"scores: {{heat: {{}}}}\nsignals: {{s: {{each: visit, add: {{heat: '{formula}'}}}}}}")
    subject.sees(T0, "page", properties)
    assert subject.score("heat") == points
    assert subject.step_counts.wrong_types == ({} if points else {("shop", "s"): 1})


LINES = """
scores: {heat: {}}
signals:
  line: {each: buy, over: properties.products, add: {heat: item.price * item.quantity}, at_most: {times: 3, per: 1d}}
facts:
  coffee: {sum: item.price * item.quantity, each: buy, over: properties.products, where: item.category == "coffee"}
  all: {sum: item.price, each: buy, over: properties.products}
  lines: {count: buy, over: properties.products}
  tags: {count: buy, over: properties.tags, where: item == "x"}
"""


def test_a_rule_over_a_list_applies_to_each_element():
    """C4: coffee 60, and all lines; elements that are no objects, and nulls, are elements."""
    subject = shop(LINES)
    products = [{"category": "coffee", "price": 20, "quantity": 3}, {"category": "tea", "price": 9.5, "quantity": 1}]
    subject.sees(T0, "Order Completed", {"products": products, "tags": ["x", None, "y", "x"]})
    assert (subject.fact("coffee"), subject.fact("all"), subject.fact("lines")) == (60, 29.5, 2)
    assert (subject.fact("tags"), subject.score("heat"), list(subject.life().counts)) == (2, 69.5, [2])
    subject.sees(T0, "Order Completed", {"products": products})
    assert list(subject.life().counts) == [3]  # at most three elements a day
    for nothing in (None, {}, "x", [], [None, 3]):
        subject.sees(T0, "Order Completed", {"products": nothing})
    assert (subject.fact("all"), subject.fact("lines")) == (59, 4 + 2)


def test_the_first_thousand_elements_are_looked_at_and_the_rest_counted():
    subject = shop(LINES)
    subject.sees(T0, "Order Completed", {"products": [{"price": 1, "quantity": 0}] * 1_003})
    assert (subject.fact("lines"), subject.fact("all")) == (1_000, 1_000)
    assert subject.step_counts.long_lists["shop", "lines"] == 3


def test_a_cool_down_is_measured_from_what_counted_before_or_after():
    subject = shop("scores: {heat: {}}\nsignals: {s: {each: visit, add: {heat: 5}, at_most: {times: 1, within: 1h}}}")
    for minutes, counted in ((0, 1), (15, 1), (60, 2), (119, 2), (120, 3), (59, 3), (-60, 4), (-1, 4), (-120, 5)):
        subject.sees(T0 + minutes * 60_000, "page")
        assert list(subject.life().counts) == [counted], minutes


def test_a_cool_down_keeps_20_times():
    subject = shop("scores: {heat: {}}\nsignals: {s: {each: visit, add: {heat: 1}, at_most: {times: 1, within: 1h}}}")
    for hour in range(20):
        subject.sees(T0 + hour * HOUR, "page")
    subject.sees(T0 - HOUR, "page")  # before all that are kept
    assert list(subject.life().counts) == [20]
    subject.sees(T0 + 20 * HOUR, "page")
    subject.sees(T0, "page")
    assert list(subject.life().counts) == [21]


def test_once_for_each_value():
    subject = shop("scores: {heat: {}}\nsignals: {s: {each: visit, add: {heat: 1}, once: properties.form}}")
    for form in ("a", "a", 7, "7", 7.5, True, "true", None, "", [1], {"a": 1}):
        subject.sees(T0, "page", {"form": form})
    assert subject.score("heat") == 5
    subject.sees(T0, "page")
    for number in range(100, 164):
        subject.sees(T0, "page", {"form": number})
    subject.sees(T0, "page", {"form": "a"})
    assert subject.score("heat") == 5 + 64 + 1


def test_points_expire_to_the_millisecond():
    """C6: a click counts 180 days; two expire each by itself."""
    subject = shop("""
scores: {heat: {}}
signals: {s: {each: visit, add: {heat: 2}, expires: 180d}}
stages: {cold: {}, warm: {}, hot: {}}
transitions:
  - {from: cold, to: warm, when: heat == 2}
  - {from: warm, to: hot, when: "heat in [4, 6]"}
  - {from: hot, to: warm, when: heat < 4}
  - {from: warm, to: cold, when: not (heat > 0)}
""")
    subject.sees(T0, "page")
    subject.sees(T0 + 1, "page")
    assert (subject.stage(), subject.next_due()) == ("hot", T0 + 180 * DAY)
    subject.waits(T0 + 181 * DAY)
    assert [(each.to_stage, each.at) for each in subject.changes[-2:]] == [
        ("warm", T0 + 180 * DAY),
        ("cold", T0 + 180 * DAY + 1),
    ]
    assert [contributions(change, "heat") for change in subject.changes[-2:]] == [[("s", 2.0, 2)], [("s", 0.0, 2)]]


def test_of_points_that_expire_the_largest_times_are_kept_and_what_is_dropped_is_counted():
    subject = shop("scores: {heat: {}}\nsignals: {s: {each: visit, add: {heat: 1}, expires: 10d, keep: 3}}")
    for hour in (1, 2, 3, 0, 4):
        subject.sees(T0 + hour * HOUR, "page")
    assert (subject.score("heat"), subject.step_counts.lost_points) == (3, {("shop", "s"): 2})
    subject.sees(T0 - 20 * DAY, "page")  # over when it comes: it takes nobody's place
    assert subject.score("heat") == 3
    assert subject.score("heat", T0 + 10 * DAY + 3 * HOUR) == 1


def test_a_rolling_sum_with_minus():
    subject = shop("""
facts: {spent: {sum: properties.total, each: buy, minus: back, within: 30d, keep: 3}}
stages: {start: {}, vip: {}}
transitions: [{from: start, to: vip, when: spent >= 100}]
""")
    subject.sees(T0, "back", {"total": 50})
    subject.sees(T0 + DAY, "Order Completed", {"total": 120})
    assert (subject.fact("spent"), subject.next_due()) == (70, T0 + 30 * DAY)
    subject.waits(T0 + 30 * DAY)
    assert (subject.stage(), subject.fact("spent")) == ("vip", 120)


TITLE = """
scores: {fit: {}}
signals:
  title: {each: profile, latest: lower(properties.title), points: {manager: 3, director: 5, "7": 1, true: 2}, to: fit}
  done: {each: reset, reset: [fit]}
  asked: {each: form, add: {fit: 10}}
"""


def test_points_of_the_latest_value():
    """C5: manager, then director: 5; a late one does not win; null takes them away."""
    subject = shop(TITLE)
    subject.sees(T0, "profile", {"title": "Manager"})
    subject.sees(T0 + 2, "profile", {"title": "DIRECTOR"})
    subject.sees(T0 + 1, "profile", {"title": "Manager"})
    subject.sees(T0 + 3, "profile", {})
    subject.sees(T0 + 3, "profile", {"title": 7})  # lower of no text is no value
    assert subject.score("fit") == 5
    subject.sees(T0 + 2, "profile", {"title": "intern"})
    assert subject.score("fit") == 0
    subject.sees(T0 + 2, "profile", {"title": "manager"})
    subject.sees(T0 + 2, "profile", {"title": None})
    assert subject.score("fit") == 0


def test_a_reset_takes_all_points_and_what_is_not_after_it():
    subject = shop(TITLE)
    subject.sees(T0 + 10, "profile", {"title": "Manager"})
    subject.sees(T0, "form")
    subject.sees(T0 + 5, "reset")
    assert subject.score("fit") == 0
    for time in (T0 + 5, T0 + 4, T0 + 6):
        subject.sees(time, "form")
    assert subject.score("fit") == 10
    subject.sees(T0 + 6, "profile", {"title": "director"})  # the title of T0 + 10 is forgotten with its points
    assert subject.score("fit") == 15
    subject.sees(T0 + 3, "reset")
    assert subject.score("fit") == 0
    subject.sees(T0 + 5, "form")
    subject.sees(T0 + 11, "profile", {"title": "director"})
    assert subject.score("fit") == 5


def test_a_floor_acts_on_what_is_added():
    """W5: one visit, four idle weeks, five visits: 50, and not 10."""
    subject = shop("""
scores: {behaviour: {floor: 0}}
signals: {seen: {each: visit, add: {behaviour: 10}}, silent: {each: week, add: {behaviour: -25}}}
stages: {prospect: {}, mql: {}}
transitions: [{from: prospect, to: mql, when: behaviour >= 30}]
""")
    for day, name in enumerate(["page", *["week"] * 4, *["page"] * 5]):
        subject.sees(T0 + day * DAY, name)
    assert subject.score("behaviour") == 50
    assert subject.changes[-1].at == T0 + 7 * DAY
    assert contributions(subject.changes[-1], "behaviour") == [("seen", 40.0, 4), ("silent", -10.0, 4)]
