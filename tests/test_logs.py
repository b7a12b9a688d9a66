"""How lines of log look, and what they leave out."""

import json
import logging
from collections.abc import Iterator

import pytest

from stream.errors import BrokerError
from stream.events import Event, report
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
    assert (seen["event"], seen["message"]) == ("library", "it failed")
    assert (seen["level"], seen["logger"]) == ("warning", "a.b")
    assert seen["exception"].startswith("Traceback (most recent call last):")


def recovered(**facts: object) -> None:
    """One of our own lines."""
    report(
        logging.getLogger("a").info,
        Event.PARTITION_RECOVERED,
        "partition {partition}: recovered {records} records in {seconds:.2f} s",
        **{"partition": 2, "records": 325, "seconds": 0.0312, **facts},
    )


def test_one_of_our_lines_is_a_sentence_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the facts: they are in it."""
    configure_logs(Settings())
    recovered(offset=279)
    (line,) = capsys.readouterr().err.splitlines()
    assert "partition 2: recovered 325 records in 0.03 s" in line
    assert "279" not in line


def test_one_of_our_lines_is_an_event_with_its_facts_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence is there, too, and a fact that the sentence leaves out."""
    configure_logs(Settings(log_format="json"))
    recovered(offset=279)
    seen = json.loads(capsys.readouterr().err)
    assert seen.pop("timestamp")
    assert seen == {
        "event": "partition_recovered",
        "message": "partition 2: recovered 325 records in 0.03 s",
        "level": "info",
        "logger": "a",
        "partition": 2,
        "records": 325,
        "seconds": 0.0312,
        "offset": 279,
    }


def test_a_sentence_says_how_many_like_it_were_kept_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for kept_back in (0, 3):
        recovered(kept_back=kept_back)
    assert [record.getMessage().partition(" s")[2] for record in caplog.records] == [
        "",
        " (3 more like this kept back)",
    ]


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [([], "none"), ([5], "5"), ([0, 1, 2, 7], "0-2, 7"), (["a", "b"], "a, b"), ([0, 2, 3], "0, 2-3")],
)
def test_a_list_in_a_sentence_is_short(numbers: list[object], shown: str, caplog: pytest.LogCaptureFixture) -> None:
    """A worker may have hundreds of partitions."""
    report(logging.getLogger("a").warning, Event.PARTITIONS_GIVEN_UP, "{partitions}", partitions=numbers)
    assert caplog.messages == [shown]
