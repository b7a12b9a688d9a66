"""The plain table that summaries are made of."""

from rich.console import Group
from rich.table import Table
from rich.text import Text


def plain_table(*headings: str, numbers: tuple[str, ...] = ()) -> Table:
    """A table without lines; the columns of `numbers` stand to the right and are never broken."""
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        number = heading in numbers
        table.add_column(
            heading,
            justify="right" if number else "left",
            overflow="fold",
            header_style="dim",
            no_wrap=number,
        )
    return table


def titled(title: str, table: Table) -> Group:
    """A table below its title, which may be wider."""
    return Group(Text(title, style="bold"), table)
