"""Records of formats 3 and 4: what only some lifecycles remember, found by name in an edited file."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.codec.state.customers import CustomerCodec, read_layout
from stream.codec.state.keys import customer_key
from stream.core import facts, scoring
from stream.core.customer import Customer
from stream.core.lifecycle import Lifecycle
from stream.core.memory import LedgerEntry, LedgerState, Memory, SignalMemory, TimedPoints
from stream.core.model import Model, model_of
from stream.core.remembered import remembered
from stream.errors import StateError
from tests.contract.rich import HISTORY, RICH, WITH_FIGURES, Happened, lifecycle, walked
from tests.kit.lives import told as everything_of
from tests.kit.times import DAY, T0

FORMAT_3 = Path(__file__).parent / "records" / "format_3.json"
FORMAT_4 = FORMAT_3.with_name("format_4.json")
KEY = customer_key("customer", "c-1")
MODEL = model_of([lifecycle()])
CODEC = CustomerCodec(MODEL)

times = st.integers(-62_135_596_800_000, 253_402_300_799_999)
millionths = st.integers(-(2**70), 2**70) | st.integers(-1_000, 1_000)
hashes = st.lists(st.binary(min_size=8, max_size=8), max_size=64).map(b"".join)


def amounts(low: int) -> st.SearchStrategy[int]:
    return st.integers(low, 2**70) | st.integers(low, 5)


@st.composite
def entries(draw: st.DrawFn, *, returns: bool) -> LedgerEntry:
    """An entry as the core leaves one: what is absent has no time; `returns`: theirs are kept."""
    entry = LedgerEntry(draw(st.just(b"") | st.binary(min_size=8, max_size=8)))
    if draw(st.booleans()):
        entry.made, entry.time = True, draw(times)
    entry.amount = draw(amounts(-1))
    entry.amount_time = (draw(times | st.just(entry.time))) if entry.amount >= 0 else 0
    entry.update = draw(amounts(-1))
    entry.update_time = draw(times) if entry.update >= 0 else 0
    entry.returned, entry.all_returned = draw(amounts(0)), draw(st.booleans())
    if returns:
        entry.returns = tuple(draw(st.lists(st.tuples(times, amounts(-1)), max_size=3)))
    return entry


@st.composite
def points(draw: st.DrawFn, columns: int) -> TimedPoints:
    found = sorted(draw(st.lists(times, max_size=20)))
    return TimedPoints(found, [[draw(millionths) for _ in found] for _ in range(columns)])


@st.composite
def memories(draw: st.DrawFn, of: Lifecycle) -> Memory:
    kept: list[SignalMemory] = []
    for signal, kind in of.memories:
        if kind == "values":
            kept.append(draw(hashes))
        elif kind == "points":
            kept.append(draw(points(len(of.signals[signal].points))))
        elif kind == "latest":
            kept.append(draw(st.just([]) | st.tuples(times, st.integers(0, 1)).map(list)))
        else:
            kept.append(sorted(draw(st.lists(times, max_size=20))))
    moments = [
        draw(st.lists(st.none() | times, min_size=len(names), max_size=len(names)))
        for names in (of.resets, of.taken, of.held)
    ]
    returns, counts = of.figures_remember, st.integers(0, 2**40)
    states = [
        LedgerState(draw(st.lists(entries(returns=returns), max_size=8)), draw(hashes), draw(counts), draw(millionths))
        for _ in of.ledgers
    ]
    windows = st.lists(st.tuples(st.integers(-800_000, 3_000_000), millionths), max_size=8)
    remembers = 0 if of.figures is None else len(of.figures.windows)
    figures = draw(st.lists(windows, min_size=remembers, max_size=remembers))
    return Memory(kept, moments[0], states, moments[1], moments[2], figures)


@pytest.mark.long
@pytest.mark.parametrize(("text", "written"), [(RICH, 3), (WITH_FIGURES, 4)], ids=["3", "4"])
@given(data=st.data())
def test_what_is_written_is_read(text, written, data):
    of = lifecycle(text)
    codec = CustomerCodec(model_of([of]))
    customer = walked(of=of)
    life = customer.lives["rich"]
    life.memory = data.draw(memories(of))
    customer.rows = None
    value = codec.encode(customer)
    found = codec.decode(KEY, value)
    assert found == customer
    assert codec.encode(found) == value
    assert value[0] == written


@pytest.mark.long
@given(cut=st.integers(0, 400), flip=st.integers(0, 400), bits=st.integers(1, 255))
def test_a_damaged_record_is_an_error_or_another_customer(cut, flip, bits):
    """Never anything else: no crash of another kind, no endless loop."""
    value = bytearray(CODEC.encode(walked()))
    value[flip % len(value)] ^= bits
    for broken in (bytes(value), bytes(value)[: cut % len(value)]):
        try:
            found = CODEC.decode(KEY, broken)
        except StateError:
            continue
        assert isinstance(found, Customer)


def test_every_kind_of_memory_is_in_the_history():
    """So that the fixture and the tests of edits are about all of them."""
    memory = walked().lives["rich"].memory
    assert memory is not None
    assert all(memory.signals)
    assert None not in memory.resets
    assert all(state.entries for state in memory.ledgers)
    assert memory.ledgers[0].returns


@pytest.mark.parametrize("file", [FORMAT_3, FORMAT_4], ids=["3", "4"])
def test_a_customer_of_every_format_is_read_for_ever(file):
    written = json.loads(file.read_text(encoding="utf-8"))
    model = model_of([lifecycle(text) for text in written["lifecycles"]])
    codec = CustomerCodec(model)
    for layout in written["layouts"]:
        codec.learn(bytes.fromhex(layout))
    for record in written["customers"]:
        key, value = bytes.fromhex(record["key"]), bytes.fromhex(record["value"])
        found = codec.decode(key, value)
        assert plain(model, found) == record["decoded"]
        header = codec.header(value)
        assert [header.due, [list(each) for each in header.stages]] == record["header"]


def plain(model: Model, customer: Customer) -> object:
    """A customer as JSON has it, without what format 3 did not know where there is none of it."""
    told = everything_of(model, customer)
    for life in told["lives"].values():
        if not life["memory"]["figures"]:
            del life["memory"]["figures"]
        for ledger in life["memory"]["ledgers"]:
            for entry in ledger["entries"]:
                if not entry["returns"]:
                    del entry["returns"]
    return json.loads(json.dumps(told, default=bytes.hex))


def reread(edited: Lifecycle, history=HISTORY) -> tuple[Customer, Lifecycle]:
    """A customer who was written with RICH and is read with an edited file."""
    codec = CustomerCodec(model_of([edited]))
    for _key, layout in CODEC.layout_records():
        codec.learn(layout)
    return codec.decode(KEY, CODEC.encode(walked(history))), edited


def told(customer: Customer, of: Lifecycle) -> dict[str, object]:
    """Scores, facts and what is remembered, by name."""
    life = customer.lives["rich"]
    scores = {score.name: scoring.read(score, life, life.clock) for score in of.scores}
    return {
        "scores": scores,
        "facts": {fact.name: facts.value(fact, life, life.clock) for fact in of.facts},
        **remembered(of, life),
    }


def shuffled(text: str) -> str:
    """The same file with signals, ledgers and facts in another order."""
    lines = text.split("\n")
    moved = text.replace("  counted: {each: visit, keep: 3}\n", "")
    moved = moved.replace("ledgers:\n", "ledgers:\n  counted: {each: visit, keep: 3}\n")
    title = next(line for line in lines if line.startswith("  title:"))
    moved = moved.replace(title + "\n", "").replace("signals:\n", f"signals:\n{title}\n")
    minutes = next(line for line in lines if line.startswith("  minutes:"))
    return moved.replace(minutes + "\n", "").replace("facts:\n", f"facts:\n{minutes}\n")


def test_the_order_in_the_file_means_nothing():
    edited = lifecycle(shuffled(RICH))
    assert edited.digest != MODEL.lifecycles[0].digest
    assert told(*reread(edited)) == told(walked(), MODEL.lifecycles[0])


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("keep: 5}", "keep: 6}", {"ledgers.bought", "facts.orders", "facts.revenue", "facts.year"}),
        ("per: day}", "per: week}", {"windows.active", "scores.heat"}),
        ("time_zone: Europe/Paris", "time_zone: Europe/Berlin", {"windows.active"}),
        ("within: 1h}", "within: 2h}", {"signals.back", "scores.heat", "scores.warm"}),
        ("once: properties.form_id", "once: properties.form", {"signals.asked"}),
        ("expires: 180d", "expires: 90d", {"signals.clicked", "scores.fit"}),
        ("director: 5", "director: 6", {"signals.title", "scores.fit"}),
        ("within: 30d", "within: 31d", {"sums.minutes", "facts.minutes"}),
        ("hold: 1h", "hold: 3h", set()),
        ("floor: -5", "floor: -6", set()),
    ],
)
def test_what_means_something_else_begins_anew_and_the_rest_is_kept(before, after, lost):
    edited = lifecycle(RICH.replace(before, after, 1))
    kept, were = told(*reread(edited)), told(walked(), MODEL.lifecycles[0])

    def flat(found: dict[str, object]) -> dict[str, object]:
        return {f"{part}.{name}": value for part, named in found.items() for name, value in dict(named).items()}  # type: ignore[call-overload]

    found, expected = flat(kept), flat(were)
    assert {name for name in expected if found.get(name) != expected[name]} == lost


def test_a_layout_without_memory_is_as_the_first_versions_wrote_it():
    """And one with it is read with its names."""
    plain_file = lifecycle("lifecycle: rich\nfacts: {n: {count: visit}}\nstages: {a: {}}")
    ((_key, value),) = CustomerCodec(model_of([plain_file])).layout_records()
    assert value[1] == 0x96  # a list of six
    ((_key, value),) = CODEC.layout_records()
    layout = read_layout(value)
    assert (layout.time_zone, layout.resets) == ("Europe/Paris", ("heat", "warm"))
    assert [name for name, _mark in layout.ledgers] == ["bought", "counted"]


def test_a_customer_of_a_file_that_remembers_nothing_is_written_as_before():
    plain_file = lifecycle("lifecycle: rich\nfacts: {n: {count: visit}}\nstages: {a: {}}")
    codec = CustomerCodec(model_of([plain_file]))
    assert codec.encode(walked([(T0, "visit", {}), (T0 + DAY, "visit", {})], plain_file))[0] == 1


def test_who_comes_from_a_file_that_remembered_nothing_begins_to_remember():
    plain_file = lifecycle("lifecycle: rich\nfacts: {n: {count: visit}}\nstages: {new: {}}")
    before = CustomerCodec(model_of([plain_file]))
    codec = CustomerCodec(MODEL)
    for _key, layout in before.layout_records():
        codec.learn(layout)
    found = codec.decode(KEY, before.encode(walked([(T0, "visit", {})], plain_file)))
    assert found.lives["rich"].memory == MODEL.lifecycles[0].empty_memory()
    assert codec.decode(KEY, codec.encode(found)).lives["rich"].memory == MODEL.lifecycles[0].empty_memory()


HOLDING = """
lifecycle: rich
facts: {visits: {count: visit}}
stages: {new: {}, warm: {}}
transitions: [{from: new, to: warm, when: visits >= 1, hold: 3d}]
"""


@pytest.mark.parametrize(
    ("before", "after", "begun"), [("hold: 3d", "hold: 5d", T0), ("visits >= 1", "visits >= 2", T0 + DAY)]
)
def test_a_condition_that_is_edited_begins_to_hold_when_it_is_considered(before, after, begun):
    """And one that is not goes on, however long it has to hold now."""
    old, edited = lifecycle(HOLDING), lifecycle(HOLDING.replace(before, after))
    written = CustomerCodec(model_of([old]))
    codec = CustomerCodec(model_of([edited]))
    for _key, layout in written.layout_records():
        codec.learn(layout)
    visits: Sequence[Happened] = [(T0, "visit", {}), (T0 + DAY, "visit", {})]
    life = codec.decode(KEY, written.encode(walked(visits, old))).lives["rich"]
    assert edited.transitions[0].held is not None
    assert edited.transitions[0].held.begun(life, life.clock) == begun
    assert life.deadline == begun + (5 if "5d" in after else 3) * DAY
