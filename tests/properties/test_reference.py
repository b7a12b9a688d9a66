"""The reference alone: the design's example, scores and facts, as timelines worked out by hand."""

from __future__ import annotations

import pytest

from tests.kit.times import DAY, HOUR
from tests.properties.reference import run
from tests.properties.timelines import START, at, loaded, small, steps

SHOP = """
lifecycle: shop
version: 1
interactions:
  visit: [page, page_view, Product Viewed]
  form: [form_submit, Lead Captured]
  purchase: [order_completed, Order Completed]
  refund: [Order Refunded]
  opt_out: [unsubscribe]
  mailed: [email_delivered]
passive: [mailed]
scores:
  engagement: {half_life: 14d, max: 100}
  value: {}
signals:
  visited:  {each: visit, add: {engagement: 1}, at_most: {times: 5, per: 1d}}
  pricing:  {each: visit, where: properties.path == "/pricing", add: {engagement: 5}}
  asked:    {each: form, add: {engagement: 10}, once: true}
  spent:    {each: purchase, add: {value: properties.total}}
facts:
  orders:        {count: purchase, minus: refund}
  revenue:       {sum: properties.total, each: purchase, minus: refund}
  busy:          {count: visit, within: 7d}
  mobile_visits: {count: visit, where: context.device.type == "mobile"}
  last_purchase: {last: purchase}
  country:       {latest: properties.country, each: visit}
stages:
  anonymous: {}
  lead:     {title: Lead, channels: [email, ads], actions: [welcome_series]}
  customer: {channels: [email, push], actions: [cross_sell]}
  vip:      {}
  dormant:  {actions: [win_back_coupon]}
  ended:    {}
transitions:
  - {from: anonymous, to: lead, when: identified and (engagement >= 10 or busy >= 3)}
  - {from: [anonymous, lead], to: customer, when: orders >= 1}
  - {from: customer, to: vip, when: orders >= 5 or revenue >= 1000}
  - {from: [customer, vip], to: dormant, when: since(last_purchase) >= 90d}
  - {from: dormant, to: customer, when: since(last_purchase) < 90d}
  - {from: "*", to: ended, when: event.type == "opt_out"}
"""


def test_the_shop_is_walked_as_by_hand() -> None:
    """The design's example, from the first page to opting out.

    0h      1h       1d          2d      92d        95d                  96d      97d
    page    form     400         700     (deadline) 50                   refund   unsubscribe
    anonymous lead   customer    vip     dormant    customer, then vip            ended
    """
    outcome = run(
        [loaded(SHOP)],
        [
            at(START, "page", path="/pricing", country="DE"),
            at(START + HOUR, "form_submit"),
            at(START + DAY, "order_completed", total=400),
            at(START + 2 * DAY, "Order Completed", total=700.5),
            at(START + 95 * DAY, "Order Completed", total=50),
            at(START + 96 * DAY, "Order Refunded", total=1150),
            at(START + 97 * DAY, "unsubscribe"),
        ],
        until=START + 1000 * DAY,
    )
    assert steps(outcome) == [
        (START, "None>anonymous", True),
        (START + HOUR, "anonymous>lead", True),
        (START + DAY, "lead>customer", True),
        (START + 2 * DAY, "customer>vip", True),
        (START + 92 * DAY, "vip>dormant", True),
        (START + 95 * DAY, "dormant>customer", False),
        (START + 95 * DAY, "customer>vip", True),
        (START + 97 * DAY, "vip>ended", True),
    ]
    assert [each["sequence"] for each in outcome.changes] == list(range(1, 9))
    birth, lead, *_ = outcome.changes
    assert birth["scores"] == {"engagement": 0, "value": 0}
    assert birth["facts"] == {"orders": 0, "revenue": 0, "busy": 0, "mobile_visits": 0}
    assert birth["entered"] is None
    assert birth["identified"] is False
    decayed = 2 ** (-1 / 24 / 14)
    assert lead["contributions"] == {
        "engagement": [
            {"signal": "visited", "points": pytest.approx(decayed), "count": 1},
            {"signal": "pricing", "points": pytest.approx(5 * decayed), "count": 1},
            {"signal": "asked", "points": 10, "count": 1},
        ],
        "value": [],
    }
    assert outcome.changes[4]["trigger"] == {"kind": "deadline", "id": None, "type": None, "late": False}
    assert outcome.changes[7]["trigger"] == {
        "kind": "interaction",
        "id": None,
        "type": "opt_out",
        "late": False,
    }
    standing = outcome.customers["customer_id", "c"]["shop"]
    assert standing == {
        "contributions": standing["contributions"],
        "stage": "ended",
        "entered": START + 97 * DAY,
        "clock": START + 97 * DAY,
        "sequence": 8,
        "scores": {
            "engagement": pytest.approx(6 * 2 ** (-97 / 14) + 10 * 2 ** (-(97 - 1 / 24) / 14)),
            "value": 1150.5,
        },
        "facts": {
            "orders": 2,
            "revenue": 0.5,
            "busy": 0,
            "mobile_visits": 0,
            "last_purchase": START + 95 * DAY,
            "country": "DE",
        },
    }


