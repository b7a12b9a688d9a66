"""The published schema of lifecycle files, its examples and the loader say the same.

An example that is refused, or warned of, begins with what must be found in it, a comment for each finding:

    # 5:10: event name 'page' already stands for the word 'visit'; a name has one word
"""

import json
import re
from copy import deepcopy
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from stream.codec.lifecycle_yaml.bounded_yaml import MAX_FILE_BYTES
from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFileError, load, load_all, parse, presets
from stream.core.language.definition import KEYS, define
from stream.core.language.facts import KINDS
from stream.core.language.parser import RESERVED
from stream.core.lifecycle import DefinitionError
from tests.properties.lifecycles import lifecycles

SCHEMAS = Path(__file__).parents[2] / "schemas"
SCHEMA = json.loads((SCHEMAS / "lifecycle.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
VALID = sorted((SCHEMAS / "examples" / "lifecycle").glob("*.yaml"))
INVALID = sorted((SCHEMAS / "examples" / "lifecycle-invalid").glob("*.yaml"))
WARNED = sorted((SCHEMAS / "examples" / "lifecycle-warnings").glob("*.yaml"))

BEYOND_THE_SCHEMA = {
    **dict.fromkeys(
        ["grammar", "never", "place", "type", "where"],
        "a schema does not read conditions, but for their length",
    ),
    "band-is-a-score": "a schema does not compare two keys",
    "band-names-alike": "a schema does not multiply",
    "band-of-an-unknown-score": "a schema does not look up names",
    "band-range-of-true": "an editor's schema sees a text there",
    "band-ranges-ascend": "a schema does not compare two keys",
    "band-ranges-open-in-the-middle": "a schema knows no order of keys",
    "band-too-many": "a schema does not multiply",
    "fact-counts-and-subtracts": "a schema does not compare two keys",
    "fact-first-of-a-ledger": "a schema does not look up names",
    "fact-is-a-score": "a schema does not compare two keys",
    "fact-minus-is-an-event-name": "a schema does not look up names",
    "fact-of-an-unknown-ledger": "a schema does not look up names",
    "fact-sum-with-within-of-many": "a schema does not compare two keys",
    "fact-word-is-an-event-name": "a schema does not look up names",
    "figure-by-a-count": "a schema does not look up names",
    "figure-by-an-unknown-fact": "a schema does not look up names",
    "figure-counts-and-subtracts": "a schema does not compare two keys",
    "figure-minus-of-another-amount": "a schema does not look up names",
    "figure-of-an-unknown-ledger": "a schema does not look up names",
    "interactions-name-has-two-words": "a schema does not look up names",
    "interactions-name-is-a-word": "a schema does not look up names",
    "ledger-is-a-word": "a schema does not look up names",
    "ledger-word-twice": "a schema does not compare two keys",
    "memory-too-much": "a schema does not add up",
    "passive-is-an-event-name": "a schema does not look up names",
    "rate-is-a-figure": "a schema does not compare two keys",
    "rate-of-an-unknown-figure": "a schema does not look up names",
    "score-floor-with-a-latest-value": "a schema does not look up names",
    "score-floor-with-points-that-expire": "a schema does not look up names",
    "score-half-life-over-a-century": "a pattern does not multiply",
    "score-max-is-not-a-number": "a schema knows no NaN",
    "score-min-above-max": "a schema does not compare two keys",
    "signal-each-is-a-ledger": "a schema does not look up names",
    "signal-each-is-an-event-name": "a schema does not look up names",
    "signal-expires-in-a-score-with-half-life": "a schema does not look up names",
    "signal-latest-in-a-score-with-half-life": "a schema does not look up names",
    "signal-latest-value-is-nothing": "a key is a text for a schema",
    "signal-latest-value-twice": "a key is a text for a schema",
    "signal-ledger-of-another-word": "a schema does not look up names",
    "signal-ledger-unknown": "a schema does not look up names",
    "signal-no-scores": "a schema does not look up names",
    "signal-reset-unknown-score": "a schema does not look up names",
    "signal-unknown-score": "a schema does not look up names",
    "stage-only-reached-from-unreachable-ones": "a schema does not follow transitions",
    "stage-unreachable": "a schema does not follow transitions",
    "transition-from-all": "a schema does not look up names",
    "transition-from-unknown-stage": "a schema does not look up names",
    "transition-from-unlike-any-stage": "a schema does not look up names",
    "transition-to-in-capitals": "a schema does not look up names",
    "transition-hold-of-an-interaction": "a schema does not read conditions",
    "transition-to-itself": "a schema does not compare two keys",
    "transition-to-unknown-stage": "a schema does not look up names",
    **dict.fromkeys(
        ["time-zone-abbreviation", "time-zone-offset", "time-zone-town", "time-zone-unknown"],
        "a schema does not have the names of all time zones",
    ),
}
WITHIN_THE_SCHEMA = ("grammar-too-long", "place-several", "where-is-a-number")
"""Of the families that are beyond the schema, those that it can refuse."""


def plain(text: str) -> object:
    """The document as an editor's schema validator sees it."""
    return YAML(typ="safe", pure=True).load(text)


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def expected(text: str) -> list[str]:
    found = []
    for line in text.split("\n"):
        if not re.match(r"# \d+:\d+: ", line):
            break
        found.append(line.removeprefix("# "))
    return found


def examples(paths: list[Path]) -> list[object]:
    """Parameters named for the files."""
    return [pytest.param(path, id=path.stem) for path in paths]


def is_beyond(stem: str) -> bool:
    if stem in WITHIN_THE_SCHEMA:
        return False
    return stem in BEYOND_THE_SCHEMA or stem.partition("-")[0] in BEYOND_THE_SCHEMA


def subschemas(part: object) -> list[dict[str, object]]:
    if isinstance(part, list):
        return [each for one in part for each in subschemas(one)]
    if not isinstance(part, dict):
        return []
    return [part, *(each for one in part.values() for each in subschemas(one))]


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


def test_every_key_is_described_and_has_an_example_that_it_allows():
    definitions = SCHEMA["$defs"]
    for part in subschemas(SCHEMA):
        for key, told in dict(part.get("properties") or {}).items():
            if set(told) <= {"const"}:
                continue
            target = definitions[told["$ref"].rpartition("/")[2]] if "$ref" in told else {}
            assert len(told.get("description") or target["description"]) > 15, key
            for example in told.get("examples") or target["examples"]:
                Draft202012Validator({**told, "$defs": definitions}).validate(example)


def test_the_schema_knows_the_keys_and_names_that_the_loader_knows():
    assert tuple(SCHEMA["properties"]) == KEYS
    assert set(SCHEMA["$defs"]["name"]["not"]["enum"]) == RESERVED
    assert [each["required"] for each in SCHEMA["$defs"]["fact"]["oneOf"]] == [[kind] for kind in KINDS]


@pytest.mark.parametrize("preset", presets())
def test_a_preset_passes_the_schema_and_names_it_for_editors(preset):
    text = files("stream.presets").joinpath(f"{preset}.yaml").read_text(encoding="utf-8")
    assert list(VALIDATOR.iter_errors(plain(text))) == []
    named = text.split("\n")[0].removeprefix("# yaml-language-server: $schema=")
    folder = SCHEMAS.parent / "stream" / "presets"
    assert (folder / named).resolve() == (SCHEMAS / "lifecycle.schema.json").resolve()


@pytest.mark.parametrize("path", examples(VALID))
def test_a_valid_example_passes_the_schema_and_loads_without_a_warning(path):
    assert list(VALIDATOR.iter_errors(plain(read(path)))) == []
    assert load(str(path)).warnings == ()


def test_every_key_of_a_lifecycle_file_stands_in_the_example():
    def keys(part: object) -> set[str]:
        if isinstance(part, list):
            return {key for each in part for key in keys(each)}
        return set(part) | {key for each in part.values() for key in keys(each)} if isinstance(part, dict) else set()

    known = {key for part in subschemas(SCHEMA) for key in dict(part.get("properties") or {})}
    assert known - keys(plain(read(SCHEMAS / "examples" / "lifecycle" / "shop.yaml"))) == set()


@pytest.mark.parametrize("path", examples(INVALID))
def test_an_invalid_example_is_refused_with_its_message_at_its_place(path):
    text = read(path)
    with pytest.raises(LifecycleFileError) as caught:
        parse(text, "wrong.yaml")
    assert [f"{each.line}:{each.column}: {each.message}" for each in caught.value.findings] == expected(text)
    assert expected(text)


@pytest.mark.parametrize("path", [path for path in INVALID if not path.stem.startswith("yaml-")], ids=lambda p: p.stem)
def test_the_schema_refuses_an_invalid_example_too_where_a_schema_can(path):
    refused = not VALIDATOR.is_valid(plain(read(path)))
    assert refused != is_beyond(path.stem)


@pytest.mark.parametrize("path", examples(WARNED))
def test_a_doubtful_example_loads_with_its_warnings(path):
    text = read(path)
    warnings = parse(text, "doubtful.yaml").warnings
    assert [f"{each.line}:{each.column}: {each.message}" for each in warnings] == expected(text)
    assert expected(text)
    assert VALIDATOR.is_valid(plain(text))


def test_no_example_is_excused_that_is_not_there():
    stems = {path.stem for path in [*INVALID, *WARNED]}
    families = {stem.partition("-")[0] for stem in stems}
    assert set(WITHIN_THE_SCHEMA) | set(BEYOND_THE_SCHEMA) <= stems | families


# --- files that cannot be read at all


def one_finding(source: object) -> str:
    with pytest.raises(LifecycleFileError) as caught:
        load(str(source))
    return str(caught.value)


def test_a_file_that_is_not_there_is_named_and_presets_are_offered_for_a_bare_name(tmp_path):
    assert one_finding(tmp_path / "shop.yaml") == f"{tmp_path}/shop.yaml:1:1: cannot be read: No such file or directory"
    assert one_finding("jurney").endswith(f"No such file or directory; presets are {', '.join(presets())}")


def test_a_file_that_is_not_utf8_is_refused_with_the_line(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_bytes("lifecycle: shop\ntitle: Gärtnerei\n".encode("latin-1"))
    assert one_finding(path) == f"{path}:2:1: not UTF-8; save the file as UTF-8"


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_bytes(b"\xef\xbb\xbflifecycle: shop\nstages: {a: {}}\n")
    assert load(str(path)).lifecycle.id == "shop"


def test_a_file_of_more_than_a_mebibyte_is_refused(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    assert one_finding(path) == f"{path}:1:1: larger than 1,048,576 bytes"


def test_two_files_with_one_id_and_all_other_problems_are_told_at_once(tmp_path):
    for name, text in (("one", "stages: {a: {}}"), ("two", "stages: {b: {}}"), ("three", "stages: {}")):
        (tmp_path / f"{name}.yaml").write_text(f"lifecycle: shop\n{text}\n", encoding="utf-8")
    with pytest.raises(LifecycleFileError) as caught:
        load_all([str(tmp_path / f"{name}.yaml") for name in ("one", "two", "three")])
    assert [each.message for each in caught.value.findings] == [
        f"the lifecycle 'shop' is already in {tmp_path}/one.yaml",
        "at least one stage is needed",
    ]


# --- whatever loads, an editor must not mark


@settings(deadline=None, max_examples=50)
@given(lifecycles())
def test_the_schema_passes_whatever_loads(lifecycle):
    define(lifecycle)
    assert list(VALIDATOR.iter_errors(lifecycle)) == []


ODD = [
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        1.5,
        20,
        1000,
        10**9,
        -1e15,
        999_999_999_999_999,
        "",
        "x",
        "*",
        "order",
        "visitor",
    ),
    *(
        "14d",
        "0d",
        "007d",
        "1.5d",
        "properties.total",
        "properties",
        'context . a [ "b c" ] .d',
        "identified",
        "idle > 1d",
    ),
    *(
        [],
        ["visit"],
        [""],
        [1],
        ["*"],
        ["a", "visitor"],
        {},
        {"a": None},
        {"interest": 1},
        {"times": 1, "per": "1d"},
    ),
]
SHOP = plain(read(SCHEMAS / "examples" / "lifecycle" / "shop.yaml"))


def places(part: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place of a document below its top."""
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [place for key, value in inner for place in ((*path, key), *places(value, (*path, key)))]


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(places(SHOP)),
    st.sampled_from(ODD),
    st.sampled_from(["replace", "remove", "add"]),
    st.data(),
)
def test_the_schema_passes_whatever_still_loads_after_a_change(place, odd, change, data):
    document = deepcopy(SHOP)
    around = document
    for key in place[:-1]:
        around = around[key]
    if change == "replace":
        around[place[-1]] = odd
    elif change == "remove":
        del around[place[-1]]
    elif isinstance(around, dict):
        names = [
            *KEYS,
            *KINDS,
            "each",
            "within",
            "keep",
            "where",
            "once",
            "title",
            "half_life",
            "a b",
            "Ü",
            "stage",
        ]
        around[data.draw(st.sampled_from(names))] = odd
    try:
        define(document)
    except DefinitionError:
        return
    assert list(VALIDATOR.iter_errors(document)) == []
