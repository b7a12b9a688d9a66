"""The options of commands that read files, and what is offered where they are missing."""

import inspect
import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Final, cast

import typer
from rich.console import Console
from rich.text import Text

from stream.cli.terminal.options import Command, declare
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.files.notation import Decimal, Notation, Thousands
from stream.codec.files.reading_options import ReadingOptions
from stream.codec.files.rejected_rows import RejectedRows
from stream.codec.files.survey import Offer, OfferedError, Survey
from stream.errors import InputFileError

_PANEL: Final = "How the files are written"
_ZONES: Final = "zoneinfo"


class DecimalSign(StrEnum):
    """What stands before decimals."""

    POINT = "point"
    COMMA = "comma"


class ThousandsSign(StrEnum):
    """What stands between thousands."""

    POINT = "point"
    COMMA = "comma"
    SPACE = "space"
    APOSTROPHE = "apostrophe"


@dataclass(frozen=True, slots=True)
class FileReading:
    """What the options of reading say, and what is seen while files are read."""

    mapping: ColumnMapping | None
    options: ReadingOptions
    survey: Survey
    rejected: Path | None
    """Where the rejected records go."""

    @contextmanager
    def rejected_rows(self) -> Iterator[RejectedRows | None]:
        """The file of rejected records, complete at the end; None where nobody wants it."""
        if self.rejected is None:
            yield None
        else:
            with RejectedRows(str(self.rejected)) as rows:
                yield rows


def with_reading(command: Command) -> Command:
    """Give a command the options of reading files; it takes them as one argument `reading`, by name.

    A file that could be read with other options ends the command with the command line that has them.
    """

    @wraps(command)
    def run(**given: object) -> None:
        own = {name: given.pop(name) for name in _OPTIONS}
        given["reading"] = _reading(own)
        try:
            command(**given)
        except OfferedError as error:
            raise InputFileError("\n".join((str(error), *offer_lines(error.offer)))) from error

    parameters = [
        each.replace(kind=each.KEYWORD_ONLY)
        for each in inspect.signature(command, eval_str=True).parameters.values()
        if each.name != "reading"
    ]
    place = next((at for at, each in enumerate(parameters) if each.name == "settings"), len(parameters))
    parameters[place:place] = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _OPTIONS.items()
    ]
    return declare(run, parameters)


def offer_lines(offer: Offer) -> Iterator[str]:
    """What was found, the command that reads it, and what to think of before it is run."""
    yield from offer.findings
    if offer.options:
        several = len(offer.options) > 1
        yield "These commands read it, in different ways:" if several else "This command reads it:"
    for added in offer.options:
        yield f"  {' '.join(map(_quoted, ['lifecycle', *sys.argv[1:], *added]))}"
    yield from offer.remarks


def _quoted(argument: str) -> str:
    """An argument for a shell. A mapping has single quotes in it, and is easier to read in double ones."""
    quoted = shlex.quote(argument)
    return f'"{argument}"' if "'" in argument and not re.search(r'["$`\\!]', argument) else quoted


def show_offer(offer: Offer | None, console: Console) -> None:
    """Print an offer, whole lines that can be copied."""
    if offer is not None:
        for line in offer_lines(offer):
            console.print(Text(line), soft_wrap=True)


def refuse_unsaid(offer: Offer | None) -> None:
    """`InputFileError` where something was found of which nobody has said how it is meant."""
    if offer is not None and offer.unsaid:
        choice = "To leave such cells as they are, add --decimal point, --time-format iso or --encoding utf-8."
        raise InputFileError("\n".join(("nothing was sent yet:", *offer_lines(offer), choice)))


def keep_apart(written: Path | None, read: Sequence[str]) -> None:
    """Raise BadParameter where the file of rejected records would overwrite one that is read."""
    for each in read:
        if written is not None and each != "-" and written.resolve() == Path(each).resolve():
            raise typer.BadParameter(f"{written} would be overwritten, but it is read", param_hint="'--rejected'")


def machine_zone(environment: Mapping[str, str] = os.environ, link: Path = Path("/etc/localtime")) -> str:
    """The IANA name of this machine's time zone, UTC where it is not known."""
    name = environment.get("TZ", "").lstrip(":")
    if not name and link.is_symlink():
        _, found, name = str(link.resolve()).partition(f"/{_ZONES}/")
        name = name if found else ""
    name = name.removeprefix("posix/").removeprefix("right/")
    return name if "/" in name and not name.startswith(("/", "Etc/")) else "UTC"


def _reading(given: Mapping[str, object]) -> FileReading:
    mapping = cast("list[str] | None", given["map"])
    notation = Notation(
        decimal=cast("Decimal | None", _value(given["decimal"])),
        thousands=cast("Thousands | None", _value(given["thousands"])),
        currencies=tuple(cast("list[str] | None", given["currency"]) or ()),
        time_formats=tuple(cast("list[str] | None", given["time_format"]) or ()),
        time_zone=cast("str | None", given["time_zone"]),
    )
    options = ReadingOptions(notation, cast("str | None", given["encoding"]), cast("str | None", given["sheet"]))
    return FileReading(
        ColumnMapping.parse(mapping) if mapping else None,
        options,
        Survey(options, zone=machine_zone()),
        cast("Path | None", given["rejected"]),
    )


def _value(given: object) -> str | None:
    return None if given is None else str(given)


_OPTIONS: Final[dict[str, object]] = {
    "map": Annotated[
        list[str] | None,
        typer.Option(
            metavar="TARGET=SOURCE,…",
            help="Which columns or paths the parts of an interaction are in, as in "
            "\"customer_id=household,time=day,type='Order Completed',properties.total=sales\"; repeatable.",
            rich_help_panel=_PANEL,
        ),
    ],
    "decimal": Annotated[
        DecimalSign | None,
        typer.Option(
            help="What stands before decimals: with `comma`, 49,90 is a number. Without this and the next two, only "
            "what is a number in JSON is one: 49.90.",
            rich_help_panel=_PANEL,
        ),
    ],
    "thousands": Annotated[
        ThousandsSign | None,
        typer.Option(help="What stands between thousands, as in 1.234,56 with `point`.", rich_help_panel=_PANEL),
    ],
    "currency": Annotated[
        list[str] | None,
        typer.Option(
            metavar="SIGN",
            help="A sign or code to leave away before or behind a number, such as € or EUR; repeatable.",
            rich_help_panel=_PANEL,
        ),
    ],
    "time_format": Annotated[
        list[str] | None,
        typer.Option(
            "--time-format",
            metavar="FORMAT",
            help="How times are written, as of strptime: '%d.%m.%Y %H:%M'; `excel` for day numbers such as 46087.75; "
            "`iso` for what is read without this. Repeatable: the first that fits counts.",
            rich_help_panel=_PANEL,
        ),
    ],
    "time_zone": Annotated[
        str | None,
        typer.Option(
            "--time-zone",
            metavar="ZONE",
            help="Zone of times that name none, as Europe/Berlin; else UTC. A time that comes twice when the clocks "
            "change is its first, one that is left out has the offset before; a date is its day's first instant.",
            rich_help_panel=_PANEL,
        ),
    ],
    "encoding": Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Encoding of the text, such as windows-1252, utf-16 or latin-1; else UTF-8.",
            rich_help_panel=_PANEL,
        ),
    ],
    "sheet": Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Sheet of an Excel workbook that has several.", rich_help_panel=_PANEL),
    ],
    "rejected": Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a CSV file of the records that are rejected: file, line, reason, detail and the cells as they "
            "were.",
            rich_help_panel=_PANEL,
        ),
    ],
}
