"""Rows of days that can no longer change, after a repartition to fewer partitions: sums stay what they were."""

import orjson

from stream.codec.figures import row
from stream.codec.records import Outgoing
from stream.codec.state.figures import Cell
from stream.operations.repartition.closed_figures import closed_rows

CLOSED, OPEN, LATER = 19_000, 19_900, 19_901
CUSTOMERS, REVENUE = Cell("customers/lead", "", ""), Cell("revenue", "", "")


def told(partition: int, day: int, cell: Cell, number: int) -> Outgoing:
    return row("shop", 1, partition, day, cell, number, millionths=cell is REVENUE)


def values(*rows: Outgoing) -> dict[tuple[str, int, str], str]:
    found = [orjson.loads(each.value or b"") for each in rows]
    assert all(orjson.loads(each.key or b"").items() <= orjson.loads(each.value or b"").items() for each in rows)
    return {(each["day"], each["partition"], each["figure"]): each["exact"] for each in found}


def test_customers_of_a_partition_that_is_no_more_are_not_carried_forward_beside_those_of_the_new_ones() -> None:
    kept = [told(3, CLOSED, CUSTOMERS, 10), told(0, CLOSED, CUSTOMERS, 7)]
    new = {0: {("shop", OPEN, CUSTOMERS): 17}, 1: {}}
    assert values(*closed_rows(kept, {}, new)) == {
        ("2022-01-08", 3, "customers"): "10",
        ("2022-01-08", 0, "customers"): "7",
        ("2024-06-26", 3, "customers"): "0",
    }


def test_customers_of_a_day_that_is_open_elsewhere_are_those_that_the_new_partitions_tell() -> None:
    new = {0: {("shop", OPEN, CUSTOMERS): 17}, 1: {}}
    assert values(*closed_rows([told(0, LATER, CUSTOMERS, 7)], {}, new)) == {}


def test_what_is_closed_in_one_partition_and_open_in_another_is_added_up_where_these_become_one() -> None:
    new = {0: {("shop", OPEN, REVENUE): 2_500_000}}
    open_one = told(0, OPEN, REVENUE, 2_500_000)
    [made] = closed_rows([told(0, OPEN, REVENUE, 1_250_000)], {open_one.key or b"": open_one.value or b""}, new)
    assert made == told(0, OPEN, REVENUE, 3_750_000)


def test_other_rows_stay_as_they_are() -> None:
    kept = [told(3, CLOSED, REVENUE, 1), told(3, CLOSED, Cell("orders", "country", "=DE"), 2)]
    assert [*closed_rows(kept, {}, {0: {("shop", OPEN, REVENUE): 1}})] == kept
