"""Edited lifecycles: what a record kept is found by name, and what still means the same is kept."""

import pytest

from stream.core.stage_change import Value
from tests.contract.edits import (
    DECAY,
    ENTERED,
    FACTS,
    NOW,
    SHOP,
    counts,
    edited,
    loaded,
    reread,
    scores,
    told,
)
from tests.kit.lives import windows_of


def test_an_unchanged_file_changes_nothing() -> None:
    """Neither do comments, or the order of the keys within one signal."""
    lifecycle = edited(("{each: visit, add: {heat: 1}, at_most", "{add: {heat: 1}, each: visit, at_most"))
    assert lifecycle.digest == loaded(SHOP).digest == loaded(SHOP + "# a comment\n").digest
    life = reread(lifecycle).lives["shop"]
    assert scores(lifecycle, life) == {"heat": round(12 * DECAY, 9), "value": 25.99}
    assert told(lifecycle, life) == FACTS
    assert counts(lifecycle, life) == {"visited": 2, "asked": 1, "spent": 2}
    assert windows_of(life) == [[(19675, 2)], [(19676, 2)]]


def test_the_order_in_the_file_means_nothing_to_the_records() -> None:
    """Signals, facts, scores and stages are found by name; the digest is another, since places are."""
    text = SHOP.split("\n")
    order = [0, 1, 2, 4, 3, 5, 8, 7, 6, 9, 14, 12, 10, 13, 11]
    lifecycle = loaded(
        "\n".join([*(text[place] for place in order), "stages: {lead: {}, dormant: {}, customer: {}}", *text[16:]])
    )
    assert lifecycle.digest != loaded(SHOP).digest
    life = reread(lifecycle).lives["shop"]
    assert scores(lifecycle, life) == {"heat": round(12 * DECAY, 9), "value": 25.99}
    assert told(lifecycle, life) == FACTS
    assert counts(lifecycle, life) == {"visited": 2, "asked": 1, "spent": 2}
    assert windows_of(life) == [[(19676, 2)], [(19675, 2)]]
    assert (life.stage, life.entered, life.sequence, life.born) == ("customer", ENTERED, 2, "0-0")
    assert (life.active, life.fired, life.clock, life.identified) == (NOW, 0, NOW, True)


@pytest.mark.parametrize(
    ("before", "after", "heat", "value"),
    [
        ("  visited: {each", "  seen: {each", 10, 25.99),
        ("add: {heat: 1}", "add: {heat: 2}", 10, 25.99),
        ("add: {heat: 10, value: 1}", "add: {heat: 10}", 2, 24.99),
        ("each: form, ", "each: [form, call], ", 2, 24.99),
        ("{times: 5, per: 1d}", "{times: 6, per: 1d}", 10, 25.99),
        ("once: true", "once: false", 2, 24.99),
        ("heat: {half_life: 14d}", "heat: {half_life: 28d}", 0, 24.99),
        ("heat: {half_life: 14d}", "heat: {half_life: 14d, max: 5}", 5, 25.99),
        ("  spent:", "  new: {each: buy, add: {value: 50}}\n  spent:", 12, 25.99),
    ],
)
def test_signals_that_mean_the_same_are_kept_and_others_begin_at_nothing(
    before: str, after: str, heat: float, value: float
) -> None:
    """Renamed, with other points, words or caps, or on a score that decays otherwise: another signal."""
    lifecycle = edited((before, after))
    life = reread(lifecycle).lives["shop"]
    expected = heat if heat == 5 else round(heat * DECAY, 9)
    assert scores(lifecycle, life) == {"heat": expected, "value": value}
    assert told(lifecycle, life) == FACTS


def test_a_signal_that_is_removed_takes_its_points_and_windows_with_it() -> None:
    """The window of the third is now that of the first."""
    lifecycle = edited(("  visited: {each: visit, add: {heat: 1}, at_most: {times: 5, per: 1d}}\n", ""))
    life = reread(lifecycle).lives["shop"]
    assert scores(lifecycle, life) == {"heat": round(10 * DECAY, 9), "value": 25.99}
    assert windows_of(life) == [[(19676, 2)]]
    assert list(life.counts) == [1, 2]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("  orders: {count: buy}", "  bought: {count: buy}", {"bought": 0}),
        ("  revenue: {sum: properties.total,", "  revenue: {sum: properties.price,", {"revenue": 0}),
        ("within: 7d}", "within: 8d}", {"busy": 0}),
        ("last_buy: {last: buy}", "last_buy: {first: buy}", {"last_buy": None}),
        ("{latest: properties.country}", "{latest: properties.country, each: visit}", {"country": None}),
        ("  orders:", "  forms: {count: form}\n  orders:", {"forms": 0}),
    ],
)
def test_facts_that_mean_the_same_are_kept_and_others_begin_anew(
    before: str, after: str, expected: dict[str, Value | None]
) -> None:
    """Renamed, of another kind or window, or added."""
    text = SHOP.replace("when: orders >= 1", "when: idle >= 900d").replace("since(last_buy)", "in_stage")
    lifecycle = loaded(text.replace(before, after))
    life = reread(lifecycle).lives["shop"]
    assert told(lifecycle, life) == {name: FACTS.get(name) for name in told(lifecycle, life)} | expected
    assert scores(lifecycle, life) == {"heat": round(12 * DECAY, 9), "value": 25.99}


def test_a_fact_that_is_removed_is_gone() -> None:
    """The others keep theirs."""
    lifecycle = edited(("  revenue: {sum: properties.total, each: buy}\n", ""))
    assert told(lifecycle, reread(lifecycle).lives["shop"]) == {k: v for k, v in FACTS.items() if k != "revenue"}
