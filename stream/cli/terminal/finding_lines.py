"""Problems of a file that people wrote, as compilers print them: where, what, and the line itself."""

from collections.abc import Sequence
from typing import Final, Literal

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from stream.codec.lifecycle_yaml.located_yaml import LocatedProblem

_STYLES: Final = {"error": "red", "warning": "yellow"}


def print_findings(
    messages: Console,
    findings: Sequence[LocatedProblem],
    kind: Literal["error", "warning"],
    lines: Sequence[str] = (),
) -> None:
    """Print each; `lines` are those of the file, of which the one in question is shown."""
    style = _STYLES[kind]
    for each in findings:
        where = f"{each.file}:{each.line}:{each.column}: "
        text = Text.assemble((where, "bold"), (f"{kind}: ", f"bold {style}"), each.message)
        if each.line <= len(lines) and lines[each.line - 1].strip():
            text.append(_excerpt(lines[each.line - 1], each.line, each.column, style))
        messages.print(text, soft_wrap=True)


def _excerpt(line: str, number: int, column: int, style: str) -> Text:
    margin = f"{number:>6} | "
    before = "".join("\t" if sign == "\t" else " " * cell_len(sign) for sign in line[: column - 1])
    empty = " " * (len(margin) - 2) + "| "
    return Text.assemble("\n", (margin, "dim"), line, "\n", (empty, "dim"), before, ("^", f"bold {style}"))
