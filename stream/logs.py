"""Logging: structlog over the standard library, so that Faust, aiokafka and our own lines look alike.

Text is a sentence a line; JSON also has its event and facts as fields, as `stream.events` lists them.

No line above debug carries a customer's id or property, nor a secret: where an exception is logged, its kind and
the way to it in the code are shown, but not what it says, which quotes whatever value it met. That is shown at debug.
"""

import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import partial

import msgspec
import structlog
from aiokafka.errors import KafkaError
from structlog.typing import EventDict, WrappedLogger

from stream.errors import LifecycleError
from stream.events import LIBRARY, Line
from stream.settings import Settings
from stream.tracing.optional import current_trace_of

_SAFE_TO_QUOTE = (LifecycleError, KafkaError, OSError)
"""Exceptions that name topics, hosts and files, but never what is in a record."""


def configure_logs(settings: Settings) -> None:
    """Send all log lines to stderr, as text for people or JSON for machines.

    Raises SettingsError where tracing is on, and OpenTelemetry not installed.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        # Before any renderer: structlog's own would print local variables, too, and with them whole records.
        _render_exception,
    ]
    current_trace = current_trace_of(settings)
    if current_trace is not None:
        shared.append(partial(_with_trace, current_trace))
    last: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if settings.log_format == "json":
        last = [_as_fields, *last, structlog.processors.JSONRenderer(default=_plain)]
    else:
        last.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=last,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())


def _with_trace(
    current_trace: Callable[[], str | None], _logger: WrappedLogger, _name: str, event: EventDict
) -> EventDict:
    found = current_trace()
    if found is not None:
        event["trace_id"] = found
    return event


def _as_fields(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    line = event["_record"].msg
    named, facts = (line.event.value, line.facts) if isinstance(line, Line) else (LIBRARY, {})
    return {"event": named, "message": event.pop("event"), **facts, **event}


def _plain(value: object) -> object:
    """A fact that JSON has no form of."""
    return msgspec.to_builtins(value) if isinstance(value, msgspec.Struct) else str(value)


def _render_exception(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = "".join(_traceback(error, quoting=event.get("level") == "debug")).rstrip()
    return event


def _traceback(error: BaseException, *, quoting: bool) -> Iterator[str]:
    """As Python prints an exception, but without its words where it might quote a record."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _traceback(before, quoting=quoting)
        yield "\nand from that:\n\n"
    for each in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _traceback(each, quoting=quoting)
        yield "\nand in one with that:\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    words = str(error) if quoting or isinstance(error, _SAFE_TO_QUOTE) else "(its words are logged at debug)"
    yield f"{type(error).__qualname__}: {words}\n"
