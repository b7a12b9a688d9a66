"""Files that people hand over: interactions to import, lifecycles, settings. Only the documented errors come out."""

import gzip
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.files.input_files import read_interactions
from stream.codec.files.notation import Notation
from stream.codec.files.reading_options import FROM_THE_FILE, ReadingOptions
from stream.codec.files.sorting import sort_by_time
from stream.codec.files.survey import Survey
from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFileError, load, parse, presets
from stream.core.interaction import Interaction
from stream.core.language.document import MAX_PROBLEMS
from stream.errors import InputFileError, SettingsError
from stream.settings_sources import load_settings
from tests.fuzz import nasty, world

Write = Callable[[str, bytes], Path]
CSV = [
    b'customer_id,type,time,properties.total\nc1,buy,1700000000000,9.5\n"c,2","buy",2023-01-01,"x\ny"\n',
    b"client;what;when;sum\n1;buy;20230101;1e999\n2;;;\n",
    b"\xef\xbb\xbfcustomer_id\ttype\ttime\r\nc\tt\t0\r\n",
]
LINES = b'{"type":"a","customer_id":"b","time":1}\n\n{"type":"c","anonymous_id":"d","time":"2023-01-01"}\n'
MAPPING = ColumnMapping.parse(["customer_id=client,type=what,time=when,properties.total=sum,context.a.b=x.y"])
GERMAN = b'client;what;when;sum;x.y\n"1";"buy";"03.01.2025 19:49";"1.234,56 \x80";\n2;buy;46087;7;\xfc\n'
LIST = b'[{"type":"a","customer_id":"b","time":1},\n 7, {"client":"c","what":"d","when":"03.01.2025","sum":"1,5"}]'
NAMES = st.sampled_from(["a.csv", "a.jsonl", "a.tsv.gz", "a", "a.json.gz", "a.CSV", "a.json", "a.csv.zst"])
OPTIONS = st.sampled_from(
    [
        FROM_THE_FILE,
        ReadingOptions(encoding="utf-16"),
        ReadingOptions(
            Notation("comma", "point", ("€",), ("%d.%m.%Y %H:%M", "excel", "iso"), "Europe/Berlin"), "windows-1252"
        ),
    ]
)


