"""No input takes more memory or work than its size accounts for, and no moment more than one transaction's worth."""

import json
import sys
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from types import FrameType

import pytest

from stream.codec.controls import tick
from stream.codec.dead_letter_reasons import MAX_BYTES, Rejected
from stream.codec.files.csv_records import csv_rows
from stream.codec.files.notation import PLAIN
from stream.codec.files.source_file import SourceFile
from stream.codec.files.survey import Survey
from stream.codec.files.table_records import Unreadable, table_records
from stream.codec.files.text_lines import MAX_LINE, Lines
from stream.codec.interactions import DEFAULT_BLOCKED, Interaction
from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFileError, parse
from stream.core.expressions import ConditionError
from stream.core.language.parser import parse as parse_condition
from stream.core.model import model_of
from stream.machine.budget import MAX_BYTES as MOST_WRITTEN
from stream.machine.budget import MAX_FIRED
from stream.settings import Settings
from tests.fuzz import nasty, world
from tests.kit.decoding import decode
from tests.kit.lifecycles import buy
from tests.kit.machines import Record, machine, records_of, run_all
from tests.kit.times import DAY, T0

MEMORY = 48
"""Bytes of memory for each byte of a record while it is handled; docs/guarantees.md says so."""
STREAM = Settings(clock="stream")
HEAD = b'{"type":"order","customer_id":"c1","time":1700000000000,"properties":{"total":'


def filled(piece: Callable[[int], bytes], size: int, opening: bytes, closing: bytes) -> bytes:
    """A record of about `size` bytes, of pieces within its properties."""
    number, room, pieces = 0, size - len(HEAD) - 20, []
    while room > 0:
        pieces.append(piece(number))
        room -= len(pieces[-1]) + 1
        number += 1
    return HEAD + opening + b",".join(pieces[:-1]) + closing + b"}}"


