"""The few sentences say what the tables say."""

import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.demo.shop import shop_interactions
from stream.report.sentences import sentences
from stream.report.tables import Change, Report, Section, Table, Value, change, count, money, share
from stream.report.wording import brief, toned, worded
from tests.report.reckoning import plain, reckoned, row, table


def test_they_name_the_step_where_most_are_lost_and_the_product_that_sold_best() -> None:
    report = reckoned(load("metrics").lifecycle, shop_interactions(150))
    steps = table(report, "funnel").rows
    lost = [float(plain(each[6]) or 0) for each in steps[1:]]
    worst = 1 + lost.index(max(lost))
    best = table(report, "products").rows[0][0]
    assert any(
        each.startswith(f"Most are lost between {steps[worst - 1][0]} and {steps[worst][0]}:")
        for each in report.sentences
    )
    assert any(each.startswith(f"What sold best: {best} (") for each in report.sentences)
    churn = worded(row(report, "retention_rates", "Churn rate")[1])
    assert any(f"{churn} were active no more at the end of June 2026" in each for each in report.sentences)


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (110, 100, "May brought 110.00, 10 % more than April (100.00)."),
        (90, 100, "May brought 90.00, 10 % less than April (100.00)."),
        (100, 100, "May brought 100.00, as much as April (100.00)."),
        (100, 0, "May brought 100.00."),
    ],
)
def test_how_a_period_differs_is_said_in_words(now: int, before: int, expected: str) -> None:
    both = money(now * 1_000_000), money(before * 1_000_000)
    rows = [("Revenue", *both, change(*both, good=True), ""), ("Orders", count(1), count(1), None, "")]
    figures = Table("figures", "", "", ("Figure", "May", "April", "Change", "What it is"), rows)
    assert sentences(Report("shop", "May", "April", "", sections=[Section("s", "", "", [figures])])) == [expected]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (Value("money", 1_234_500_000), "1,234.50"),
        (Value("money", -500_000), "\N{MINUS SIGN}0.50"),
        (Value("share", 1.0256), "102.6 %"),
        (Value("span", 3 * 86_400_000), "3.0 d"),
        (Value("span", 840_000), "14.0 min"),
        (Value("points", 0.24), "+24"),
        (Value("number", 3.0), "3"),
        (change(share(0.3), share(0.25)), "+5.0 pts"),
        (change(count(5), count(0)), "new"),
        (change(count(1000), count(1001)), "±0"),
        (None, "\N{EN DASH}"),
    ],
)
def test_values_are_written_as_people_read_them(cell: Value | Change | None, expected: str) -> None:
    assert worded(cell) == expected


def test_what_is_better_is_told_from_what_is_worse_and_nothing_is_neither() -> None:
    found = [
        toned(Change(part, good))
        for part, good in ((0.1, True), (0.1, False), (-0.1, False), (0.001, True), (0.1, None))
    ]
    assert found == ["better", "worse", "better", "", ""]
    assert [brief(Value("money", each * 1_000_000)) for each in (999, 1_500, 2_345_678)] == ["999", "1.5k", "2.3m"]
