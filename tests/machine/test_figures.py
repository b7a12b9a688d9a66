"""What a partition keeps of figures: its bounds, and what an edited file keeps."""

from __future__ import annotations

import orjson
import pytest

from stream.core.interaction import Interaction
from stream.machine.batch import Batch
from stream.machine.budget import MAX_BYTES
from stream.machine.figure_store import MAX_SEGMENTS
from stream.settings import Settings
from tests.kit.machines import compacted, machine, records_of, run_all
from tests.kit.times import DAY, T0
from tests.properties.figure_histories import lifecycle

SETTINGS = Settings(clock="stream", forget_after=None)
FILE = """\
lifecycle: shop
facts: {{country: {{latest: properties.country}}}}
figures:
  visits: {{each: visit}}
  orders: {{each: order, add: properties.total}}
  weekly: {{each: visit, at_most: {{times: 1, per: week}}}}
  changed: {changed}
  by: [country]
stages: {{one: {{}}}}
"""
COUNTS = lifecycle(FILE.format(changed="{each: visit}"))


def visit(who: str, time: int, *, country: str | None = None, name: str = "visit", total: float = 1) -> Interaction:
    properties: dict[str, object] = {"total": total} | ({} if country is None else {"country": country})
    return Interaction(who, None, f"{who} {time} {name}", name, time, properties, {})


def rows(batches: list[Batch]) -> dict[tuple[str, str | None, str], str]:
    """By figure, segment and kind: the last that was said, of all days together."""
    found: dict[bytes, dict[str, str]] = {}
    for batch in batches:
        for each in batch.figures:
            assert each.key is not None
            found[each.key] = orjson.loads(each.value or b"")
    told: dict[tuple[str, str | None, str], int] = {}
    for row in found.values():
        key = row["figure"], row["segment"], row["kind"]
        told[key] = told.get(key, 0) + int(float(row["exact"]))
    return {key: str(value) for key, value in told.items()}


def test_of_a_fact_a_thousand_values_a_day_are_kept_apart_and_the_rest_is_counted() -> None:
    """Also behind a restart; the next day has room again."""
    history = [visit(f"c{number}", T0, country=f"country {number}") for number in range(MAX_SEGMENTS + 2)]
    made = machine(COUNTS, SETTINGS)
    before = run_all(made, records_of(history))
    restored = machine(COUNTS, SETTINGS, compacted(before))
    later = [visit("new", T0 + 1, country="new"), visit("c7", T0 + 2), visit("next", T0 + DAY, country="next")]
    after = run_all(restored, records_of(later, first=len(history)))
    told = rows([*before, *after])
    assert sum(kind == "value" and name == "visits" for name, _segment, kind in told) == MAX_SEGMENTS + 1
    assert told["visits", None, "all"] == str(MAX_SEGMENTS + 5)
    assert told["visits", None, "other"] == "3"
    assert told["visits", "country 7", "value"] == "2"
    assert told["visits", "next", "value"] == "1"
    # Births have no value yet; the two beyond and the new one are counted once each.
    assert sum(batch.counts.figures_other for batch in [*before, *after]) == 3


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        (2, "2"),
        (2.0, "2"),
        (2.5, "2.5"),
        (-0.0, "0"),
        (999_999_999_999_999, "999999999999999"),
        (1e-7, "1e-07"),
        (True, "true"),
        ("2", "2"),
    ],
)
def test_numbers_and_booleans_are_named_as_json_writes_them(value: object, segment: str) -> None:
    """A whole number as one, so that 2 and 2.0 are one segment; the text "2" is in it, too."""
    one = visit("ann", T0)
    one.properties["country"] = value
    told = rows(run_all(machine(COUNTS, SETTINGS), records_of([one])))
    assert told["visits", segment, "value"] == "1"
    assert isinstance(value, str) or orjson.loads(segment) == value


def test_days_that_are_800_before_the_latest_are_closed() -> None:
    made = machine(COUNTS, SETTINGS)
    before = run_all(made, records_of([visit("ann", T0), visit("ben", T0 + DAY)]))
    late = [visit("cleo", T0 + 800 * DAY), visit("ann", T0 + 1), visit("ben", T0 + DAY + 1)]
    after = run_all(made, records_of(late, first=2))
    told = rows([*before, *after])
    assert told["visits", None, "all"] == "4"  # all but the one that came for the first day again
    assert sum(batch.counts.figures_closed for batch in after) > 0
    changelog = compacted([*before, *after])
    days = {int(key.split(b"\0")[1]) for key in changelog if key[:1] == b"f"}
    assert days == {T0 // DAY + 1, T0 // DAY + 800}


def test_eight_windows_in_which_a_customer_counted_are_kept() -> None:
    weeks = [visit("ann", T0 + 7 * DAY * number) for number in range(1, 9)]
    made = machine(COUNTS, SETTINGS)
    run = [*run_all(made, records_of(weeks)), *run_all(made, records_of([visit("ann", T0)], first=8))]
    assert rows(run)["weekly", None, "all"] == "8"
    again = [visit("ann", T0 + 7 * DAY * number + 1) for number in range(1, 9)]
    run += run_all(made, records_of(again, first=9))
    assert rows(run)["weekly", None, "all"] == "8"


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ("{each: visit}", "3"),
        ("{each: visit, title: Visits}", "3"),
        ("{each: [visit, order]}", "2"),
        ("{each: visit, where: properties.total == 1}", "2"),
    ],
)
def test_a_figure_that_the_file_says_otherwise_begins_from_nothing(changed: str, value: str) -> None:
    """With another title alone it does not; those beside it keep what they have."""
    before = run_all(machine(COUNTS, SETTINGS), records_of([visit("ann", T0)]))
    edited = machine(lifecycle(FILE.format(changed=changed)), SETTINGS, compacted(before))
    after = run_all(edited, records_of([visit("ann", T0 + 1), visit("ben", T0 + 2)], first=1))
    told = rows([*before, *after])
    assert told["visits", None, "all"] == "3"
    assert told["weekly", None, "all"] == "2"
    assert told["changed", None, "all"] == value
    kept = machine(lifecycle(FILE.format(changed=changed)), SETTINGS, compacted([*before, *after]))
    last = run_all(kept, records_of([visit("ann", T0 + 3)], first=3))
    assert rows([*before, *after, *last])["changed", None, "all"] == str(int(value) + 1)


