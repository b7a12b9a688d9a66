"""A lifecycle drawn: for the terminal, for Graphviz, and for Mermaid."""

import re
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from stream.cli.terminal.figures_table import figures
from stream.cli.terminal.measures_table import bands, facts, scores
from stream.core.lifecycle import Lifecycle, Stage, Transition

_BOX_WIDTH = 46
_SPINE = 3
"""Columns from the left of the spine that joins the boxes."""
_SHORTEST = 24
"""Columns that a condition gets at least, however narrow the terminal."""
_ANY = "any stage"
_BY_TIME = "◷"
_CENTRED, _LEFT = "\\n", "\\l"
"""How a line of a Graphviz label ends, which says where it stands."""
_COLOURS = {"▼": "green", "▶": "green", "▲": "yellow"}
_MEANINGS = {"▼": "on to the next", "▶": "past it", "▲": "back"}


class Way(NamedTuple):
    """One way out of a stage."""

    target: Stage
    sign: str
    """▼ on to the next stage, ▶ past it, ▲ back."""
    condition: str
    by_time: bool
    """The passing of time alone can make the condition true."""


def ways_from(lifecycle: Lifecycle, stage: str) -> list[Way]:
    """The ways out of one stage, as they are tried; without those that lead out of any stage."""
    order = list(lifecycle.stages)
    here = order.index(stage)
    ways = []
    for transition in lifecycle.transitions_from[stage]:
        if not _from_any(lifecycle, transition):
            ahead = order.index(transition.target) - here
            ways.append(_way(lifecycle, transition, "▲" if ahead < 0 else "▼" if ahead == 1 else "▶"))
    return ways


def ways_from_any(lifecycle: Lifecycle) -> list[Way]:
    """The transitions that lead out of every stage but their target."""
    return [_way(lifecycle, each, "▶") for each in lifecycle.transitions if _from_any(lifecycle, each)]


def _from_any(lifecycle: Lifecycle, transition: Transition) -> bool:
    return len(lifecycle.stages) > 2 and len(transition.sources) == len(lifecycle.stages) - 1


def _way(lifecycle: Lifecycle, transition: Transition, sign: str) -> Way:
    condition = transition.condition
    by_time = condition.timed
    text = " ".join(condition.text.split())
    text += f", {transition.limits}" if transition.limits else ""
    return Way(lifecycle.stages[transition.target], sign, text, by_time)


def picture(lifecycle: Lifecycle) -> RenderableType:
    """The stages from top to bottom as boxes, and between them the ways that lead on, past and back."""
    name = "" if lifecycle.title == lifecycle.id else f"{lifecycle.id}, "
    title = Text.assemble((lifecycle.title, "bold"), (f"  {name}version {lifecycle.version}", "dim"))
    measures = [*scores(lifecycle), *bands(lifecycle), *facts(lifecycle), *figures(lifecycle)]
    parts = [*_stages(lifecycle), _legend(lifecycle), *measures]
    digest = Text(f"digest {lifecycle.digest.hex()}", style="dim")  # in no title: a long one is cut off
    return Group(Rule(title, align="left", style="dim"), digest, Text(), *parts)


def _stages(lifecycle: Lifecycle) -> Iterator[RenderableType]:
    last = len(lifecycle.stages)
    for number, stage in enumerate(lifecycle.stages.values(), start=1):
        yield _box(number, stage)
        ways = ways_from(lifecycle, stage.name)
        joined = any(way.sign == "▼" for way in ways)
        yield _Ways(ways, joined=joined)
        if number < last:
            yield Text(" " * _SPINE + "│" if joined else "")
    anywhere = ways_from_any(lifecycle)
    if anywhere:
        yield Text.assemble("\n", (f"From {_ANY}", "bold"), (f", {_turn(lifecycle)}", "dim"))
        yield _Ways(anywhere, joined=False)


def _turn(lifecycle: Lifecycle) -> str:
    """When the ways out of any stage are tried."""
    from_any = [_from_any(lifecycle, each) for each in lifecycle.transitions]
    if from_any == sorted(from_any):
        return "tried after the others"
    return "tried before the others" if from_any == sorted(from_any, reverse=True) else "tried as in the file"


def _box(number: int, stage: Stage) -> Panel:
    lines: list[RenderableType] = [Text("everyone starts here", style="dim")] if number == 1 else []
    words = Table.grid(padding=(0, 2))
    if stage.channels:
        words.add_row(Text("channels", style="dim"), Text(", ".join(stage.channels), style="cyan"))
    if stage.actions:
        words.add_row(Text("actions", style="dim"), Text(", ".join(stage.actions), style="magenta"))
    if words.rows:
        lines.append(words)
    title = Text.assemble((f"{number} ", "dim"), (stage.title, "bold"))
    if stage.title != stage.name:
        title.append(f" ({stage.name})", "dim")
    return Panel(Group(*lines), title=title, title_align="left", width=max(_BOX_WIDTH, title.cell_len + 6))


