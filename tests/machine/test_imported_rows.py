"""Rows of imports at the partition machine: known again after recovery, dead-lettered, replayed, verified."""

import pytest

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.dead_letters import DeadLetter, read, replayed
from stream.codec.import_rows import HEADER, MAX_NAME, encode_row, is_name, row_of
from stream.codec.interactions import encode_native
from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.codec.records import Outgoing
from stream.codec.state.spans import Span, span_of
from stream.core.exact import number_of_fact
from stream.core.interaction import Interaction
from stream.core.model import Model, model_of
from stream.machine.batch import Batch
from stream.operations.verification.recomputation import Recomputation, RecomputationInputs
from stream.settings import Settings
from tests.kit.machines import Record, compacted, finish, machine, records_of, run_all
from tests.kit.times import T0

SHOP = """
lifecycle: shop
facts: {orders: {count: buy}}
stages: {lead: {}, buyer: {}}
transitions: [{from: lead, to: buyer, when: orders >= 3}]
"""
SETTINGS = Settings(clock="stream", earliest_time=None)


@pytest.fixture
def model() -> Model:
    """One lifecycle."""
    return model_of([parse(SHOP, "shop.yaml").lifecycle], None)


def row(number: int, value: bytes | None = None, id: str | None = None, name: str = "first") -> Outgoing:  # noqa: A002
    """A record as `import` writes it."""
    order = Interaction("c1", None, id, "buy", T0 + number, {}, {})
    header = encode_row(name, order.time, number) if value is None else value
    return Outgoing(b"c1", encode_native(order), [("trace", b"1"), (HEADER, header)])


def orders(changelog: dict[bytes, bytes], model: Model) -> object:
    """What the customer's record counts."""
    customer = machine(model, SETTINGS, changelog).customer(b"cc1")
    return None if customer is None else number_of_fact(customer.lives["shop"], 0)


def results(batches: list[Batch]) -> dict[str, int]:
    """How many records there were, by result."""
    counts: dict[str, int] = {}
    for batch in batches:
        for result, count in batch.counts.results.items():
            counts[result] = counts.get(result, 0) + count
    return counts


@pytest.mark.parametrize("ids", [False, True])
def test_rows_are_known_again_after_recovery_and_nothing_is_written_for_them(model: Model, ids: bool) -> None:
    """The same rows, a worker later: counted as known, no customer record, no change."""
    rows = [row(number, id=f"i{number}" if ids else None) for number in range(2)]
    changelog = compacted(run_all(machine(model, SETTINGS), records_of(rows, broker_time=T0)))
    again = run_all(machine(model, SETTINGS, changelog), records_of([*rows, row(2)], broker_time=T0, first=2))
    assert results(again) == {"known": 2, "applied": 1}
    assert orders(compacted(again, changelog), model) == 3
    only_known = run_all(machine(model, SETTINGS, changelog), records_of(rows, broker_time=T0, first=2))
    assert not any(each.key != b"p" for batch in only_known for each in batch.state)
    assert not any(batch.events for batch in only_known)


def test_a_duplicate_s_row_is_in_the_changelog(model: Model) -> None:
    """It changes nothing but what the customer remembers, and that outlives the worker."""
    live = Interaction("c1", None, "i1", "buy", T0 + 1, {}, {})
    first = run_all(machine(model, SETTINGS), records_of([live, row(1, id="i1")], broker_time=T0 + 1))
    assert results(first) == {"applied": 1, "duplicate": 1}
    changelog = compacted(first)
    again = run_all(machine(model, SETTINGS, changelog), records_of([row(1)], broker_time=T0, first=2))
    assert results(again) == {"known": 1}


def test_a_row_from_the_future_is_known_by_the_time_it_was_written_with(model: Model) -> None:
    """The interaction counts at the broker's time, which is another one when the import is repeated."""
    ahead = row(400_000)
    changelog = compacted(run_all(machine(model, SETTINGS), records_of([ahead], broker_time=T0)))
    again = run_all(machine(model, SETTINGS, changelog), records_of([ahead], broker_time=T0 + 50_000, first=1))
    assert results(again) == {"known": 1}


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"first",
        b"first:1",
        b":1:1",
        b"first:1:-1",
        b"first:x:1",
        b"first:--1:1",
        b"first:1:1:1",
        b"first:1:1 ",
        b"first:999999999999999:1",
        b"first:1:99999999999999999",
        b"f" * (MAX_NAME + 40) + b":1:1",
    ],
)
def test_a_header_that_is_none_of_ours_is_a_dead_letter(model: Model, value: bytes) -> None:
    """Nothing is guessed: the reason says what would be right."""
    [batch] = run_all(machine(model, SETTINGS), records_of([row(1, value)], broker_time=T0))
    [dead_letter] = batch.dead_letters
    headers = dict(dead_letter.headers)
    assert headers["lifecycle_reason"] == b"bad_shape"
    assert b"lifecycle_import is <name>:<time in epoch ms>:<row>" in headers["lifecycle_detail"]


