"""Text of every sort that people and machines write: read as what it is, or refused with the documented error."""

from hypothesis import given
from hypothesis import strategies as st

from stream.cli.terminal.change_lines import line_of
from stream.codec.files.column_mapping import ColumnMapping, example
from stream.codec.stage_change_reader import read_change
from stream.core.durations import format_duration, parse_duration
from stream.core.expressions import ConditionError
from stream.core.interaction import MAX_TIME, MIN_TIME
from stream.core.language.conditions import compile_condition
from stream.core.language.names import Scope
from stream.core.language.parser import parse, parse_path
from stream.core.times import format_time, parse_time
from stream.errors import InputFileError
from tests.fuzz import nasty, world

PIECES = [
    *(
        "and",
        "or",
        "not",
        "in",
        "==",
        "!=",
        "<",
        ">=",
        "(",
        ")",
        "((((((((",
        "[",
        "]",
        "[[",
        ",",
        ".",
        "since(",
        "exists(",
        "lower(",
        "until(",
        "item",
        "item.price",
        "-3d",
        "contains",
        "starts",
        "ends",
        "like",
        "~",
    ),
    *("true", "false", "identified", "stage", "idle", "in_stage", "event.type", "properties.a.b", 'properties["a b"]'),
    *("warm", "brief", "value", "orders", "lately", "last", "country", "unknown", "1", "-0.5", "1e999", "9" * 4_000),
    *(
        "1e14",
        "90d",
        "999999999999999w",
        '"DE"',
        '"\\ud800"',
        '"\\u0000"',
        '"',
        "'",
        "\x00",
        "é",
        "=",
        "&&",
        "1.",
        "0x1",
    ),
]
SCOPE = Scope(
    {each.name: each for each in world.model().lifecycles[0].scores},
    {each.name: each for each in world.model().lifecycles[0].facts},
    tuple(world.model().lifecycles[0].stages),
    world.model().lifecycles[0].words,
)


def conditions() -> st.SearchStrategy[str]:
    """Conditions, most of them nearly right."""
    joined = st.lists(st.sampled_from(PIECES), max_size=20).map(" ".join)
    written = [each.condition.text for each in world.model().lifecycles[0].transitions]
    spoilt = nasty.damaged([each.encode() for each in written]).map(lambda data: data.decode("utf-8", "replace"))
    deep = st.builds(
        lambda piece, times, end: piece * times + "identified" + end * times,
        st.sampled_from(["(", "not ", "not (", "identified and (", "idle > 1d or not ("]),
        st.integers(1, 600),
        st.sampled_from([")", ""]),
    )
    return joined | spoilt | deep | st.text(max_size=40)


@given(conditions())
def test_a_condition_is_compiled_or_refused_at_a_place_in_it(text: str) -> None:
    for call in (parse, parse_path, lambda text: compile_condition(text, SCOPE)):
        error = nasty.raised_by(lambda call=call: call(text), documented=[ConditionError])
        if isinstance(error, ConditionError):
            assert 0 <= error.offset <= len(text)
            assert error.message


@given(st.sampled_from(nasty.SCALARS) | nasty.json_values() | st.text("0123456789-+:.TZtz W", max_size=30))
def test_a_time_is_a_moment_within_the_calendar_or_none(value: object) -> None:
    time = parse_time(value)
    if time is not None:
        assert MIN_TIME <= time <= MAX_TIME
        assert parse_time(format_time(time)) == time


@given(st.text("0123456789mshdw ", max_size=30) | st.text() | st.sampled_from(nasty.TEXTS))
def test_a_duration_is_milliseconds_or_none(text: str) -> None:
    length = parse_duration(text)
    if length is not None:
        assert length >= 0
        assert parse_duration(format_duration(length)) in (length, None)  # None: too many digits


TARGETS = ["customer_id", "type", "time", "id", "properties", "properties.a", "context.", "time.x", '"', '"a"', "x", ""]
MAPPINGS = st.lists(
    st.tuples(
        st.sampled_from(TARGETS) | st.text(max_size=5), st.sampled_from(["=", "==", "", "=", "="]), st.text(max_size=6)
    ),
    max_size=6,
).map(lambda pairs: ",".join("".join(pair) for pair in pairs))
GOOD = [b"id=order_no,customer_id=client,time=paid_at,type='Order Completed',properties.\"a.b\".total=amount"]


@given(MAPPINGS | nasty.damaged(GOOD).map(lambda data: data.decode("utf-8", "replace")) | st.text())
def test_a_mapping_is_read_or_refused(text: str) -> None:
    found: list[ColumnMapping] = []
    nasty.raised_by(lambda: found.append(ColumnMapping.parse([text])), documented=[InputFileError])
    for mapping in found:
        assert mapping.record([1] * len(mapping.pairs))


@given(st.lists(st.text(max_size=10), max_size=8))
def test_every_header_has_an_example_of_a_mapping(columns: list[str]) -> None:
    nasty.raised_by(lambda: ColumnMapping.native(columns, "file"), documented=[InputFileError])
    assert example(columns).startswith("--map ")


CHANGE = {
    "lifecycle": "shop", "final": True, "from": None, "to": "lead", "at": 1_700_000_000_000, "customer_id": "c1",
    "trigger": {"kind": "interaction", "type": "page", "late": False}, "transition": "idle > 1d", "scores": {"a": 1.5},
    "born": "0-0", "sequence": 1, "source": {"topic": "interactions", "partition": 0, "offset": 7},
}  # fmt: skip


@given(nasty.anything([CHANGE]) | st.none())
def test_whatever_lies_on_the_topic_of_stage_changes_has_a_line_or_is_none(value: bytes | None) -> None:
    """The line is one line, and nothing in it steers the terminal."""
    change = read_change(value)
    if change is not None:
        assert line_of(change).plain.isprintable()
