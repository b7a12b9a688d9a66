"""Whatever stands in `webhooks.yaml`: it is read, or refused with places in it, and never with a secret."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from stream.core.expressions import ConditionError
from stream.webhooks.endpoints.change_conditions import Holds, compile_change_condition
from stream.webhooks.endpoints.endpoint_file import EndpointFileError, read_endpoints
from tests.webhooks.changes import change_of, value_of
from tests.webhooks.templates import load_template
from tests.webhooks.test_endpoint_file import ENVIRONMENT, WHOLE, plain

STRAY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ODD: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        1.5,
        10**20,
        float("inf"),
        "",
        "x",
        "latest",
        "1/s",
        "5m",
        "final",
        "https://x.example",
        STRAY,
    ),
    *([], [None], [STRAY], [[STRAY]], {}, {"env": "TOKEN"}, {"env": STRAY}, {"file": STRAY}, {"file": "\0"}),
    *({"env": ["a"]}, {1: 2}, {None: STRAY}, {STRAY: None}, [{"env": None}], {"a": {"b": STRAY}}),
]
WORDS = [
    *(
        "to",
        "from",
        "final",
        "orders",
        "facts.",
        "scores.x",
        "since(",
        "lower(",
        "exists(",
        ")",
        "(",
        "[",
        "]",
        ",",
        "==",
    ),
    *(
        "!=",
        "<",
        "in",
        "contains",
        "and",
        "or",
        "not",
        '"a"',
        "5",
        "-3d",
        "true",
        "event.type",
        "item",
        ".",
        '"',
        "é",
        "\0",
    ),
]


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [place for key, value in inner for place in ((*path, key), *places(value, (*path, key)))]


@given(st.sampled_from(places(plain(WHOLE))), st.sampled_from(ODD), st.sampled_from(["replace", "remove", "add"]))
def test_a_file_with_anything_in_one_place_is_read_or_refused_with_its_places(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[Any, ...], odd: Any, change: str
) -> None:
    document = deepcopy(plain(WHOLE))
    around = document
    for key in place[:-1]:
        around = around[key]
    if change == "remove":
        del around[place[-1]]
    elif change == "add" and isinstance(around, dict):
        around[odd if isinstance(odd, str | int | None) else "more"] = odd
    else:
        around[place[-1]] = odd
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(document, file)
    lines = path.read_text(encoding="utf-8").count("\n") + 1
    error = refusal(path)
    assert error is None or error.findings
    assert STRAY[8:] not in str(error)
    for each in [] if error is None else error.findings:
        assert 1 <= each.line <= lines
        assert each.column >= 1
        assert each.message


def refusal(path: Path) -> EndpointFileError | None:
    try:
        read_endpoints(path, load_template, environment=ENVIRONMENT)
    except EndpointFileError as error:
        return error
    return None


@given(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join) | st.text(max_size=30))
def test_a_condition_of_any_words_answers_or_is_refused_with_a_place_in_it(text: str) -> None:
    condition = compiled(text)
    if isinstance(condition, ConditionError):
        assert 0 <= condition.offset <= len(text)
        assert condition.message
        return
    for value in (value_of(), value_of(to=None, scores={}, facts={}, customer_id=..., anonymous_id="a")):
        assert condition(change_of(value)) in (True, False)


def compiled(text: str) -> Holds | ConditionError:
    try:
        return compile_change_condition(text)
    except ConditionError as error:
        return error
