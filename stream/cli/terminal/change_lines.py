"""A stage change as one line for people."""

from collections.abc import Mapping

from rich.text import Text

from stream.codec.plain import plain
from stream.codec.stage_change_reader import StageChangeValue
from stream.core.times import format_time

_MOST_SCORES = 3


def line_of(change: StageChangeValue) -> Text:
    """When, who, in which lifecycle, from where to where, why, and the scores that are largest.

    A change that another one follows in the same step ends with three dots.
    """
    parts = [
        (format_time(change.at), "dim"),
        (plain(change.subject), "bold"),
        (plain(change.lifecycle), "cyan"),
        (f"{plain(change.from_stage or '(new)')} →", ""),
        (plain(change.to_stage or "(forgotten)"), "bold green" if change.to_stage else "bold red"),
        (plain(_why(change)), ""),
        (_scores(change.scores), "dim"),
        ("" if change.final else "…", "dim"),
    ]
    line = Text()
    for place, (text, style) in enumerate(parts):
        if text:
            # The arrow and what it points to are one.
            line.append(("" if place == 0 else " " if place == 4 else "  ") + text, style)
    return line


def _why(change: StageChangeValue) -> str:
    trigger = change.trigger
    if trigger.kind == "interaction":
        cause = f"by {trigger.type}" + (" (late)" if trigger.late else "")
    elif trigger.kind == "deadline":
        cause = "by time"
    else:
        cause = "" if change.to_stage is None and trigger.kind == "forgotten" else f"by {trigger.kind}"
    return f"{cause}: {' '.join(change.transition.split())}" if change.transition else cause


def _scores(scores: Mapping[str, float]) -> str:
    largest = sorted((each for each in scores.items() if each[1]), key=lambda each: -abs(each[1]))
    return ", ".join(f"{plain(name)} {value:,.1f}" for name, value in largest[:_MOST_SCORES])
