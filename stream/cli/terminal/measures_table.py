"""What a lifecycle counts, below its picture: the scores with their signals, and the facts of its conditions."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from stream.core.durations import format_duration
from stream.core.event import PropertyPath
from stream.core.exact import MILLION
from stream.core.expressions import Name
from stream.core.facts import Fact
from stream.core.language.conditions import names_in
from stream.core.ledgers import EACH, MINUS, UPDATE
from stream.core.lifecycle import Condition, Counted, LatestPoints, Lifecycle, Points, Signal
from stream.core.scoring import Score


def scores(lifecycle: Lifecycle) -> Iterator[RenderableType]:
    """What earns points: a line for each signal, under its score."""
    for score in lifecycle.scores:
        traits = [f"halves every {format_duration(score.half_life)}" if score.half_life else "for ever"]
        bounds = (("min", score.min), ("max", score.max), ("floor", score.floor))
        traits += [f"{what} {bound:g}" for what, bound in bounds if bound is not None]
        yield Text.assemble("\n", (score.name, "bold"), (f"  {', '.join(traits)}", "dim"))
        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right", style="cyan", no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column()
        for signal in lifecycle.signals:
            for amount in _amounts(signal, score):
                table.add_row(Text(f"   {amount}"), Text(signal.name), Text(_when(lifecycle, signal)))
        yield table


def bands(lifecycle: Lifecycle) -> Iterator[RenderableType]:
    """Each band with the ranges of its scores."""
    for band in lifecycle.bands:
        yield Text.assemble("\n", (band.name, "bold"), ("  a band", "dim"))
        for part in band.parts:
            ranges = [
                f"{name} below" if least is None else f"{name} from {least:g}"
                for name, least in zip(part.names, part.least, strict=True)
            ]
            yield Text(f"   {part.score.name}: {', '.join(ranges)}")


def _amounts(signal: Signal, score: Score) -> Iterator[str]:
    """What a signal does to a score, as a few signs."""
    yield from (_amount(points) for points in signal.points if points.score == score.name)
    latest = signal.latest
    if latest is not None and latest.score == score.name:
        yield " or ".join(f"{points / MILLION:g}" for points in dict.fromkeys(latest.points.values()))
    if score in signal.resets:
        yield "= 0"


def _amount(points: Points) -> str:
    if not points.amount.paths:
        return f"{points.amount.constant:+g}"
    text = points.amount.text
    return text if text.startswith("-") else f"+{text}"


def _when(lifecycle: Lifecycle, signal: Signal) -> str:
    reactions = lifecycle.reactions.values()
    words = dict.fromkeys(each.word for each in reactions if each.word is not None and signal in each.signals)
    limit = f", {signal.limit_text}" if signal.limit_text else ""
    new = f" new to {lifecycle.ledgers[signal.ledger].name}" if signal.ledger >= 0 else ""
    over = f", over {_property(signal.over)}" if signal.over is not None else ""
    expires = f", expires after {format_duration(signal.expires)}" if signal.expires else ""
    latest = f", by the latest {_by_value(signal.latest)}" if signal.latest is not None else ""
    return f"each {' or '.join(words)}{new}{over}{_where(signal.where)}{latest}{limit}{expires}"


def _by_value(latest: LatestPoints) -> str:
    path = f"lower({_property(latest.path)})" if latest.lowered else _property(latest.path)
    values = [f"{str(value).lstrip(chr(0)).lower()} {points / MILLION:g}" for value, points in latest.points.items()]
    return f"{path}: {', '.join(values)}"


def facts(lifecycle: Lifecycle) -> Iterator[RenderableType]:
    """The facts that conditions of transitions name: a line for each, in the order of the file."""
    conditions = [transition.condition for transition in lifecycle.transitions]
    reactions = [*lifecycle.reactions.values(), lifecycle.otherwise]
    wheres = [each.where for reaction in reactions for each in reaction.signals]
    wheres += [each.where for reaction in reactions for each in reaction.counted]
    named = {name for each in (*conditions, *wheres) if each is not None for name in names_in(each.tree)}
    shown = [fact for fact in lifecycle.facts if fact.name in named]
    if not shown:
        return
    yield Text.assemble("\n", ("facts", "bold"), ("  that conditions name", "dim"))
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for fact in shown:
        table.add_row(Text(f"   {fact.name}"), Text(_meaning(lifecycle, fact)))
    yield table


def _meaning(lifecycle: Lifecycle, fact: Fact) -> str:
    if fact.ledger >= 0:
        return _of_ledger(lifecycle, fact)
    what = "count" if fact.kind == "rolling" else fact.kind.removeprefix("rolling_")
    if fact.amount is not None:
        what += f" {fact.amount.text}"
    elif fact.path is not None:
        what += f" {_property(fact.path)}"
    counted: dict[int, dict[str, Counted]] = {1: {}, -1: {}}
    for reaction in lifecycle.reactions.values():
        for each in reaction.counted:
            if each.fact is fact and reaction.word is not None:
                counted[each.sign][reaction.word] = each
    anything = [each for each in lifecycle.otherwise.counted if each.fact is fact]
    where = _where(next(iter([*anything, *counted[1].values(), *counted[-1].values()])).where)
    of = "any interaction" if anything else f"each {' or '.join(counted[1])}"
    if fact.kind in ("first", "last"):
        return f"time of the {what} {' or '.join(counted[1])}{where}"
    if counted[-1]:
        of += f", minus each {' or '.join(counted[-1])}"
        where = f",{where}" if where else ""
    within = f" within {format_duration(fact.within)}, at most {fact.keep}" if fact.within else ""
    return f"{what} of {of}{where}{within}"


def _of_ledger(lifecycle: Lifecycle, fact: Fact) -> str:
    roles: dict[int, list[str]] = {EACH: [], UPDATE: [], MINUS: []}
    for reaction in lifecycle.reactions.values():
        for each in reaction.entered:
            if each.ledger.index == fact.ledger and reaction.word is not None:
                roles[each.role] = list(dict.fromkeys([*roles[each.role], reaction.word]))
    what = "count" if fact.kind == "ledger_count" else "sum"
    minus = f", minus each {' or '.join(roles[MINUS])}" if roles[MINUS] else ""
    within = f" within {format_duration(fact.within)}, at most {fact.keep}" if fact.within else ""
    return f"{what} of {lifecycle.ledgers[fact.ledger].name}: each {' or '.join(roles[EACH])}{minus}{within}"


def _property(path: PropertyPath) -> str:
    return str(Name(path.path, 0))


def _where(condition: Condition | None) -> str:
    return "" if condition is None else f" where {' '.join(condition.text.split())}"