OF_ORDERS = """\
lifecycle: shop
ledgers: {{bought: {{each: order, by: properties.id, amount: properties.total, keep: {keep}}}}}
figures:
  orders: {{each: order, ledger: bought}}
stages: {{one: {{}}}}
"""


@pytest.mark.parametrize("keep", [64, 65], ids=["the same", "another ledger"])
def test_an_order_that_is_sent_again_after_an_edit_of_its_ledger_counts_once(keep: int) -> None:
    """With an earlier time: it moves to that day, or, where the ledger forgot it, begins there."""

    def sent(time: int) -> Interaction:
        return Interaction("ann", None, None, "order", time, {"id": "o-1", "total": 5}, {})

    before = run_all(machine(lifecycle(OF_ORDERS.format(keep=64)), SETTINGS), records_of([sent(T0 + DAY)]))
    edited = machine(lifecycle(OF_ORDERS.format(keep=keep)), SETTINGS, compacted(before))
    after = run_all(edited, records_of([sent(T0)], first=1))
    orders = {
        int(key.split(b"\0")[1]) - T0 // DAY: int(value.split(b" ")[1])
        for key, value in compacted([*before, *after]).items()
        if key[:1] == b"f" and b"\0orders\0" in key
    }
    assert orders == ({0: 1, 1: 0} if keep == 64 else {0: 1})


def test_with_another_title_alone_who_counted_counts_no_second_time() -> None:
    text = FILE.format(changed="{each: visit, once: true}")
    before = run_all(machine(lifecycle(text), SETTINGS), records_of([visit("ann", T0)]))
    titled = lifecycle(FILE.format(changed="{each: visit, once: true, title: New}"))
    after = run_all(machine(titled, SETTINGS, compacted(before)), records_of([visit("ann", T0 + 1)], first=1))
    assert rows([*before, *after])["changed", None, "all"] == "1"


def test_after_a_crash_a_batch_ends_where_its_figures_already_do() -> None:
    """Its first one: the figures were written, the customers and the position were not."""
    history = records_of([visit("ann", T0), visit("ben", T0 + 1), visit("ann", T0 + 2)])
    (broken,) = run_all(machine(COUNTS, SETTINGS), history[:2])
    figures = {each.key: each.value for each in broken.state if (each.key or b"")[:1] == b"f"}
    restored = machine(COUNTS, SETTINGS, figures)
    after = run_all(restored, history)
    assert [batch.next_offset for batch in after] == [2, 3]
    assert rows([broken, *after])["visits", None, "all"] == "3"


def test_figures_of_many_segments_are_written_in_transactions_of_bounded_size_with_turns_between() -> None:
    """However many numbers a batch changes: what is too much for one is more than one, and says the same."""
    figures = "".join(f"  figure_{number}: {{each: visit}}\n" for number in range(30))
    many = lifecycle(
        "lifecycle: shop\nfacts: {country: {latest: properties.country}}\nstages: {one: {}}\n"
        f"figures:\n{figures}  by: [country]\n"
    )
    history = [visit(f"c{n}", T0 + n, country=f"country {n % 900}") for n in range(1_800)]
    made = machine(many, SETTINGS)
    batches, records, turns = [], records_of(history), 0
    while records:
        running = made.run(records, len(history), wall=T0, caught_up=False)
        turns_before_the_end = 0
        try:
            while True:
                next(running)
                turns_before_the_end += 1
        except StopIteration as ended:
            batches.append(ended.value)
        turns += turns_before_the_end
        records = [each for each in records if each.offset >= batches[-1].next_offset] if batches[-1].more else []
    written = [len(each.key or b"") + len(each.value or b"") for batch in batches for each in batch.figures]
    sizes = [
        sum(len(each.key or b"") + len(each.value or b"") for each in (*batch.figures, *batch.state, *batch.events))
        for batch in batches
    ]
    assert sum(written) > 2 * MAX_BYTES
    assert max(sizes) < MAX_BYTES * 1.5
    assert turns >= sum(len(batch.figures) for batch in batches) // 200
    told = rows(batches)
    assert all(told[f"figure_{number}", None, "all"] == "1800" for number in range(30))
    assert told["figure_0", "country 7", "value"] == "2"
