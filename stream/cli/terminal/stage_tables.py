"""How long customers stay in the stages of a lifecycle, where they go and who is where, as tables for people."""

from collections.abc import Mapping

from rich.console import Group
from rich.table import Table
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.spans import NOTHING, share, span
from stream.cli.terminal.tables import plain_table, titled
from stream.codec.plain import plain
from stream.core.lifecycle import Lifecycle
from stream.core.times import format_time
from stream.offline.stage_statistics import Placed, StageStatistics, quantile

_NARROW = 80
"""Columns of a terminal below which conditions have no column of their own."""
_FEW = 20
"""Customers of a lifecycle that are all shown."""
_LATEST = 3
"""Of more, so many of each stage."""


def stages_table(statistics: StageStatistics) -> Group:
    """A row for each stage: customers now and ever, the share of stays that went on, how long these lasted."""
    lifecycle = statistics.lifecycle
    headings = ("Now", "Ever", "Went on", "Median", "p90")
    table = plain_table("Stage", *headings, numbers=headings)
    for name, stage in lifecycle.stages.items():
        stays = statistics.stays(name)
        lasted = [span(quantile(stays, part)) for part in (0.5, 0.9)] if stays else [NOTHING, NOTHING]
        went_on = share(statistics.went_on(name))
        table.add_row(Text(stage.title), f"{statistics.now[name]:,}", f"{statistics.ever(name):,}", went_on, *lasted)
    return titled(f"{lifecycle.title} ({lifecycle.id})", table)


STAGES_NOTE = (
    "Now, ever: customers. Went on: share of the stays that ended in another stage; median and p90: "
    "how long these lasted."
)


def ways_table(statistics: StageStatistics, width: int) -> Table:
    """A row for each transition and stage that it leaves, those that nobody took too; new and forgotten customers.

    On a terminal less than 80 columns wide the condition stands below its way.
    """
    stages = statistics.lifecycle.stages
    headings = ("Times", "Share", "Median")
    narrow = width < _NARROW
    table = plain_table(*(["Way", *headings] if narrow else ["From", "To", *headings, "When"]), numbers=headings)
    for way in statistics.ways():
        times = statistics.times(way)
        stays = statistics.stays_before(way)
        of = share(statistics.share(way)) if way.source is not None else ""
        cells = [f"{times:,}", of, span(quantile(stays, 0.5)) if stays else ""]
        source, target = (stages[name].title if name else "" for name in (way.source, way.target))
        when = " ".join((way.condition or "").split())
        style = "" if times else "dim"
        if narrow:
            name = Text(f"{source or '(new)'} → {target or '(forgotten)'}")
            table.add_row(name.append(f"\n{when}", "dim") if when else name, *cells, style=style)
        else:
            when = when or ("first seen" if way.source is None else "forgotten" if way.target is None else "")
            table.add_row(Text(source), Text(target), *cells, Text(when), style=style)
    return table


def signals_line(lifecycle: Lifecycle, counts: Mapping[tuple[str, str], int]) -> Text | None:
    """How often each signal counted, also those that never did; `counts` by lifecycle and signal, None without any."""
    if not lifecycle.signals:
        return None
    each = [f"{signal.name} {counts.get(signal.label, 0):,}" for signal in lifecycle.signals]
    return Text.assemble(("Signals counted  ", "dim"), ", ".join(each))


def customers_table(statistics: StageStatistics) -> Table | None:
    """Who is where since when: everybody where they are few, else the latest of each stage; None: nobody is there."""
    count = sum(statistics.now.values())
    if not count:
        return None
    most = count if count <= _FEW else _LATEST
    table = plain_table("Stage", "Customer", "Since (UTC)", "For", numbers=("Since (UTC)", "For"))
    for name, stage in statistics.lifecycle.stages.items():
        latest = statistics.latest(name)[:most]
        for placed in latest:
            table.add_row(Text(stage.title), _who(placed), _minute(placed.since), span(placed.at - placed.since))
        more = statistics.now[name] - len(latest)
        if more:
            table.add_row(Text(stage.title), Text(f"and {more:,} more, there for longer", style="dim"), "", "")
    return table


def customers_note(statistics: StageStatistics) -> str | None:
    """How to get those who are not in the table; None where all are."""
    count = sum(statistics.now.values())
    if count <= _FEW:
        return None
    return f"The latest of each stage; --customers FILE.csv has all {amount(count, 'customer')}."


def _who(placed: Placed) -> Text:
    who = Text(plain(placed.id))
    if placed.kind == "anonymous":
        who.append(" (anonymous)", "dim")
    return who


def _minute(time: int) -> str:
    return format_time(time)[:16].replace("T", " ")
