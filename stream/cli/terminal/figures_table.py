"""The figures of a lifecycle, below its picture: what each counts, and the rates."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from stream.core.explanation.figure_meaning import meaning_of
from stream.core.lifecycle import Lifecycle


def figures(lifecycle: Lifecycle) -> Iterator[RenderableType]:
    """A line for each figure and rate; nothing where there are none."""
    of = lifecycle.figures
    if of is None:
        return
    by = f", by {', '.join(fact.name for fact in of.by)}" if of.by else ""
    yield Text.assemble(
        "\n", ("figures", "bold"), (f"  of each day{by}; moves between stages come by themselves", "dim")
    )
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for figure in of.figures:
        table.add_row(Text(f"   {figure.name}"), Text(meaning_of(figure).partition(";")[0]))
    for rate in of.rates:
        table.add_row(Text(f"   {rate.name}"), Text(f"{rate.of} / {rate.to}{', in percent' if rate.percent else ''}"))
    yield table
