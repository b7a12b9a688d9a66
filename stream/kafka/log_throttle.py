"""Keep a broker that is away from flooding the log.

Every client object of aiokafka complains by itself, several times a second. The gate lets one such
line through every ten seconds, with the number of those kept back; other lines of the libraries are
limited in the same way, each by its own text. A refusal by a broker is reworded.

A worker, which says itself that Kafka is away, keeps those lines back, but where they go on though Kafka answers: then
they speak of one broker among several.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from aiokafka.errors import KafkaError

from stream.events import Event, Line, report
from stream.kafka.refusals import refusal

LIBRARIES = ("aiohttp", "aiokafka", "faust", "mode")
INTERVAL = 10.0
_SETTLES = 5.0
"""Seconds in which clients of a Kafka that answers find their way back by themselves."""

_BROKER_AWAY = re.compile(
    r"connect|metadata|failed fetch|heartbeat|coordinator|could not send|cannot send|produce response"
    r"|bootstrap|joingroup|leavegroup|offset ?commit|keepalive",
    re.IGNORECASE,
)


class Throttle:
    """Lets one of a kind pass in every interval, and counts the others."""

    def __init__(self, interval: float = INTERVAL, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval, self._clock = interval, clock
        self._passed: dict[str, tuple[float, int]] = {}

    def passes(self, kind: str) -> int | None:
        """How many of this kind were kept back since one passed; None: keep this one back."""
        now = self._clock()
        last, kept = self._passed.get(kind, (None, 0))
        if last is not None and now - last < self._interval:
            self._passed[kind] = (last, kept + 1)
            return None
        self._passed[kind] = (now, 0)
        return kept


class Answers(Protocol):
    """Knows whether Kafka answers; see `stream.kafka.contact.Contact`."""

    def up_for(self, seconds: float) -> bool:
        """It answers, and did so for so long already."""


class _Gate(logging.Handler):
    """Hands a library's records to the root logger, but throttled: one of a kind in every interval."""

    def __init__(self, kafka: Answers | None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._kafka, self._clock = kafka, clock
        self._throttle = Throttle(clock=clock)
        self._first_away = self._last_away = -INTERVAL

    def emit(self, record: logging.LogRecord) -> None:
        template = str(record.msg)
        why = next(filter(None, map(refusal, _exceptions(record))), None)
        if why is not None:  # a kind of its own: among the lines of a broker that is away it would not be seen
            self._tell_refusal(record, why)
            return
        away = _BROKER_AWAY.search(template) is not None
        if away and self._passes_by():
            return
        kept = self._throttle.passes("broker away" if away else record.name + template)
        if kept is None:
            return
        if away and record.levelno > logging.WARNING:  # it is waited for, so nobody has to act
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        if kept:
            record.msg = f"{template} ({kept} more like this kept back)"
        logging.getLogger().handle(record)

    def _passes_by(self) -> bool:
        """Whether a line about a broker that is away needs nobody: Kafka is away, or back, or it was a hiccup."""
        if self._kafka is None:
            return False
        now = self._clock()
        if now - self._last_away >= INTERVAL:
            self._first_away = now
        self._last_away = now
        return now - self._first_away < _SETTLES or not self._kafka.up_for(_SETTLES)

    def _tell_refusal(self, record: logging.LogRecord, why: str) -> None:
        if self._throttle.passes("refused") is None:
            return
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg = Line(Event.KAFKA_REFUSES, "Kafka refuses us: {reason}; trying again", {"reason": why})
        record.args, record.exc_info = None, None
        logging.getLogger().handle(record)


def _exceptions(record: logging.LogRecord) -> Iterator[BaseException]:
    arguments = record.args if isinstance(record.args, tuple) else ()
    yield from (each for each in arguments if isinstance(each, BaseException))


def quiet_libraries(kafka: Answers | None = None) -> None:
    """Limit the log lines of aiohttp, aiokafka, Faust and mode; the root logger's handlers get what remains.

    With `kafka`, somebody else says that it is away.
    """
    for name in LIBRARIES:
        logger = logging.getLogger(name)
        logger.handlers = [_Gate(kafka)]
        logger.propagate = False
        logger.setLevel(logging.WARNING)


def throttle_aiokafka() -> None:
    """The same for aiokafka alone, inside somebody's own program; nothing where that hears aiokafka by handlers."""
    logger = logging.getLogger("aiokafka")
    if logger.propagate and not logger.handlers:
        logger.handlers = [_Gate(None)]
        logger.propagate = False
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)


def quiet_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Leave errors of Kafka out of asyncio's complaints that nobody looked at a future.

    aiokafka fails futures of its own that nobody can reach; the error itself arrives by another way.
    """

    def handle(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error, message = context.get("exception"), str(context.get("message", ""))
        if isinstance(error, KafkaError) and "never retrieved" in message:
            return
        if message == "Unclosed AIOKafkaProducer":
            return
        # Not as Python does it: it prints the future, and with it what the exception says, which may quote a record.
        report(logging.getLogger("asyncio").error, Event.TASK_FAILED, "{what}", exc_info=error, what=message)

    loop.set_exception_handler(handle)