def test_an_anonymous_subject_is_forgotten_and_comes_back_as_new() -> None:
    """A mail that we sent is no sign of life.

    0d    10d                90d         91d
    page  mailed (passive)   forgotten   page, a new life
    """
    outcome = run(
        [loaded(SHOP)],
        [
            at(START, "page", who="a"),
            at(START + 10 * DAY, "email_delivered", who="a"),
            at(START + 91 * DAY, "page", who="a"),
        ],
    )
    assert steps(outcome) == [
        (START, "None>anonymous", True),
        (START + 90 * DAY, "anonymous>None", True),
        (START + 91 * DAY, "None>anonymous", True),
    ]
    forgotten, born = outcome.changes[1:]
    assert (forgotten["sequence"], born["sequence"]) == (2, 1)
    assert forgotten["trigger"] == {"kind": "forgotten", "id": None, "type": None, "late": False}
    assert forgotten["scores"] == {"engagement": pytest.approx(2 ** (-90 / 14)), "value": 0}


def test_a_decaying_score_falls_below_a_constant_one_millisecond_after_its_half_life() -> None:
    """Two points, half-life 10 ms: at 10 ms the score is 1 exactly, so `< 1` is first true at 11 ms."""
    lifecycle = small(
        [("new", "hot", "heat >= 2"), ("hot", "cold", "heat < 1")],
        scores={"heat": {"half_life": "10ms"}},
        signals={"s": {"each": "tap", "add": {"heat": 2}}},
    )
    outcome = run([lifecycle], [at(START, "tap")], until=START + 100)
    assert steps(outcome) == [
        (START, "None>new", False),
        (START, "new>hot", True),
        (START + 11, "hot>cold", True),
    ]
    assert not outcome.doubtful


def test_a_score_vanishes_below_two_to_the_minus_thirty() -> None:
    """A point halves thirty times in 30 ms and still counts; a millisecond later it is nothing."""
    lifecycle = small(
        [("new", "gone", "exists(seen) and heat <= 0")],
        scores={"heat": {"half_life": "1ms"}},
        facts={"seen": {"last": "tap"}},
        signals={"s": {"each": "tap", "add": {"heat": 1}}},
    )
    outcome = run([lifecycle], [at(START, "tap")], until=START + 100)
    assert steps(outcome)[-1] == (START + 31, "new>gone", True)


def test_a_rolling_count_leaves_its_window_at_the_exact_millisecond() -> None:
    """Three within 10 ms, of which two are kept: 2 from 0 to 9 ms past the second largest, then 1, then 0.

    0    3    4         13        14
    tap  tap  tap       1 left    0 left
    """
    lifecycle = small(
        [("new", "one", "busy == 1 and in_stage >= 5ms"), ("one", "none", "busy in [0]")],
        facts={"busy": {"count": "tap", "within": "10ms", "keep": 2}},
    )
    outcome = run([lifecycle], [at(START + each, "tap") for each in (0, 3, 4)], until=START + 100)
    assert steps(outcome)[1:] == [(START + 13, "new>one", True), (START + 14, "one>none", True)]


def test_at_most_keeps_the_two_latest_windows() -> None:
    """Windows of 10 ms, one each: 35 and 15 count, 25 between them too, then 15 is too old; 45 moves on."""
    lifecycle = small(
        [("new", "end", "taps >= 100")],
        scores={"taps": {}},
        signals={"s": {"each": "tap", "add": {"taps": 1}, "at_most": {"times": 1, "per": "10ms"}}},
    )
    values = []
    times = [START + each for each in (35, 15, 25, 21, 15, 5, 45, 25, 35)]
    for number in range(1, len(times) + 1):
        outcome = run([lifecycle], [at(time, "tap") for time in times[:number]])
        values.append(outcome.customers["customer_id", "c"]["l"]["scores"])
    assert values == [{"taps": each} for each in (1, 2, 3, 3, 3, 3, 4, 4, 4)]
