"""The records of files that were rejected, as a table for people."""

from rich.table import Table
from rich.text import Text

from stream.codec.files.rejections import Rejections


def rejections_table(title: str, rejections: Rejections) -> Table:
    """One row for each reason."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in ("Reason", "Records", "At", "What was wrong with the first"):
        table.add_column(heading, overflow="fold", header_style="dim")
    table.columns[1].justify = "right"
    for each in rejections:
        locations = ", ".join(each.locations) + (", …" if each.count > len(each.locations) else "")
        table.add_row(each.reason, f"{each.count:,}", Text(locations), Text(each.detail))
    return table
