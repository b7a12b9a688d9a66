"""Dead letters for people, and as JSON for machines."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
import orjson
from rich.text import Text

from stream.cli.terminal.dead_letter_filter import key_text
from stream.codec.dead_letters import DeadLetter
from stream.codec.plain import plain
from stream.core.times import format_time

_DETAIL = 80
"""Characters of the detail that a line shows."""


def line_of(dead_letter: DeadLetter, replayed: int | None) -> Text:
    """When, its address, why, which record it was, its key and size, and what was wrong with it."""
    detail = plain(dead_letter.detail)
    parts = [
        (_when(dead_letter.time), "dim"),
        (str(dead_letter.address), "bold"),
        (plain(dead_letter.reason), "bold red"),
        (plain(str(dead_letter.source)), "cyan"),
        (_key(dead_letter), ""),
        (_size(dead_letter), ""),
        (detail if len(detail) <= _DETAIL else detail[: _DETAIL - 1] + "…", "dim"),
        ("" if replayed is None else f"replayed {_when(replayed)}", "green"),
    ]
    line = Text()
    for text, style in parts:
        if text:
            line.append("  " if line else "").append(text, style)
    return line


def how_many(count: int, kind: str = "dead letter") -> str:
    """A number of dead letters, in words."""
    return f"{f'{count:,}' if count else 'no'} {kind}{'' if count == 1 else 's'}"


def json_of(dead_letter: DeadLetter, replayed: int | None) -> str:
    """Everything but the value, on one line; times in epoch ms."""
    source = dead_letter.source
    said: dict[str, Any] = {
        "address": str(dead_letter.address),
        "time": dead_letter.time,
        "reason": dead_letter.reason,
        "detail": dead_letter.detail,
        "source": {
            "topic": source.topic,
            "partition": source.partition,
            "offset": source.offset,
            "time": source.timestamp,
        },
        "key": None if dead_letter.key is None else key_text(dead_letter.key),
        "size": dead_letter.whole,
        "truncated": dead_letter.truncated,
        "headers": [[name, key_text(value or b"")] for name, value in dead_letter.headers],
        "replayed": replayed,
    }
    return orjson.dumps(said).decode()


def report_of(dead_letter: DeadLetter, replayed: int | None) -> Text:
    """All there is of one, its value last: JSON with line breaks, anything else as it is."""
    rows = [
        ("address", str(dead_letter.address)),
        ("time", _when(dead_letter.time)),
        ("reason", plain(dead_letter.reason)),
        ("detail", plain(dead_letter.detail)),
        ("source", f"{plain(str(dead_letter.source))}, arrived {_when(dead_letter.source.timestamp)}"),
        ("key", _key(dead_letter)),
        *(("header", f"{plain(name)}: {plain(key_text(value or b''))}") for name, value in dead_letter.headers),
        ("replayed", "no" if replayed is None else _when(replayed)),
        ("size", _size(dead_letter)),
    ]
    text = Text()
    for name, value in rows:
        text.append(f"{name:<10}", "dim").append(f"{value}\n")
    for line in _value_lines(dead_letter.value):
        text.append(f"\n{line}")
    return text


def _value_lines(value: bytes | None) -> Iterator[str]:
    if value is None:
        yield "(no value)"
        return
    with suppress(msgspec.DecodeError, RecursionError):
        value = msgspec.json.format(value, indent=2)  # which leaves numbers and repeated keys as they are
    for line in key_text(value).split("\n"):
        yield plain(line)


def _key(dead_letter: DeadLetter) -> str:
    return "(no key)" if dead_letter.key is None else plain(key_text(dead_letter.key)) or "(empty key)"


def _size(dead_letter: DeadLetter) -> str:
    if dead_letter.truncated:
        return f"{dead_letter.kept:,} of {dead_letter.whole:,} bytes (truncated)"
    return f"{dead_letter.whole:,} bytes"


def _when(time: int) -> str:
    """A time, also one that no calendar has: records carry what their producers say."""
    try:
        return format_time(time)
    except ValueError:
        return str(time)
