"""Why a customer is where it is, for people: stage, scores and what gave them, each way out and what it lacks."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.explanation_words import (
    Json,
    comparison_words,
    guard_words,
    length,
    number,
    time_words,
    value_words,
    when,
)
from stream.cli.terminal.tables import plain_table
from stream.codec.plain import plain

_BLANK = Text()
_JOINED = {
    ("all", True): "all of these:",
    ("any", True): "one of these:",
    ("all", False): "not all of these at once:",
    ("any", False): "none of these:",
}


def explanation_view(answer: Json, only: str | None = None) -> Group:
    """An answer about a customer (`schemas/customer.schema.json`); of one lifecycle where `only` names it."""
    anonymous = "anonymous_id" in answer
    head = Text(plain(answer["anonymous_id" if anonymous else "customer_id"]), "bold")
    head.append("  anonymous" if anonymous else "", "dim")
    head.append(f"  as of {when(answer['at'])}. All times are UTC.", "dim")
    told = [each for each in answer["lifecycles"] if only in (None, each["lifecycle"])]
    return Group(head, *(Group("", _lifecycle(each)) for each in told))


def _lifecycle(told: Json) -> Group:
    title = Text(plain(told["title"]), "bold")
    if told["lifecycle"] != told["title"]:
        title.append(f" ({plain(told['lifecycle'])})", "dim")
    parts: list[RenderableType] = [
        _stage(told),
        *_measures(told),
        *_notes(told),
        *_ways_out(told),
        Text(time_words(told), "bold"),
    ]
    if told["forgotten"] is not None:
        parts.append(
            Text(f"On {when(told['forgotten'])}, it is forgotten if nothing is heard of it until then.", "dim")
        )
    return Group(title, *(part if part is _BLANK else Padding(part, (0, 0, 0, 2), expand=False) for part in parts))


def _stage(told: Json) -> Text:
    for_long = length(max(0, told["at"] - told["entered"]))
    stage = Text.assemble("in ", (plain(told["stage_title"]), "bold green"))
    stage.append(f" since {when(told['entered'])}, for {for_long}")
    for what in ("channels", "actions"):
        if told[what]:
            stage.append(f"\n{what} {', '.join(map(plain, told[what]))}")
    return stage


def _measures(told: Json) -> Iterator[Table | Text]:
    if told["scores"]:
        yield _BLANK
        table = plain_table("Score", "Now", "Given by", numbers=("Now",))
        for name, value in told["scores"].items():
            table.add_row(Text(plain(name)), number(value), Text(_given_by(told["contributions"].get(name, []))))
        yield table
    if told["facts"]:
        yield _BLANK
        table = plain_table("Fact", "Now")
        for name, value in told["facts"].items():
            unit = "time" if name in told["times"] else None
            table.add_row(Text(plain(name)), Text(value_words(value, unit)))
        yield table


def _given_by(contributions: list[Json]) -> str:
    return ", ".join(
        f"{plain(each['signal'])} {number(each['points'])} ({amount(each['count'], 'time')})" for each in contributions
    )


def _notes(told: Json) -> Iterator[Text]:
    """What is not as a reader of scores and facts would think."""
    for ledger in told["ledgers"]:
        waiting = f", {ledger['waiting']:,} waited for" if ledger["waiting"] else ""
        entries = "1 entry counts" if ledger["count"] == 1 else f"{ledger['count']:,} entries count"
        yield Text(f"ledger {plain(ledger['name'])}: {entries}, {number(ledger['sum'])} left{waiting}")
    for used in told["used_up"]:
        until = "never again" if used["until"] is None else f"again from {when(used['until'])} on"
        yield Text(f"{plain(used['signal'])} counts {until}: {used['limit']}", "yellow")
    for full in told["full"]:
        entries = "the latest entry" if full["keep"] == 1 else f"the latest {full['keep']:,} entries"
        said = f"{full['kind']} {plain(full['name'])} keeps {entries}, from {when(full['oldest'])} on"
        if full["dropped"]:
            said += f"; {full['dropped']:,} more still count, and no return finds them"
        yield Text(said, "yellow")


def _ways_out(told: Json) -> Iterator[RenderableType]:
    if not told["transitions"]:
        yield _BLANK
        yield Text("No way leads out of this stage.")
    for way in told["transitions"]:
        yield _BLANK
        yield from _way(way)
    yield _BLANK


def _way(way: Json) -> Iterator[RenderableType]:
    condition = way["condition"]
    yield Text.assemble(
        ("→ ", "bold"),
        (plain(way["title"]), "bold cyan"),
        (f"  when {' '.join(plain(way['transition']).split())}", "dim"),
    )
    if way["holds"]:
        yield _line(1, "✓", "holds: the next interaction takes it there, unless a way above does", "green")
    for part in condition["parts"] if condition["kind"] == "all" else [condition]:
        yield from _tree(part, 1, wanted=True)
    for guard in way["guards"]:
        yield _marked(1, good=guard["holds"], decisive=not guard["holds"], text=guard_words(guard))


def _tree(part: Json, depth: int, *, wanted: bool) -> Iterator[RenderableType]:
    """A part of a condition, one line for each comparison."""
    kind = part["kind"]
    if kind == "not":
        yield from _tree(part["parts"][0], depth, wanted=not wanted)
        return
    good = None if part["holds"] is None else part["holds"] is wanted
    if kind == "comparison":
        yield _marked(depth, good=good, decisive=part["decisive"], text=comparison_words(part))
        if part["scores"] is not None and not good:
            yield from _tree(part["scores"], depth + 1, wanted=wanted)
        return
    yield _marked(depth, good=good, decisive=part["decisive"], text=_JOINED[kind, wanted])
    for each in part["parts"]:
        yield from _tree(each, depth + 1, wanted=wanted)


def _marked(depth: int, *, good: bool | None, decisive: bool, text: str) -> RenderableType:
    """✓ as wanted, ✗ not and the transition waits for it, · not and another is nearer, … only an interaction tells."""
    if not good and not decisive:
        return _line(depth, "·", text, "dim", dim=True)
    mark, style = ("✓", "green") if good else ("…", "yellow") if good is None else ("✗", "red")
    return _line(depth, mark, text, style)


def _line(depth: int, mark: str, text: str, style: str, *, dim: bool = False) -> RenderableType:
    """A line that stays behind its mark where it is broken."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(mark, style), Text(text, "dim" if dim else ""))
    return Padding(grid, (0, 0, 0, 2 * depth), expand=False)
