"""How lines of log look, and what they leave out."""

import json
import logging
from collections.abc import Iterator

import pytest

from stream.errors import BrokerError
from stream.logs import configure_logs
from stream.settings import Settings


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def failed() -> Exception:
    """An exception of which everything quotes a customer: its words, its cause's, and the variables around it."""
    record = {"customer_id": "canary"}
    try:
        try:
            int(record["customer_id"])
        except ValueError as error:
            raise KeyError(record["customer_id"]) from error
    except KeyError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_an_exception_above_debug_shows_its_kind_and_place_but_not_its_words(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor those of its cause, nor any variable."""
    configure_logs(Settings(log_format=log_format, log_level="debug"))
    logging.getLogger("a").error("it failed", exc_info=failed())
    said = capsys.readouterr().err
    assert "canary" not in said
    assert "KeyError: (its words are logged at debug)" in said
    assert "ValueError: (its words are logged at debug)" in said
    assert "test_logs.py" in said
    assert "in failed" in said


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_at_debug_it_shows_its_words(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    """For who looks for a fault on data of their own."""
    configure_logs(Settings(log_format=log_format, log_level="debug"))
    logging.getLogger("a").debug("it failed", exc_info=failed())
    assert "KeyError: 'canary'" in capsys.readouterr().err


def test_an_error_that_a_person_can_act_on_shows_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    """They speak of topics, settings and hosts."""
    configure_logs(Settings())
    logging.getLogger("a").error("it failed", exc_info=BrokerError("topic interactions is not there"))
    assert "BrokerError: topic interactions is not there" in capsys.readouterr().err


def test_all_exceptions_of_a_group_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """As Python does it, in the words of this log."""
    configure_logs(Settings())
    group = ExceptionGroup("canary", [ValueError("canary"), OSError(111, "Connection refused")])
    logging.getLogger("a").error("they failed", exc_info=group)
    said = capsys.readouterr().err
    assert "canary" not in said
    for words in ("ExceptionGroup: (", "ValueError: (", "ConnectionRefusedError: [Errno 111] Connection refused"):
        assert words in said


def test_a_line_of_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With its exception."""
    configure_logs(Settings(log_format="json"))
    logging.getLogger("a.b").warning("it %s", "failed", exc_info=failed())
    (line,) = capsys.readouterr().err.splitlines()
    seen = json.loads(line)
    assert (seen["event"], seen["level"], seen["logger"]) == ("it failed", "warning", "a.b")
    assert seen["exception"].startswith("Traceback (most recent call last):")
