"""Dead letters for people, and as JSON for machines."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
import orjson
from rich.text import Text

from stream.cli.terminal.dead_letter_choice import key_text
from stream.cli.terminal.plain import plain
from stream.codec.dead_letters import DeadLetter
from stream.codec.times import format_time

_DETAIL = 80
"""Characters of the detail that a line shows."""


def line_of(letter: DeadLetter, replayed: int | None) -> Text:
    """When, its address, why, which record it was, its key and size, and what was wrong with it."""
    detail = plain(letter.detail)
    parts = [
        (_when(letter.time), "dim"),
        (str(letter.address), "bold"),
        (plain(letter.reason), "bold red"),
        (plain(str(letter.source)), "cyan"),
        (_key(letter), ""),
        (_size(letter), ""),
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


def json_of(letter: DeadLetter, replayed: int | None) -> str:
    """Everything but the value, on one line; times in epoch ms."""
    source = letter.source
    said: dict[str, Any] = {
        "address": str(letter.address),
        "time": letter.time,
        "reason": letter.reason,
        "detail": letter.detail,
        "source": {
            "topic": source.topic,
            "partition": source.partition,
            "offset": source.offset,
            "time": source.timestamp,
        },
        "key": None if letter.key is None else key_text(letter.key),
        "size": letter.whole,
        "truncated": letter.truncated,
        "headers": [[name, key_text(value or b"")] for name, value in letter.headers],
        "replayed": replayed,
    }
    return orjson.dumps(said).decode()


def report_of(letter: DeadLetter, replayed: int | None) -> Text:
    """All there is of one, its value last: JSON with line breaks, anything else as it is."""
    rows = [
        ("address", str(letter.address)),
        ("time", _when(letter.time)),
        ("reason", plain(letter.reason)),
        ("detail", plain(letter.detail)),
        ("source", f"{plain(str(letter.source))}, arrived {_when(letter.source.timestamp)}"),
        ("key", _key(letter)),
        *(("header", f"{plain(name)}: {plain(key_text(value or b''))}") for name, value in letter.headers),
        ("replayed", "no" if replayed is None else _when(replayed)),
        ("size", _size(letter)),
    ]
    text = Text()
    for name, value in rows:
        text.append(f"{name:<10}", "dim").append(f"{value}\n")
    for line in _value_lines(letter.value):
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


def _key(letter: DeadLetter) -> str:
    return "(no key)" if letter.key is None else plain(key_text(letter.key)) or "(empty key)"


def _size(letter: DeadLetter) -> str:
    if letter.truncated:
        return f"{letter.kept:,} of {letter.whole:,} bytes (truncated)"
    return f"{letter.whole:,} bytes"


def _when(time: int) -> str:
    """A time, also one that no calendar has: records carry what their producers say."""
    try:
        return format_time(time)
    except ValueError:
        return str(time)