class _Ways(NamedTuple):
    """Lines under a box: one branch for each way, its condition wrapped beside it."""

    ways: list[Way]
    joined: bool
    """The spine goes on to the next box."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        names = max((cell_len(way.target.title) for way in self.ways), default=0)
        for place, way in enumerate(self.ways):
            on = self.joined or place < len(self.ways) - 1
            sign = (way.sign, _COLOURS[way.sign])
            head = Text.assemble(" " * _SPINE, "├" if on else "└", "─", sign, " ", (way.target.title, "bold"))
            head.pad_right(_SPINE + names + 6 - head.cell_len)
            rest = " " * _SPINE + ("│" if on else " ")
            if options.max_width - head.cell_len < _SHORTEST:
                yield head
                head = Text(rest.ljust(_SPINE + 4))
            width = max(options.max_width - head.cell_len, _SHORTEST)
            # Without a break before the sign, which wraps like a word otherwise.
            kept_together = f"\u00a0{_BY_TIME}"
            condition = way.condition + kept_together if way.by_time else way.condition
            indent = rest.ljust(head.cell_len)
            for number, line in enumerate(textwrap.wrap(condition, width, break_on_hyphens=False)):
                yield Text.assemble(indent if number else head, line.replace(kept_together, f" {_BY_TIME}"))


def _legend(lifecycle: Lifecycle) -> RenderableType:
    ways = [
        *(way for stage in lifecycle.stages for way in ways_from(lifecycle, stage)),
        *ways_from_any(lifecycle),
    ]
    shown = {way.sign for way in ways}
    legend = [f"{sign} {meaning}" for sign, meaning in _MEANINGS.items() if sign in shown]
    if any(way.by_time for way in ways):
        legend.append(f"{_BY_TIME} comes by time alone")
    if len(ways) > 1:
        legend.append("tried from top to bottom")
    return Text("\n" + "   ".join(legend), style="dim")


def dot(lifecycle: Lifecycle) -> str:
    """The lifecycle in Graphviz' language: `dot -Tsvg` draws it."""
    title = _label(f"{lifecycle.title}, version {lifecycle.version}")
    lines = [
        f"digraph {_quoted(lifecycle.id)} {{",
        f"  graph [label={title}, labelloc=t, fontsize=18, nodesep=0.5, ranksep=0.6];",
        '  fontname="Helvetica"; node [fontname="Helvetica"]; edge [fontname="Helvetica"];',
        '  node [shape=box, style="rounded,filled", fillcolor="#eef4fb", color="#4a6fa5"];',
        '  edge [color="#4a6fa5", fontsize=10];',
    ]
    lines += [f"  {_quoted(each.name)} [label={_label(*_words(each))}];" for each in lifecycle.stages.values()]
    for stage in lifecycle.stages:
        for way in ways_from(lifecycle, stage):
            lines.append(_edge(stage, way, ", style=dashed, constraint=false" if way.sign == "▲" else ""))
    anywhere = ways_from_any(lifecycle)
    if anywhere:
        # A stage's name has no space in it.
        lines.append(f'  {_quoted(_ANY)} [shape=plaintext, style="", fontcolor="#777777"];')
    return "\n".join([*lines, *(_edge(_ANY, way, ", style=dotted") for way in anywhere), "}"])


def _words(stage: Stage) -> list[str]:
    words = [stage.title]
    if stage.channels:
        words.append("channels: " + ", ".join(stage.channels))
    if stage.actions:
        words.append("actions: " + ", ".join(stage.actions))
    return words


def _edge(source: str, way: Way, style: str) -> str:
    lines = textwrap.wrap(way.condition, 34, break_long_words=False, break_on_hyphens=False)
    return f"  {_quoted(source)} -> {_quoted(way.target.name)} [label={_label(*lines, end=_LEFT)}{style}];"


def _quoted(text: str) -> str:
    """An id: in one that is quoted only the quote itself needs an escape."""
    return '"' + text.replace('"', '\\"') + '"'


def _label(*lines: str, end: str = _CENTRED) -> str:
    """A label: backslashes begin escapes there, and & begins entities as in HTML."""
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in lines]
    escaped = [" ".join(line.split()) for line in escaped]
    return '"' + end.join(escaped) + (end if end == _LEFT else "") + '"'


def mermaid(lifecycle: Lifecycle) -> str:
    """The lifecycle as a Mermaid flowchart, which Markdown on GitHub and GitLab draws."""
    # `end`, `default` and other words may not be ids.
    ids = {name: f"s{number}" for number, name in enumerate(lifecycle.stages, start=1)}
    lines = ["flowchart TD"]
    lines += [
        f'  {ids[each.name]}("{"<br/>".join(map(_entities, _words(each)))}")' for each in lifecycle.stages.values()
    ]
    for stage in lifecycle.stages.values():
        for way in ways_from(lifecycle, stage.name):
            arrow = "-.->" if way.sign == "▲" else "-->"
            lines.append(f'  {ids[stage.name]} {arrow}|"{_entities(way.condition)}"| {ids[way.target.name]}')
    anywhere = ways_from_any(lifecycle)
    if anywhere:
        lines.append(f'  any(["{_ANY}"])')
    lines += [f'  any -.->|"{_entities(way.condition)}"| {ids[way.target.name]}' for way in anywhere]
    return "\n".join(lines)


# Left as they are: letters, digits, single spaces, and what is neither Markdown, HTML nor Mermaid's own where
# it stands: an underscore within a word, a full stop after a letter (after a digit it makes a list).
_PLAIN = re.compile(r"(?:[^\W_]|[ ,=/]|(?<=[^\W_])_(?=[^\W_])|(?<=[^\W\d_])\.)+")


def _entities(text: str) -> str:
    """A label's text, every character that could mean something to Mermaid as `#code;`."""
    parts, place = [], 0
    text = " ".join(text.split())
    for plain in _PLAIN.finditer(text):
        parts += [f"#{ord(sign)};" for sign in text[place : plain.start()]]
        parts.append(plain[0])
        place = plain.end()
    return "".join([*parts, *(f"#{ord(sign)};" for sign in text[place:])])
