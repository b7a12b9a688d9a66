"""Reports made of interactions that a test has, without files."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.core.durations import DAY
from stream.core.interaction import MAX_TIME, Interaction
from stream.core.lifecycle import Lifecycle
from stream.core.model import model_of
from stream.report.from_interactions import FromInteractions
from stream.report.making import Asked, report_of
from stream.report.meanings import meanings_of
from stream.report.tables import Cell, Change, Report, Table, Value

PRESETS = Path(__file__).resolve().parents[2] / "stream" / "presets"


def in_zone(zone: str, folder: Path, preset: str = "metrics") -> Lifecycle:
    """A preset whose days are those of another zone."""
    text = (PRESETS / f"{preset}.yaml").read_text(encoding="utf-8")
    file = folder / f"{preset}-{zone.replace('/', '-')}.yaml"
    file.write_text(text.replace(f"lifecycle: {preset}\n", f"lifecycle: {preset}\ntime_zone: {zone}\n"), "utf-8")
    return load(str(file)).lifecycle


def reckoned(
    lifecycle: Lifecycle, interactions: Iterable[Interaction], asked: Asked | None = None, words: Sequence[str] = ()
) -> Report:
    asked = Asked() if asked is None else asked
    meanings = meanings_of(lifecycle, words, "properties.total", "properties.order_id")
    source = FromInteractions(model_of([lifecycle]), meanings, asked.by, MAX_TIME)
    source.read(enumerate(interactions, start=1), "test", known=False)
    source.finish()
    tally = source.simulation.step_counts.figures.get(lifecycle.id)
    return report_of(meanings, asked, source.interactions, source.changes, tally)


def shuffled(interactions: Iterable[Interaction], seed: int = 1) -> list[Interaction]:
    """Each up to three days later than its time says."""
    chance = Random(seed)
    return sorted(interactions, key=lambda each: each.time + chance.randrange(3 * DAY))


def table(report: Report, name: str) -> Table:
    return next(each for each in report.tables if each.id == name)


def row(report: Report, name: str, first: str) -> Sequence[Cell]:
    return next(each for each in table(report, name).rows if each[0] == first)


def plain(cell: Cell) -> float | str | None:
    """A value as a number, amounts in millionths."""
    if isinstance(cell, Value):
        return cell.number
    return cell.share if isinstance(cell, Change) else cell
