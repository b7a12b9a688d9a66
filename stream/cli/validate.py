"""`lifecycle validate`: problems of lifecycle files with their places, and good ones as pictures."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from stream.cli.terminal import diagrams
from stream.cli.terminal.amounts import amount
from stream.cli.terminal.finding_lines import print_findings
from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFileError, load, presets

_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line in YAML."""


def validate(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Lifecycle files, or names of presets.", show_default=False),
    ],
    dot: Annotated[bool, typer.Option("--dot", help="Print the graph for Graphviz instead.")] = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print the graph for Mermaid instead.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
) -> None:
    """Check lifecycle files, and draw the good ones.

    Errors and warnings go to stderr as file:line:column: message; with an error (with --strict also a
    warning) the exit code is 1.
    """
    if dot and mermaid:
        raise typer.BadParameter("choose one of the two", param_hint="'--dot' / '--mermaid'")
    if (dot or mermaid) and len(sources) > 1:
        raise typer.BadParameter("one graph at a time; give one file", param_hint="'--dot' / '--mermaid'")
    console, messages = Console(), Console(stderr=True)
    errors = warnings = 0
    for source in sources:
        try:
            file = load(source)
        except LifecycleFileError as error:
            print_findings(messages, error.findings, "error", _lines(source))
            errors += len(error.findings)
            continue
        print_findings(messages, file.warnings, "warning", _lines(source) if file.warnings else ())
        warnings += len(file.warnings)
        if dot or mermaid:
            typer.echo(diagrams.dot(file.lifecycle) if dot else diagrams.mermaid(file.lifecycle))
        else:
            console.print(diagrams.picture(file.lifecycle))
            console.print()
    if errors or warnings:
        messages.print(f"{amount(errors, 'error')}, {amount(warnings, 'warning')}", highlight=False)
    if errors or (strict and warnings):
        raise typer.Exit(1)


def _lines(source: str) -> list[str]:
    """The lines of a file or preset; none where it cannot be read, which its finding says."""
    place = files("stream.presets").joinpath(f"{source}.yaml") if source in presets() else Path(source)
    try:
        content = place.read_bytes()
    except OSError:
        return []
    return _LINE_END.split(content.decode("utf-8-sig", "replace"))
