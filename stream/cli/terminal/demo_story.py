"""Stage changes of the lifecycle `metrics` in words, and the changes and the life that a person can follow."""

from collections.abc import Iterable
from typing import Final

from rich.text import Text

from stream.codec.plain import plain
from stream.codec.stage_change_reader import StageChangeValue
from stream.core.times import format_time

WORDS: Final = {
    ("awareness", "engagement"): "looks around",
    ("awareness", "conversion"): "is ready to buy",
    ("engagement", "conversion"): "is ready to buy",
    ("conversion", "engagement"): "has cooled off",
    ("engagement", "awareness"): "has forgotten us",
    ("conversion", "retention"): "bought a second time",
    ("retention", "loyalty"): "is loyal now",
    ("loyalty", "retention"): "is less keen on us",
    ("dormant", "win_back"): "shows up again",
    ("win_back", "retention"): "is won back: bought",
}
"""By the stage left and the stage entered."""
FIRST: Final = "comes for the first time"
QUIET: Final = "has gone quiet"
"""Of whoever becomes dormant, from wherever."""
FORGOTTEN: Final = "was forgotten: silence"
"""Of whoever was deleted after the time that the setting `forget_after` gives them."""
_LONGEST_LIFE: Final = 7
"""Changes, of a life that is shown at the end: what fits into a small terminal."""

_Move = tuple[str | None, str | None]
"""The stages left and entered."""


class Story:
    """Picks from the stream of changes what a person can read."""

    def __init__(self) -> None:
        self._lives: dict[str, list[StageChangeValue]] = {}
        self._waiting: dict[_Move, StageChangeValue] = {}
        """The latest change of each kind that was not picked yet."""
        self._picked: dict[_Move, int] = {}
        """When each kind was picked last, counted in picks."""
        self._picks = 0

    def add(self, change: StageChangeValue) -> None:
        """A change was seen; in the order of each customer."""
        self._lives.setdefault(change.subject, []).append(change)
        if change.from_stage is not None:  # everybody comes once: that is seen in the numbers
            self._waiting[change.from_stage, change.to_stage] = change

    def pick(self) -> StageChangeValue | None:
        """The latest change of the kind that was picked longest ago; None: there is nothing new."""
        if not self._waiting:
            return None
        move = min(self._waiting, key=lambda each: self._picked.get(each, 0))
        self._picks += 1
        self._picked[move] = self._picks
        return self._waiting.pop(move)

    def life(self) -> list[StageChangeValue]:
        """The life that went through most stages, among those that are short enough to be shown."""
        short = [life for life in self._lives.values() if len(life) <= _LONGEST_LIFE]
        return max(short, key=_stages_and_length, default=[])


def meaning(change: StageChangeValue) -> str:
    """What it means, in words."""
    if change.from_stage is None:
        return FIRST
    if change.to_stage == "dormant":
        return QUIET
    if change.to_stage is None:
        return FORGOTTEN
    return WORDS[change.from_stage, change.to_stage]


def line_of(change: StageChangeValue, *, subject: bool = True) -> Text:
    """When, who, what it means, from where to where, and why; cut at the end of the terminal's line."""
    trigger = change.trigger
    cause = plain(trigger.type or "") if trigger.kind == "interaction" else "time passed"
    condition = f": {plain(' '.join(change.transition.split()))}" if change.transition else ""
    arrow = f"{plain(change.from_stage or '(new)')} → {plain(change.to_stage or '(forgotten)')}"
    who = [(f"{plain(change.subject):<15}", "cyan")] if subject else []
    return _cut([
        (f"{format_time(change.at)[:10]}  ", "dim"),
        *who,
        (f"{meaning(change):<26}", "bold"),
        (f"{arrow}  ", ""),
        (f"({cause}{condition})", "dim"),
    ])  # fmt: skip


def _cut(parts: Iterable[tuple[str, str]]) -> Text:
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def _stages_and_length(life: list[StageChangeValue]) -> tuple[int, int]:
    return len({change.to_stage for change in life}), -len(life)