def workbook() -> bytes:
    """A small workbook, which is damaged then."""
    book = Workbook()
    assert book.active is not None
    for row in (["client", "what", "when", "sum", "x.y"], [1, "buy", date(2025, 1, 3), 1.5, None]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


WORKBOOK = workbook()


@pytest.fixture(scope="module")
def write(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Writes a file into one folder, over the one of that name before."""
    folder = tmp_path_factory.mktemp("files")

    def write(name: str, content: bytes) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return write


@st.composite
def input_files(draw: st.DrawFn) -> bytes:
    """CSV, JSON lines and neither; compressed at times, and then damaged."""
    payload = st.lists(nasty.interactions(), max_size=4).map(b"\n".join)
    content = draw(nasty.damaged([*CSV, LINES, GERMAN, LIST, WORKBOOK]) | payload | st.binary(max_size=40))
    match draw(st.integers(0, 5)):
        case 0:
            return gzip.compress(content)
        case 1:
            return draw(nasty.damaged([gzip.compress(content)]))
    return content


@given(NAMES, input_files(), st.sampled_from([None, MAPPING]), OPTIONS)
def test_every_record_of_a_file_is_an_interaction_or_has_a_reason(
    write: Write, name: str, content: bytes, mapping: ColumnMapping | None, options: ReadingOptions
) -> None:
    """A file that is none is an InputFileError; what could be read is sorted through a temporary file as it was."""
    read: list[Interaction] = []

    def read_all() -> None:
        survey = Survey(options)
        records = read_interactions(write(name, content), mapping=mapping, options=options, survey=survey)
        for line, record in records:
            assert line >= 1
            if isinstance(record, Rejected):
                assert record.reason in Reason
            else:
                read.append(record)
        survey.offer()

    nasty.raised_by(read_all, documented=[InputFileError])
    assert list(map(_told, sort_by_time(read, memory=300))) == list(
        map(_told, sorted(read, key=lambda each: each.time))
    )


def _told(interaction: Interaction) -> tuple[object, ...]:
    return (interaction.subject, interaction.id, interaction.name, interaction.time, interaction.properties)


YAML = [
    *("*a", "&a", "&a [*a]", "!!int ''", "!!bool maybe", "!!binary x", "!!float _", "? [a]\n: 1", "? {a: {b: c}}\n: 1"),
    *(
        "<<: *a",
        "<<: [1]",
        "{<<: {a: 1}}",
        "[" * 40,
        "{a: " * 40,
        "- " * 40,
        '"\\ud800"',
        '"\\UFFFFFFFF"',
        "\x00",
        "\t",
    ),
    *(
        "0x" + "f" * 5_000,
        "1" * 5_000,
        "1e999999",
        ".nan",
        "-.inf",
        "2001-99-99",
        "2001-01-01T99:00:00Z",
        "~",
        "|",
        ">",
    ),
    *("%YAML 9.9\n---\n", "---\n", "...\n", "# x", "'", '"', "null", "1:99:99", "01", "0o9", "yes", "\ufeff", "\u2028"),
]


@st.composite
def lifecycle_files(draw: st.DrawFn) -> str:
    """A good lifecycle with values, keys and whole lines replaced; every place by every sort of YAML."""
    lines = draw(st.sampled_from([world.EVERYTHING, SMALL])).splitlines(keepends=True)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(lines) - 1))
        line = lines[place]
        piece = draw(st.sampled_from([*YAML, *nasty.TEXTS]) | st.text(max_size=8))
        at = draw(st.integers(0, len(line)))
        match draw(st.integers(0, 4)):
            case 0:
                lines[place] = line[:at] + piece + line[at:]
            case 1:
                lines[place] = line[:at] + piece + line[min(len(line), at + len(piece)) :]
            case 2:
                head, colon, tail = line.partition(": ")
                lines[place] = head + colon + piece + "\n" if colon else tail + piece
            case 3:
                lines[place] = line + line
            case 4:
                del lines[place]
                lines.append("")
    return "".join(lines)


SMALL = """\
lifecycle: shop
version: 1
title: &a Shop
interactions:
  buy: [order]
facts:
  orders:
    count: buy
    within: 7d
stages:
  lead: {actions: [hello]}
  customer: {channels: [email]}
transitions:
  - from: lead
    to: customer
    when: orders >= 1
"""


@given(lifecycle_files() | st.text(max_size=60) | st.lists(st.sampled_from(YAML), max_size=6).map("\n".join))
def test_a_lifecycle_is_read_or_refused_with_the_place_of_each_problem(text: str) -> None:
    error = nasty.raised_by(lambda: parse(text, "file"), documented=[LifecycleFileError])
    if isinstance(error, LifecycleFileError):
        assert 1 <= len(error.findings) <= MAX_PROBLEMS + 1
        assert all(each.line >= 1 and each.column >= 1 and each.message for each in error.findings)


@given(nasty.damaged([world.EVERYTHING.encode()]))
def test_a_lifecycle_file_in_any_bytes_is_read_or_refused(write: Write, content: bytes) -> None:
    nasty.raised_by(lambda: load(str(write("lifecycle.yaml", content))), documented=[LifecycleFileError])


@pytest.mark.parametrize("name", ["", ".", "a\x00b", "a\udc80b", "x" * 5_000, "/dev/zero", "/proc/self/mem"])
def test_a_name_that_is_no_lifecycle_file_is_said_to_be_so(name: str) -> None:
    """Also of one without end, of which no more is read than a file may have."""
    with pytest.raises(LifecycleFileError):
        load(name)


SETTINGS = b"""
bootstrap = "127.0.0.1:9092"
partitions = 16
lifecycles = ["journey", "metrics"]
live_from = 2026-11-01T00:00:00Z
grace = "0ms"
blocked = []
"""
TOML = [
    b"[" * 5_000,
    b"{a=" * 400,
    b"a.b.c=1",
    b"=",
    b"0x" + b"f" * 5_000,
    b"9" * 5_000,
    b"inf",
    b"nan",
    b'"""',
    b"\x00",
]


def toml() -> st.SearchStrategy[bytes]:
    """A settings file, damaged."""
    joined = st.lists(st.sampled_from([*TOML, *SETTINGS.splitlines(), *nasty.RAW, b"app = "]), max_size=8)
    return nasty.damaged([SETTINGS]) | joined.map(b"\n".join) | joined.map(b"".join)


@given(toml())
def test_a_settings_file_is_read_or_refused(write: Write, content: bytes) -> None:
    path = write("settings.toml", content)
    nasty.raised_by(lambda: load_settings({}, file=path, environment={}), documented=[SettingsError])


@given(
    st.dictionaries(
        st.sampled_from(["grace", "partitions", "live_from", "web_port", "blocked", "session_timeout"]), st.text()
    )
)
def test_settings_of_the_environment_are_read_or_refused(values: dict[str, str]) -> None:
    environment = {f"LIFECYCLE_{name.upper()}": value for name, value in values.items()}
    nasty.raised_by(lambda: load_settings({}, environment=environment), documented=[SettingsError])


@pytest.mark.parametrize("name", ["a\x00b", "x" * 5_000, ".", "/dev/zero", "nowhere"])
def test_a_name_that_is_no_settings_file_is_said_to_be_so(name: str) -> None:
    with pytest.raises(SettingsError):
        load_settings({}, file=Path(name), environment={})


def test_presets_are_no_exception() -> None:
    """The strategies begin with what is good: none of it is refused."""
    for text in (world.EVERYTHING, SMALL):
        parse(text, "file")
    assert presets()
