"""Customer records: what is written is read, by this version and by every later one."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from librt.vecs import vec
from mypy_extensions import i64

from stream.codec.lifecycle_yaml.lifecycle_files import load, parse, presets
from stream.codec.state import customers as customer_records
from stream.codec.state import positions
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import customer_key
from stream.codec.state.positions import Position, decode_position, encode_position
from stream.codec.state.unpacking import Unpacker
from stream.core.customer import ID_HASH_BYTES, NEVER, NONE, Customer, FactState, Life
from stream.core.exact import set_number_of_fact, set_points
from stream.core.inputs import Arrival
from stream.core.interaction import MAX_TIME, MIN_TIME, ImportedRow, Interaction
from stream.core.lifecycle import Lifecycle
from stream.core.model import Model, due, model_of
from stream.core.step import step
from stream.core.step_counts import StepCounts
from stream.errors import StateError
from tests.kit.lives import packed_windows
from tests.kit.lives import told as everything_of
from tests.kit.times import DAY, HOUR, T0

SHOP = """
lifecycle: shop
passive: [mailed]
scores:
  heat: {half_life: 14d, max: 100}
  value: {}
signals:
  visited: {each: visit, add: {heat: 1}, at_most: {times: 5, per: 1d}}
  asked: {each: form, add: {heat: 10, value: 1}, once: true}
  spent: {each: buy, add: {value: properties.total}, at_most: {times: 2, per: 1h}}
facts:
  orders: {count: buy, minus: refund}
  revenue: {sum: properties.total, each: buy, minus: refund}
  busy: {count: visit, within: 7d}
  first_buy: {first: buy}
  last_buy: {last: buy}
  country: {latest: properties.country}
stages: {lead: {}, customer: {}, dormant: {}}
transitions:
  - {from: lead, to: customer, when: orders >= 1}
  - {from: customer, to: dormant, when: since(last_buy) >= 90d}