WORST: dict[str, Callable[[int], bytes]] = {
    "empty lists": lambda size: filled(lambda _: b"[]", size, b"[", b"]"),
    "empty objects": lambda size: filled(lambda _: b"{}", size, b"[", b"]"),
    "objects of one key": lambda size: filled(lambda _: b'{"":0}', size, b"[", b"]"),
    "lists of one number": lambda size: filled(lambda _: b"[9]", size, b"[", b"]"),
    "keys": lambda size: filled(lambda number: b'"%x":0' % number, size, b"{", b"}"),
    "one key again and again": lambda size: filled(lambda _: b'"a":{}', size, b"{", b"}"),
    "numbers": lambda size: filled(lambda number: b"%d" % (number % 999 + 300), size, b"[", b"]"),
    "fractions": lambda size: filled(lambda _: b".5".rjust(3, b"1"), size, b"[", b"]"),
    "texts": lambda size: filled(lambda number: b'"%x"' % number, size, b"[", b"]"),
    "one text": lambda size: HEAD + b'"' + b"x" * (size - len(HEAD) - 10) + '\U0001f600"'.encode() + b"}}",
    "escapes": lambda size: HEAD + b'"' + b"\\u0000" * ((size - len(HEAD) - 10) // 6) + b'"}}',
    "deepest": lambda size: filled(lambda _: b"[" * 60 + b"]" * 60, size, b"[", b"]"),
    "too deep": lambda size: filled(lambda _: b"[" * 65 + b"]" * 65, size, b"[", b"]"),
    "far too deep": lambda size: b"[" * size,
    "one number": lambda size: HEAD + b"9" * (size - len(HEAD) - 2) + b"}}",
    "no numbers": lambda size: filled(lambda _: b"NaN", size, b"[", b"]"),
    "a text without end": lambda size: HEAD + b'NaN,"t":"' + b'\\"' * ((size - len(HEAD) - 20) // 2),
    "lost digits": lambda size: filled(lambda _: b"9" * 20, size, b"[", b"]").replace(b'"c1"', b"9" * 20, 1),
    "no JSON at the end": lambda size: filled(lambda _: b"[]", size, b"[", b"]")[:-1],
    "no UTF-8 at the end": lambda size: b'"' + b"x" * (size - 3) + b'\xff"',
    "blanks": lambda size: b" " * size,
    "name": lambda size: b'{"customer_id":"c","type":"' + b"x" * (size - 30) + b'"}',
    "time": lambda size: b'{"customer_id":"c","type":"x","time":"2023-01-01T00:00:00.' + b"1" * (size - 70) + b'"}',
}


def peak(call: Callable[[], object]) -> int:
    """The most memory, in bytes, that `call` took at once."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def work(call: Callable[[], object]) -> int:
    """How many functions, Python's and C's, `call` called."""
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(None)
    return counted


def doubles(call: Callable[[int], Callable[[], object]], size: int) -> None:
    """Twice the input takes at most about twice the work."""
    once, twice = work(call(size)), work(call(2 * size))
    assert twice <= 2.2 * once + 200, f"{once} calls for {size}, {twice} for twice as much"


@pytest.mark.slow
@pytest.mark.parametrize("name", WORST)
def test_a_record_of_the_largest_size_takes_a_bounded_multiple_of_it_in_memory(name: str) -> None:
    """The whole way through the machine, its dead letter included; and afterwards nothing of it is left."""
    value = WORST[name](MAX_BYTES)
    assert 0.9 * MAX_BYTES < len(value) <= MAX_BYTES
    made = machine(world.model(), STREAM)
    run_all(made, records_of([buy("c1", T0)]))
    record = Record(1, T0, b"c1", value)
    assert peak(lambda: run_all(made, [record])) < MEMORY * len(value)
    store = made._store
    kept = [each for each in (*(slot.value for slot in store._slots.values()), *store._before) if each is not None]
    assert 0 < sum(map(len, kept)) < 10_000


@pytest.mark.parametrize("name", WORST)
def test_a_record_twice_as_large_takes_at_most_twice_the_work(name: str) -> None:
    def reading(size: int) -> Callable[[], object]:
        value = WORST[name](size)
        return lambda: decode(value, T0, DEFAULT_BLOCKED)

    doubles(reading, 100_000)


def test_the_worst_records_are_read_where_they_are_interactions() -> None:
    """Else the bounds would be those of refusing."""
    read = {name for name, made in WORST.items() if isinstance(decode(made(50_000), T0, DEFAULT_BLOCKED), Interaction)}
    damaged = {"a text without end", "no JSON at the end", "no UTF-8 at the end", "blanks"}
    assert read == set(WORST) - damaged - {"too deep", "far too deep", "name"}


@pytest.mark.slow
def test_a_million_keys_are_beyond_the_largest_record() -> None:
    value = json.dumps({str(number): 0 for number in range(1_000_000)}).encode()
    result: list[object] = []
    assert peak(lambda: result.append(decode(value, T0, DEFAULT_BLOCKED))) < 10_000
    assert isinstance(result[0], Rejected)


SMALL = "lifecycle: x\nfacts: {l: {latest: properties.x}}\n"


def lifecycle_of(kind: str, count: int) -> str:
    """A lifecycle file with so many of something."""
    numbers = range(count)
    match kind:
        case "stages":
            return SMALL + "stages:\n" + "".join(f"  s{number}: {{}}\n" for number in numbers)
        case "words":
            names = "".join(f"  w{number}: [n{number}]\n" for number in numbers)
            return SMALL + "stages: {a: {}}\ninteractions:\n" + names
        case "unknown words":
            some = ",".join(f"u{number}" for number in numbers)
            return (
                lifecycle_of("words", count) + f"scores: {{s: {{}}}}\nsignals: {{a: {{each: [{some}], add: {{s: 1}}}}}}"
            )
        case "problems":
            some = "".join(f"  - {{from: a, to: x{number}, when: y}}\n" for number in range(count))
            return SMALL + "stages: {a: {}, b: {}}\ntransitions:\n" + some
        case "aliases":
            return SMALL + "stages: {a: {}}\ntitle: &a [" + "a," * count + "]\npassive: [" + "*a," * count + "]\n"
        case "brackets":
            return "a: " + "[" * count
    raise ValueError(kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["stages", "words", "unknown words", "problems", "aliases", "brackets"])
def test_a_lifecycle_file_twice_as_large_takes_at_most_twice_the_work(kind: str) -> None:
    def reading(count: int) -> Callable[[], object]:
        text = lifecycle_of(kind, count)
        return lambda: nasty.raised_by(lambda: parse(text, "file"), documented=[LifecycleFileError])

    # YAML lets a key be 1,024 characters long, so that up to there the reader looks ahead again and again.
    doubles(reading, 1_100 if kind == "brackets" else 400)


def test_cycles_of_many_stages_are_looked_for_only_so_long() -> None:
    """Any of 200 stages from any other, each by a value of its own: their cycles are hundreds of millions."""
    text = SMALL + "stages:\n" + "".join(f"  s{number}: {{}}\n" for number in range(200)) + "transitions:\n"
    text += "".join(f'  - {{from: "*", to: s{number}, when: l == {number}}}\n' for number in range(200))
    assert work(lambda: parse(text, "file")) < 10_000_000


def test_aliases_count_as_what_they_stand_for() -> None:
    """A billion laughs are refused before anything is made of them; a few are nobody's problem."""
    laughs = "a0: &a0 [ha, ha]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    with pytest.raises(LifecycleFileError, match="with its aliases written out"):
        parse(laughs, "file")
    assert peak(lambda: nasty.raised_by(lambda: parse(laughs, "file"), documented=[LifecycleFileError])) < 5_000_000
    parse(
        "lifecycle: x\nstages: {a: &a {channels: [email]}, b: *a}\ntransitions: [{from: a, to: b, when: identified}]",
        "f",
    )


def test_many_problems_are_told_up_to_a_hundred() -> None:
    with pytest.raises(LifecycleFileError) as caught:
        parse(lifecycle_of("problems", 250), "file")
    assert len(caught.value.findings) == 101
    assert "and more" in str(caught.value)


def test_a_condition_twice_as_long_takes_at_most_twice_the_work() -> None:
    for piece in ("(" * 20 + "a" + ")" * 20 + " and ", "a in [1,2,3] or ", "not not not a and ", '"x" == "y" or '):

        def reading(count: int, piece: str = piece) -> Callable[[], object]:
            text = piece * (count // len(piece)) + "a"
            return lambda: nasty.raised_by(lambda: parse_condition(text), documented=[ConditionError])

        doubles(reading, 2_000)


def test_a_csv_file_with_twice_the_columns_takes_at_most_twice_the_work() -> None:
    def reading(count: int) -> Callable[[], object]:
        header = ",".join(["customer_id", "type", "time", *(f"properties.p{number}" for number in range(count))])
        content = (header + "\nc,t,0" + ",1" * count + "\n").encode()
        reading = SourceFile("file", None, PLAIN, lambda value: decode(value, None, frozenset()), Survey(), None)
        return lambda: list(table_records(*csv_rows(Lines(BytesIO(content)), "file"), reading))

    doubles(reading, 2_000)


def test_a_csv_record_over_many_lines_is_bounded_as_a_line_is() -> None:
    """Every line closes one cell and opens the next: the record would be the whole file."""
    line = b'","' + b"x" * 1_000_000 + b"\n"
    content = b'customer_id,type,time\n"' + line * (MAX_LINE // len(line) + 10) + b'"\nc,t,0\n'
    found = list(csv_rows(Lines(BytesIO(content)), "file")[1])
    assert isinstance(found[0][1], Unreadable)
    assert "longer than 16 MiB" in found[0][1].detail
    assert peak(lambda: list(csv_rows(Lines(BytesIO(content)), "file")[1])) < 6 * MAX_LINE


ROUND = """
lifecycle: round
stages: {a: {}, b: {}}
transitions:
  - {from: a, to: b, when: in_stage >= 1ms}
  - {from: b, to: a, when: in_stage >= 1ms}
"""


@pytest.mark.slow
def test_deadlines_by_the_thousand_are_fired_in_bounded_transactions() -> None:
    """A thousand customers have a deadline every millisecond: 64 fire, then each waits; no batch grows with them."""
    customers = 1_000
    made = machine(model_of([parse(ROUND, "round.yaml").lifecycle]), STREAM)
    run_all(made, records_of([buy(str(number), T0) for number in range(customers)]))
    batches = run_all(made, records_of([tick(T0 + 365 * DAY)], broker_time=T0, first=customers))
    assert sum(len(batch.events) for batch in batches) == 64 * customers
    assert len(batches) > 2
    one = 64 * 2 * 1_500
    """Bytes of the changes of one customer, on both topics, at most."""
    for batch in batches:
        written = sum(len(each.value or b"") for each in [*batch.events, *batch.latest])
        assert written <= MOST_WRITTEN + one
        assert len(batch.state) <= MAX_FIRED + 2
    assert made.next_due() is None
