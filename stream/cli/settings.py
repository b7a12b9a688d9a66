"""`lifecycle settings`: every setting, as a table; with --current as it is now, and where that comes from."""

from dataclasses import Field, fields
from typing import Annotated, Any

import typer
from orjson import OPT_INDENT_2, dumps
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream.cli.terminal.options import variable_of, with_settings
from stream.settings import HIDDEN, Settings, default_of
from stream.settings_sources import Origin, settings_from

_HEADINGS = ("Setting", "Environment variable", "Default", "Meaning")


@with_settings(*(each.name for each in fields(Settings) if each.repr), apart=True)
def settings(
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
    current: Annotated[
        bool, typer.Option("--current", help="Show each setting as it is now, and where that comes from.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print what --current shows as one JSON object.")] = False,
    found: dict[str, Origin],
) -> None:
    """List every setting with its environment variable, default and meaning.

    A setting comes from the command's option (--web-port), else from the environment, else from the
    settings file (TOML; --settings or LIFECYCLE_SETTINGS), else it has its default. --current shows what that
    comes to here: give it the options and the environment of the worker. A value that cannot be is shown too, and
    the exit code is 1.
    """
    if current or json:
        _show_current(found, as_json=json)
        return
    rows = [(each.name, variable_of(each), default_of(each), str(each.metadata["help"])) for each in fields(Settings)]
    if markdown:
        typer.echo(_markdown(rows))
    else:
        _print(rows)


def _show_current(found: dict[str, Origin], *, as_json: bool) -> None:
    rows = [(each.name, *_now(each, found.get(each.name))) for each in fields(Settings)]
    if as_json:
        shown = {name: {"value": value, "source": source, "where": where} for name, value, source, where in rows}
        typer.echo(dumps(shown, option=OPT_INDENT_2).decode())
    else:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("Setting", "Value", "From"):
            table.add_column(heading, overflow="fold")
        for name, value, source, where in rows:
            style = "dim" if source == "default" else ""
            table.add_row(Text(name, "bold"), Text(value or "(empty)", style), Text(where or source, style))
        Console().print(table)
    settings_from(found)  # raises for what cannot be


def _now(setting: Field[Any], found: Origin | None) -> tuple[str, str, str | None]:
    """Its value as a person writes it, what kind of place that comes from, and which."""
    if found is None:
        return default_of(setting), "default", None
    return found.text if setting.repr or not found.text else HIDDEN, found.source, found.where


def _markdown(rows: list[tuple[str, str, str, str]]) -> str:
    lines = [f"| {' | '.join(_HEADINGS)} |", "|---|---|---|---|"]
    for name, variable, default, meaning in rows:
        shown = f"`{default}`" if default else "(empty)"
        lines.append(f"| `{name}` | `{variable}` | {shown} | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(lines)


def _print(rows: list[tuple[str, str, str, str]]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0))
    table.add_column("Setting", style="bold", no_wrap=True)
    table.add_column("Default", style="green", no_wrap=True)
    table.add_column("Meaning, and environment variable")
    for name, variable, default, meaning in rows:
        table.add_row(Text(name), Text(default), Text.assemble(meaning, "\n", (variable, "cyan")))
    Console().print(table)