"""
ZOO = """
lifecycle: zoo
stages: {out: {}, in: {}}
transitions: [{from: out, to: in, when: idle >= 5d}]
"""
FORMAT_1 = Path(__file__).parent / "records" / "format_1.json"
FORMAT_2 = FORMAT_1.with_name("format_2.json")


def loaded(*texts: str) -> Model:
    """The model of lifecycle texts, with forgetting after 90 days."""
    return model_of([parse(text, "a.yaml").lifecycle for text in texts])


MODEL = loaded(SHOP, ZOO)
CODEC = CustomerCodec(MODEL)

times = st.integers(MIN_TIME, MAX_TIME) | st.sampled_from([MIN_TIME, -1, 0, 1, T0, MAX_TIME])
counts = st.integers(0, 2**40)
whole = st.integers(-(2**200), 2**200) | st.sampled_from([-(2**63) - 1, -(2**63), 2**63 - 1, 2**63, 2**64])
real = st.floats(allow_nan=False, allow_infinity=False)
ids = st.text(st.characters(exclude_categories=["Cs"]), max_size=256).filter(lambda text: len(text.encode()) <= 256)
rows = st.builds(ImportedRow, st.binary(min_size=8, max_size=8), times, st.integers(0, 2**53))
values = ids | real | st.booleans() | st.integers(-(10**15), 10**15)


def fact_states(kind: str) -> st.SearchStrategy[FactState]:
    """Any state of a fact of this kind."""
    if kind == "rolling":
        return st.lists(times, max_size=20).map(sorted)
    return st.none() | st.tuples(times, values)


@st.composite
def lives(draw: st.DrawFn, lifecycle: Lifecycle, identified: bool) -> Life:
    """Any life of a lifecycle."""
    life = lifecycle.begin(draw(times), f"{draw(counts)}-{draw(counts)}", identified)
    life.stage = draw(st.sampled_from([*lifecycle.stages, "a stage that the file has no more"]))
    life.entered, life.active, life.deadline = draw(times), draw(times), draw(st.just(NEVER) | times)
    life.sequence, life.fired = draw(counts), draw(st.integers(0, 64))
    life.counts = vec[i64]([draw(counts) for _ in life.counts])
    grid = st.tuples(st.integers(-(2**53), 2**53), st.integers(1, 2**40))
    life.windows = packed_windows([draw(st.lists(grid, max_size=2)) for _ in range(lifecycle.windows)])
    half_lives = {score.name: score.half_life for score in lifecycle.scores}
    decays = [half_lives[score] is not None for _signal, score in lifecycle.slots]
    life.sums = vec[float]([draw(real) if each else 0.0 for each in decays])
    for slot, each in enumerate(decays):
        set_points(life, slot, 0 if each else draw(whole))
    life.ats = vec[i64]([draw(times) for _ in life.ats])
    for fact in lifecycle.facts:
        if fact.kind in ("count", "sum"):
            set_number_of_fact(life, fact.index, draw(whole))
        elif fact.kind in ("first", "last"):
            life.numbers[fact.index] = draw(st.just(NONE) | times)
        else:
            life.facts[fact.index] = draw(fact_states(fact.kind))
    return life


@st.composite
def customers(draw: st.DrawFn) -> Customer:
    """Any customer, with lives in some of the lifecycles."""
    identified = draw(st.booleans())
    kept = [draw(lives(each, identified)) if draw(st.booleans()) else None for each in MODEL.lifecycles]
    id_times = draw(st.lists(times, max_size=5) | st.just([MAX_TIME - n for n in range(128)]))
    return Customer(
        kind=draw(st.sampled_from(["customer", "anonymous"])),
        id=draw(ids),
        identified=identified,
        latest=draw(times),
        active=draw(times),
        by_place=kept,
        id_hashes=draw(st.binary(min_size=ID_HASH_BYTES * len(id_times), max_size=ID_HASH_BYTES * len(id_times))),
        id_times=vec[i64](id_times),
        offset=draw(st.integers(-1, 2**62)),
        quarantined=draw(st.booleans()),
        rows=draw(st.none() | st.lists(rows, min_size=1, max_size=16)),
    )


def walked(lifecycles: list[Lifecycle], history: list[tuple[int, str, dict[str, object]]]) -> Customer:
    """A customer after a history; its interactions have ids."""
    model, customer = model_of(lifecycles), None
    for number, (time, name, properties) in enumerate(history):
        interaction = Interaction("customer-4711", None, f"id-{number}", name, time, properties, {})
        customer, _changes = step(model, customer, Arrival(interaction, 3, 1_000_000 + number), StepCounts())
    assert customer is not None
    customer.offset = 1_000_000 + len(history)
    return customer


@given(customer=customers())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_written_is_read(customer: Customer) -> None:
    """Sums beyond 64 bits, times before the epoch, empty lists, ids in all letters, 128 remembered ids."""
    key, value = customer_key(customer.kind, customer.id), CODEC.encode(customer)
    found = CODEC.decode(key, value)
    assert found == customer
    assert CODEC.encode(found) == value
    types = [[type(each) for each in [*life.sums, *life.facts]] for life in found.lives.values()]
    assert types == [[type(each) for each in [*life.sums, *life.facts]] for life in customer.lives.values()]


@given(customer=customers())
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_header_tells_the_next_deadline_and_the_stages(customer: Customer) -> None:
    """What recovery needs of a record, without its body."""
    header = CODEC.header(CODEC.encode(customer))
    expected = due(MODEL, customer)
    assert header.due == expected
    assert header.stages == tuple((name, life.stage) for name, life in customer.lives.items())
    assert header.current is (len(customer.lives) == len(MODEL.lifecycles))


def test_the_header_is_readable_alone() -> None:
    """Format and flags, the deadline, the last sign of life, the length; nothing behind that is looked at."""
    customer = walked(list(MODEL.lifecycles), [(T0, "buy", {"total": 10})])
    value = CODEC.encode(customer)
    end = 20 + int.from_bytes(value[18:20], "little")
    assert value[0] == 1
    assert int.from_bytes(value[2:10], "little", signed=True) == T0 + 5 * DAY
    assert int.from_bytes(value[10:18], "little", signed=True) == T0
    assert CODEC.header(value[:end]) == CODEC.header(value)
    assert CODEC.header(value).stages == (("shop", "customer"), ("zoo", "out"))


@pytest.mark.parametrize("name", ["x" * 256, "é" * 128, "\U0001f600" * 64, "\x00", "a:b/c d"])
def test_an_id_is_kept_to_the_byte(name: str) -> None:
    """The longest ones, in any letters."""
    customer = walked(list(MODEL.lifecycles), [(T0, "buy", {"country": name})])
    customer.id = name
    assert CODEC.decode(customer_key("customer", name), CODEC.encode(customer)) == customer


def test_the_same_id_of_a_customer_and_of_a_visitor_are_two_records() -> None:
    """The key begins with a byte for the name space, and holds the id as it is."""
    assert customer_key("customer", "Zoë") == b"cZo\xc3\xab"
    assert customer_key("anonymous", "Zoë") == b"aZo\xc3\xab"
    customer = walked(list(MODEL.lifecycles), [(T0, "buy", {})])
    found = CODEC.decode(b"aZo\xc3\xab", CODEC.encode(customer))
    assert (found.kind, found.id) == ("anonymous", "Zoë")


@pytest.mark.parametrize("name", [None, *presets()])
def test_a_typical_customer_takes_some_hundred_bytes(name: str | None) -> None:
    """Sixty interactions in as many days with two orders, three of them on the last day."""
    lifecycle = load(name).lifecycle if name else MODEL.lifecycles[0]
    names = ["visit", "Product Viewed", "form", "search", "visit", "email_opened", "add_to_cart"]
    history: list[tuple[int, str, dict[str, object]]] = [
        (T0 + day * DAY + day * 1_237_003, names[day % 7], {"country": "DE", "path": "/pricing", "score": 9})
        for day in range(57)
    ]
    orders: list[tuple[int, str, dict[str, object]]] = [
        (T0 + 80 * DAY + 7_000 * minute, each, {"total": 49.95, "country": "DE"})
        for minute, each in enumerate(["visit", "Order Completed", "buy"])
    ]
    customer = walked([lifecycle], [*history, *orders])
    most = 480 if name == "b2b" else 400  # it keeps twenty times of a cool-down, and eight days of visits
    assert len(CustomerCodec(model_of([lifecycle])).encode(customer)) < most


@given(customer=customers())
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_who_remembers_no_import_is_written_in_format_1_to_the_byte(customer: Customer) -> None:
    """An older worker reads it. Who remembers one is written in format 2, which an older worker refuses."""
    with_rows = CODEC.encode(customer)
    remembered, customer.rows = customer.rows, None
    without = CODEC.encode(customer)
    assert without[0] == 1
    if remembered is None:
        assert with_rows == without
    else:
        head = 20 + int.from_bytes(without[18:20], "little")
        assert with_rows[0] == 2
        assert with_rows[1:head] == without[1:head]
        assert (without[head], with_rows[head]) == (0x95, 0x96)  # one element more
        assert with_rows[head + 1 :].startswith(without[head + 1 :])


@pytest.mark.parametrize("file", [FORMAT_1, FORMAT_2], ids=["1", "2"])
def test_a_customer_of_every_format_is_read_for_ever(file: Path) -> None:
    """The records that earlier versions wrote; these files are never written again, only more beside them."""
    written = json.loads(file.read_text(encoding="utf-8"))
    model = loaded(*written["lifecycles"])
    codec = CustomerCodec(model)
    for layout in written["layouts"]:
        codec.learn(bytes.fromhex(layout))
    for record in written["customers"]:
        key, value = bytes.fromhex(record["key"]), bytes.fromhex(record["value"])
        assert plain(model, codec.decode(key, value)) == record["decoded"]
        header = codec.header(value)
        assert [header.due, [list(each) for each in header.stages]] == record["header"]
    not_known = {"topic_ids": {}, "settings": {}, "begun": None, "since": None, "changes_from": {}}
    added = not_known | {"generation": 1, "gathered": {}}  # later
    position = decode_position(bytes.fromhex(written["position"]["value"]))
    assert plain_position(position) == added | written["position"]["decoded"]


def test_a_record_of_format_1_is_written_with_the_lifecycles_as_they_are() -> None:
    """The digests did not change: an unchanged file is not taken for an edited one."""
    written = json.loads(FORMAT_1.read_text(encoding="utf-8"))
    codec = CustomerCodec(loaded(*written["lifecycles"]))
    assert all(codec.header(bytes.fromhex(record["value"])).current for record in written["customers"])


def test_records_of_every_format_ever_written_are_kept() -> None:
    """A new format comes with a file of its own beside the old ones, which stay."""
    kept = {path.name for path in FORMAT_1.parent.iterdir()}
    assert kept == {
        f"format_{number}.json" for number in range(1, max(customer_records.NEWEST, positions.WITH_GENERATION) + 1)
    }


def plain(model: Model, customer: Customer) -> Any:
    """A customer as JSON has it: remembered ids with their moments, one sum a slot."""
    told = everything_of(model, customer)
    assert told.pop("edited") is None  # no part of the record
    id_hashes, id_times = told.pop("id_hashes"), told.pop("id_times")
    numbers = [
        int.from_bytes(id_hashes[at : at + ID_HASH_BYTES], "little") for at in range(0, len(id_hashes), ID_HASH_BYTES)
    ]
    if told["rows"] is None:  # as in the first format, which knew of no imports
        del told["rows"]
    else:
        told["rows"] = [[source.hex(), time, number] for source, time, number in told["rows"]]
    told["remembered"] = list(zip(numbers, id_times, strict=True))
    for life in told["lives"].values():
        if life["memory"] is None:  # as in the first two formats
            del life["memory"]
        life["sums"] = [one or other for one, other in zip(life["sums"], life.pop("millionths"), strict=True)]
    return json.loads(json.dumps(told))


def plain_position(position: Position) -> Any:
    """A position as JSON has it."""
    return json.loads(encode_position(position))


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x05" + b"\x00" * 30, b"\xff"])
def test_a_newer_format_is_refused(value: bytes) -> None:
    """With a message that says which version to run."""
    for read in (CODEC.header, lambda value: CODEC.decode(b"cx", value)):
        with pytest.raises(StateError, match="this version reads 1 to 4: it was written by a newer version"):
            read(value)
    for layout in (value, b"\x02" + b"\x00" * 30):
        with pytest.raises(StateError, match="this version reads 1: it was written by a newer version"):
            CODEC.learn(layout)
    with pytest.raises(StateError):
        decode_position(b'{"format":4,"offsets":{},"partitions":1}')
    with pytest.raises(StateError, match="cannot be read"):
        decode_position(value)


def test_a_record_that_was_cut_short_is_an_error_wherever_it_was_cut() -> None:
    """Never a customer with something missing."""
    value = CODEC.encode(walked(list(MODEL.lifecycles), [(T0, "visit", {}), (T0 + HOUR, "buy", {"country": "DE"})]))
    imported = walked(list(MODEL.lifecycles), [(T0, "visit", {})])
    imported.rows = [ImportedRow(b"import-1", T0, 5), ImportedRow(b"import-2", 0, 70_000)]
    for whole in (value, CODEC.encode(imported)):
        for end in range(len(whole)):
            with pytest.raises(StateError):
                CODEC.decode(b"cx", whole[:end])


def test_a_length_beyond_the_record_is_an_error_before_anything_is_made_of_it() -> None:
    """Four bytes could ask for a list of 32 GiB."""
    for claimed in (b"\x91", b"\xdc\xff\xff", b"\xdd\xff\xff\xff\xff"):
        with pytest.raises(ValueError, match="malformed"):
            Unpacker(claimed, 0).length()


def test_a_record_whose_layout_is_unknown_is_refused() -> None:
    """Guessing would count one signal as another; the message names the digest."""
    value = CODEC.encode(walked(list(MODEL.lifecycles), [(T0, "buy", {})]))
    other = CustomerCodec(loaded(ZOO))
    digest = MODEL.lifecycles[0].digest.hex()
    for read in (other.header, lambda value: other.decode(b"cx", value)):
        with pytest.raises(StateError, match=f"layout {digest}, of which there is no layout record"):
            read(value)
    other.learn(CODEC.layout_records()[0][1])
    assert list(other.decode(b"cx", value).lives) == ["zoo"]


def test_a_layout_record_s_key_is_its_digest() -> None:
    """Beginning with the byte of layouts; one for each lifecycle of the model, in its order."""
    keys = [key for key, _value in CODEC.layout_records()]
    assert keys == [b"t" + each.digest for each in MODEL.lifecycles]
    assert all(len(each.digest) == 8 for each in MODEL.lifecycles)


def test_a_position_is_read_as_it_was_written() -> None:
    """Also before anything was seen."""
    for position in (
        Position(offsets={}, partitions=1),
        Position(
            offsets={"interactions": 2**62},
            clock=-5,
            partitions=16,
            live_from=T0,
            lifecycles={"shop": "00ff"},
            settings={"grace": "0ms"},
            begun=0,
            since=7,
            changes_from={"3": 12},
        ),
    ):
        assert decode_position(encode_position(position)) == position
