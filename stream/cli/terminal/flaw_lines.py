"""What could not be used of records that were taken, in words."""

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.codec.fields import FLAWS


def flaw_lines(flaws: Mapping[str, int]) -> list[str]:
    """A line for each kind with its count, the most frequent first."""
    ranked = sorted(flaws.items(), key=lambda each: -each[1])
    return [f"{amount(count, 'time')}: {FLAWS.get(flaw, flaw)}" for flaw, count in ranked]


def show_flaws(flaws: Mapping[str, int], console: Console) -> None:
    """Print these lines."""
    for line in flaw_lines(flaws):
        console.print(Text(line, "yellow"), soft_wrap=True)
