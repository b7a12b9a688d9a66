"""What of a lifecycle no interaction matched, and what interactions no word covers, as tables for people."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from rich.console import Group, RenderableType
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.similar_names import meant
from stream.cli.terminal.tables import plain_table, titled
from stream.codec.plain import plain
from stream.core.lifecycle import Lifecycle, Transition
from stream.core.matches import Matches, Missing, Observation
from stream.core.mentions import event_names_of, written
from stream.core.step_counts import REST
from stream.core.times import format_time

_MOST_NAMES = 10
_MOST_NAMES_OF_ALL = 60
"""Where a word or signal matched nothing: the right name is among those that came, and may be a rare one."""
_MOST_PROPERTIES = 8
_MOST_LISTED = 12
"""Words, signals and so on of one row."""
_LIKE = 0.8
"""How much of a name must be the same, from 0 to 1, for another to have been meant."""


def unmatched(
    matches: Matches, observation: Observation, never_taken: Sequence[Transition] = ()
) -> Iterator[RenderableType]:
    """Event names that no word of the lifecycle covers; and what nothing matched. Nothing where all is well.

    `observation` has every name that came; `never_taken` the transitions that nobody took, where customers were
    moved at all.
    """
    lifecycle = matches.lifecycle
    if matches.unknown:
        unheard = event_names_of(lifecycle) - observation.names.keys()
        is_one_missing = not all(matches.words.values()) or not all(matches.signals.values())
        most = _MOST_NAMES_OF_ALL if is_one_missing else _MOST_NAMES
        yield _names(f"Event names that no word of {lifecycle.id} covers", matches.unknown, unheard, most)
    table = plain_table("", "")
    table.show_header = False
    table.columns[0].style = "dim"
    table.columns[0].no_wrap = True
    rows = [
        ("words", _listed(word for word, count in matches.words.items() if not count)),
        ("signals", _listed(name for name, matched in matches.signals.items() if not matched)),
        ("facts", _listed(name for name, matched in matches.facts.items() if not matched)),
        ("transitions", _listed((_way(lifecycle, each) for each in never_taken), "\n")),
        ("properties", _listed(missing_properties(matches.missing), "\n")),
    ]
    for what, text in rows:
        if text:
            table.add_row(what, Text(text))
    if table.row_count:
        yield titled(f"What of {lifecycle.id} nothing matched", table)


def names_table(observation: Observation) -> Group:
    """The event names that came, the most frequent first."""
    return _names("Event names", observation.names, ())


def time_span(observation: Observation) -> str:
    """From when to when the interactions are; empty where there was none."""
    if observation.first is None or observation.last is None:
        return ""
    return f"from {format_time(observation.first)} to {format_time(observation.last)}"


def _names(title: str, counts: Mapping[str, int], unheard: Iterable[str], most: int = _MOST_NAMES) -> Group:
    """`unheard` are names that are known but did not come, one of which may have been meant; `most` are shown."""
    ranked = sorted(((name, count) for name, count in counts.items() if name != REST), key=lambda each: -each[1])
    shown, rest = ranked[:most], ranked[most:]
    hints = meant([name for name, _count in shown], unheard)
    table = plain_table("Event name", "Interactions", *(["Did you mean"] if hints else []), numbers=("Interactions",))
    for name, count in shown:
        hint = [Text(plain(hints.get(name, "")))] if hints else []
        table.add_row(Text(plain(name)), f"{count:,}", *hint)
    left = sum(count for _name, count in rest) + counts.get(REST, 0)
    if left:
        more = "more" if REST in counts else f"{amount(len(rest), 'other name')}"
        table.add_row(Text(f"({more})", style="dim"), f"{left:,}")
    return titled(title, table)


def _way(lifecycle: Lifecycle, transition: Transition) -> str:
    sources = ", ".join(stage for stage in lifecycle.stages if stage in transition.sources)
    return f"{sources} → {transition.target} when {' '.join(transition.condition.text.split())}"


def missing_properties(missing: Sequence[Missing]) -> Iterator[str]:
    """A line for each property: in none of how many interactions, who names it, and what was probably meant."""
    by_path: dict[str, list[Missing]] = {}
    for each in missing:
        by_path.setdefault(written(each.path), []).append(each)
    for path, named in by_path.items():
        looked = max(each.looked for each in named)
        line = f"{path}, in 0 of {amount(looked, 'interaction')}"
        line += f" ({', '.join(dict.fromkeys(each.rule for each in named))})"
        through = next((each.list for each in named if each.list is not None), None)
        if through is not None:
            line += f"; {plain(through)} is a list, and a path does not lead into one"
        else:
            line += _instead(path, named)
        yield line


def _instead(path: str, named: Sequence[Missing]) -> str:
    """The property that was probably meant, else those that the interactions have most often."""
    counts: Counter[str] = Counter()
    for each in named:
        counts.update(each.instead)
    if near := get_close_matches(path, counts, 1, _LIKE):
        return f"; did you mean {plain(near[0])}?"
    found = [plain(each.removeprefix("properties.")) for each, _count in counts.most_common(_MOST_PROPERTIES)]
    more = ", …" if len(counts) > len(found) else ""
    return f"; they have {', '.join(found)}{more}" if found else ""


def _listed(names: Iterable[str], between: str = ", ") -> str:
    every = [each for each in names if each]
    shown = between.join(every[:_MOST_LISTED])
    more = len(every) - _MOST_LISTED
    return f"{shown}{between}and {more:,} more" if more > 0 else shown
