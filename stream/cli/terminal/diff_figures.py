"""The figures of two lifecycles side by side: which belong together, and how they are written."""

from collections.abc import Iterator
from typing import NamedTuple

from stream.cli.terminal.diff_words import SIDES, in_old, stage_title
from stream.cli.terminal.explanation_words import Json
from stream.cli.terminal.spans import NOTHING, share, span
from stream.codec.plain import plain


class Both(NamedTuple):
    """What old and new have of one stage, or of one way; None: it has none."""

    title: str
    old: Json | None
    new: Json | None

    def shown(self, key: str) -> tuple[str, str]:
        """A figure of both, as people write it."""
        old, new = (NOTHING if each is None else _figure(key, each[key]) for each in (self.old, self.new))
        return old, new

    def change(self, key: str) -> int:
        """How much more a count is in the new one."""
        old, new = (0 if each is None else int(each[key]) for each in (self.old, self.new))
        return new - old

    @property
    def note(self) -> str:
        """Whether only one of the two has it."""
        return "new" if self.old is None else "removed" if self.new is None else ""


def stages_of_both(document: Json) -> Iterator[Both]:
    """Every stage in the order of the new file, those that it has no more last."""
    old, new = ({each["stage"]: each for each in document[side]["stages"]} for side in SIDES)
    for name, each in new.items():
        yield Both(plain(each["title"]), old.get(in_old(document, name) or ""), each)
    for name, each in old.items():
        if document["renamed"].get(name, name) not in new:
            yield Both(plain(each["title"]), each, None)


def ways_of_both(document: Json) -> Iterator[Both]:
    """Every way that somebody went, new customers first."""
    renamed = document["renamed"]
    old = {
        (renamed.get(each["from"], each["from"]), renamed.get(each["to"], each["to"])): each
        for each in document["old"]["ways"]
    }
    new = {(each["from"], each["to"]): each for each in document["new"]["ways"]}
    for ends in dict.fromkeys([*new, *old]):
        both = Both(_way_title(document, *ends), old.get(ends), new.get(ends))
        if any(each is not None and each["times"] for each in (both.old, both.new)):
            yield both


def matrix_of(document: Json) -> tuple[list[str | None], list[str | None], dict[tuple[str | None, str | None], int]]:
    """Stages of the old one, those of the new one, and how many customers stand in which of both.

    None stands for those who are forgotten, where there are any.
    """
    cells = {(each["old"], each["new"]): each["customers"] for each in document["matrix"]}
    rows, columns = ([each["stage"] for each in document[side]["stages"]] for side in SIDES)
    if any(old is None for old, _ in cells):
        rows.append(None)
    if any(new is None for _, new in cells):
        columns.append(None)
    return rows, columns, cells


def is_alike(document: Json, old: str | None, new: str | None) -> bool:
    """Whether these two are one stage."""
    renamed: dict[str | None, str] = document["renamed"]
    return renamed.get(old, old) == new


def _way_title(document: Json, source: str | None, target: str | None) -> str:
    begin = "new customer" if source is None else _title(document, source)
    return f"{begin} → {_title(document, target)}"


def _title(document: Json, stage: str | None) -> str:
    known = any(each["stage"] == stage for each in document["new"]["stages"])
    return stage_title(document, "new" if known else "old", stage)


def _figure(key: str, value: float | None) -> str:
    if value is None:
        return NOTHING
    if key in ("share", "went_on"):
        return share(value)
    return span(value) if key in ("median", "p90") else f"{value:,}"
