"""`lifecycle settings`: every setting, as a table."""

from dataclasses import fields
from typing import Annotated

import typer

from stream.cli.options import default_of, variable_of
from stream.settings import Settings

_HEADINGS = ("Setting", "Environment variable", "Default", "Meaning")


def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> None:
    """List every setting with its environment variable, default and meaning.

    A setting is taken from the command's option (--web-port), else from the environment, else from the
    settings file (TOML; --settings or LIFECYCLE_SETTINGS), else it has its default.
    """
    rows = [(each.name, variable_of(each), default_of(each), str(each.metadata["help"])) for each in fields(Settings)]
    if markdown:
        typer.echo(_markdown(rows))
    else:
        _print(rows)


def _markdown(rows: list[tuple[str, str, str, str]]) -> str:
    lines = [f"| {' | '.join(_HEADINGS)} |", "|---|---|---|---|"]
    for name, variable, default, meaning in rows:
        shown = f"`{default}`" if default else "(empty)"
        lines.append(f"| `{name}` | `{variable}` | {shown} | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(lines)


def _print(rows: list[tuple[str, str, str, str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - slow to load
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0))
    table.add_column("Setting", style="bold", no_wrap=True)
    table.add_column("Default", style="green", no_wrap=True)
    table.add_column("Meaning, and environment variable")
    for name, variable, default, meaning in rows:
        table.add_row(Text(name), Text(default), Text.assemble(meaning, "\n", (variable, "cyan")))
    Console().print(table)