def test_every_name_that_import_accepts_is_read_by_workers() -> None:
    """Names of any length up to the longest, with times before the epoch."""
    for name in ("a", "orders-2025", "é".encode().hex(), "~" * MAX_NAME):
        assert is_name(name)
        found = row_of([(HEADER, encode_row(name, -62_135_596_800_000, 2**53))])
        assert found is not None
        assert not isinstance(found, Rejected)
        assert (found.time, found.number) == (-62_135_596_800_000, 2**53)
    for name in ("", "a:b", "a b", "é", "a\n", "~" * (MAX_NAME + 1)):
        assert not is_name(name)


def test_a_dead_letter_that_is_replayed_behind_later_rows_counts(model: Model) -> None:
    """Row 1 cannot be processed, row 2 is applied; the replay of row 1 is no row that is known.

    0  row 1    dead letter
    1  row 2    applied: the last row that the customer knows
    2  row 1    replayed: applied, too
    3  row 1    the import again: known
    """
    made = machine(model, SETTINGS)
    made.isolate(offsets=[0])
    first = run_all(made, records_of([row(1), row(2)], broker_time=T0))
    assert results(first) == {"rejected": 1, "applied": 1}
    [written] = [each for batch in first for each in batch.dead_letters]
    dead_letter = read(Record(0, T0, written.key, written.value, tuple(written.headers)), 0)
    assert isinstance(dead_letter, DeadLetter)
    again = replayed(dead_letter)
    assert [name for name, _value in again.headers] == ["trace", "lifecycle_replay_of"]
    changelog = compacted(first)
    second = run_all(machine(model, SETTINGS, changelog), records_of([again, row(1)], broker_time=T0, first=2))
    assert results(second) == {"applied": 1, "known": 1}
    assert orders(compacted(second, changelog), model) == 2


def test_a_verification_comes_to_the_same_records(model: Model) -> None:
    """To the byte: rows of two imports, known ones, duplicates and a header that cannot be read."""
    given = [row(1), row(2, id="i2"), row(1), row(3, id="i2"), row(3, b"?"), row(1, name="second"), row(2), row(4)]
    records = records_of(given, broker_time=T0)
    made = machine(model, SETTINGS)
    batches = run_all(made, records)
    inputs = RecomputationInputs(0, "stream", 0, SETTINGS.decoder(), None, True, None, None)
    recomputation = Recomputation(model, inputs, lambda *_: None)
    rejected = [recomputation.process(record) for record in records]
    assert [place for place, reason in enumerate(rejected) if reason is not None] == [4]
    assert results(batches) == {"applied": 4, "duplicate": 1, "known": 2, "rejected": 1}
    assert recomputation.records() == {key: value for key, value in compacted(batches).items() if key[:1] == b"c"}
    finish(machine(model, SETTINGS, compacted(batches)).restore(compacted(batches)))


def test_what_reset_reads_of_a_customer_is_there_with_and_without_imports(model: Model) -> None:
    """Who remembers an import has a record of another format, which begins and ends where the others' do."""
    live = Interaction("c2", None, None, "buy", T0, {}, {})
    inputs = [row(1), live, row(2), live]
    changelog = compacted(run_all(machine(model, SETTINGS), records_of(inputs, broker_time=T0)))
    assert span_of(changelog[b"cc1"]) == Span(0, 2)
    assert span_of(changelog[b"cc2"]) == Span(1, 3)


def test_headers_may_have_no_value(model: Model) -> None:
    """Kafka allows it, and so must both builds; our own without one is a row that cannot be read."""
    made = machine(model, SETTINGS)
    order = encode_native(Interaction("c1", None, None, "buy", T0, {}, {}))
    given = [
        Record(0, T0, b"c1", order, [("trace", None)]),
        Record(1, T0, b"c1", order, [("trace", None), (HEADER, None)]),
    ]
    [batch] = run_all(made, given)
    assert batch.counts.applied == 1
    assert dict(batch.counts.rejected) == {"bad_shape": 1}
