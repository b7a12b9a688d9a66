"""A broker that is away costs a line now and then, not a flood."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiokafka.errors import KafkaError, SaslAuthenticationFailed

from stream.kafka.log_throttle import LIBRARIES, Throttle, _Gate, quiet_libraries, quiet_loop
from stream.kafka.refusals import refusal


@contextmanager
def quiet() -> Iterator[None]:
    """Quiet libraries; no fixture, for pytest would put handlers of its own in again before the test."""
    loggers = [logging.getLogger(name) for name in LIBRARIES]
    before = [(logger, logger.handlers, logger.propagate, logger.level) for logger in loggers]
    quiet_libraries()
    yield
    for logger, handlers, propagate, level in before:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def test_one_of_a_kind_passes_in_an_interval_and_tells_how_many_did_not() -> None:
    now = 0.0
    throttle = Throttle(interval=10.0, clock=lambda: now)
    assert [throttle.passes("a"), throttle.passes("a"), throttle.passes("b"), throttle.passes("a")] == [
        0,
        None,
        0,
        None,
    ]
    now = 10.0
    assert [throttle.passes("a"), throttle.passes("a")] == [2, None]


def test_a_flood_about_an_absent_broker_becomes_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    with quiet():
        for number in range(100):
            logging.getLogger("aiokafka.conn").error("Unable connect to node with id %s", number)
            logging.getLogger("aiokafka").warning("Unable to update metadata from %s", [number])
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "Unable connect to node with id 0")
    ]


class Kafka:
    """Says whether it answers."""

    def __init__(self) -> None:
        self.up = True

    def up_for(self, seconds: float) -> bool:
        return self.up


def gated(kafka: Kafka, seconds: range, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What passes where aiokafka complains ten times in each of these seconds."""
    now = 0.0
    gate = _Gate(kafka, clock=lambda: now)
    for second in seconds:
        for tenth in range(10):
            now = second + tenth / 10
            gate.emit(logging.LogRecord("aiokafka", logging.ERROR, "", 0, "Unable connect to node", (), None))
    return [record.getMessage() for record in caplog.records]


def test_of_a_kafka_that_is_away_no_library_speaks_where_we_do(caplog: pytest.LogCaptureFixture) -> None:
    kafka = Kafka()
    kafka.up = False
    assert gated(kafka, range(60), caplog) == []


def test_of_one_broker_that_is_away_though_kafka_answers_a_library_speaks_once_in_ten_seconds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """But not of a hiccup of less than five seconds."""
    assert gated(Kafka(), range(5), caplog) == []
    assert gated(Kafka(), range(26), caplog) == [
        "Unable connect to node",
        "Unable connect to node (99 more like this kept back)",
        "Unable connect to node (99 more like this kept back)",
    ]


def test_other_lines_are_limited_each_by_its_own_text_and_keep_their_level(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with quiet():
        for _ in range(2):
            logging.getLogger("aiokafka.consumer.fetcher").error("Not authorized to read from topic %s.", "t")
            logging.getLogger("faust.app").critical("something else")
            logging.getLogger("mode.services").info("Starting...")
    assert [record.levelname for record in caplog.records] == ["ERROR", "CRITICAL"]


def test_why_a_broker_refuses_us_is_a_line_of_its_own_among_those_of_one_that_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A password that was changed would otherwise look like a broker that is away, and be waited for in silence."""
    refused = SaslAuthenticationFailed("Authentication failed")
    with quiet():
        logging.getLogger("aiokafka").error("Unable connect to node with id %s: %s", 1, OSError(111, "refused"))
        for number in range(3):
            logging.getLogger("aiokafka").error("Unable connect to node with id %s: %s", number, refused)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "Unable connect to node with id 1: [Errno 111] refused"),
        (
            "WARNING",
            f"Kafka refuses us: {refusal(refused)}; trying again",
        ),
    ]


async def test_what_an_exception_says_that_nobody_looked_at_is_not_in_the_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Python prints the future, and with it the words of the exception, which may quote a record."""
    loop = asyncio.get_running_loop()
    quiet_loop(loop)
    future = loop.create_future()
    future.set_exception(ValueError("customer-4711"))
    message = "Task exception was never retrieved"
    loop.call_exception_handler({"message": message, "exception": future.exception(), "future": future})
    assert [record.getMessage() for record in caplog.records] == [message]
    loop.set_exception_handler(None)


async def test_futures_of_aiokafka_that_nobody_can_reach_are_no_complaint(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = asyncio.get_running_loop()
    quiet_loop(loop)
    message = "Future exception was never retrieved"
    loop.call_exception_handler({"message": message, "exception": KafkaError()})
    assert caplog.records == []
    loop.call_exception_handler({"message": message, "exception": ZeroDivisionError()})
    assert len(caplog.records) == 1
    loop.set_exception_handler(None)
