"""All that a comparison says, as one JSON document (`schemas/diff.schema.json`), which terminal and page show."""

from collections.abc import Sequence
from typing import Any, Final

from stream.core.lifecycle import Lifecycle
from stream.offline.diff.edits import edits_of
from stream.offline.diff.explained import Told, move_data
from stream.offline.diff.history import Noted
from stream.offline.diff.shares import Task
from stream.offline.diff.tally import DIFFERENCES, Flow, Tally, largest
from stream.offline.diff.versions import Versions, ways_of
from stream.offline.stage_statistics import quantile

_PARTINGS: Final = 20
"""Kinds of parting that are told, the most frequent ones."""


def document(
    task: Task, versions: Versions, tally: Tally, noted: Noted, duplicates: int, told: Sequence[Told]
) -> dict[str, Any]:
    """The document; `told` are the customers who are explained. Times are epoch milliseconds, lengths milliseconds."""
    endings = tally.endings.items()
    cells: dict[tuple[str | None, str | None], int] = {}
    for ending, count in endings:
        cells[ending.old, ending.new] = cells.get((ending.old, ending.new), 0) + count
    texts = task.files[0][0], task.files[1][0]
    sides = zip(("old", "new"), versions.lifecycles, (name for _, name in task.files), tally.flows, (0, 1), strict=True)
    return {
        **{side: _version(lifecycle, name, flow, cells, place) for side, lifecycle, name, flow, place in sides},
        "edits": [each._asdict() for each in edits_of(texts, versions)],
        "renamed": versions.renamed,
        "history": {
            "files": [each.given for each in task.history.files],
            "records": noted.records,
            "rejected": noted.rejected.count,
            "duplicates": duplicates,
            "known": noted.known,
            "ahead": noted.ahead,
            "first": noted.first,
            "last": noted.last,
            "until": task.until,
        },
        "customers": sum(tally.endings.values()),
        "same": tally.count("same"),
        **{each: tally.count(each) for each in DIFFERENCES},
        "matrix": [
            {"old": old, "new": new, "customers": count}
            for (old, new), count in sorted(cells.items(), key=lambda each: (-each[1], repr(each[0])))
        ],
        "partings": [
            {
                "from": parting.source,
                "old": move_data(parting.old),
                "new": move_data(parting.new),
                "customers": count,
            }
            for parting, count in largest(tally.partings.items())[:_PARTINGS]
        ],
        "explained": list(told),
    }


def _version(
    lifecycle: Lifecycle, name: str, flow: Flow, cells: dict[tuple[str | None, str | None], int], place: int
) -> dict[str, Any]:
    """One of the two, and how customers went through it."""
    now: dict[str | None, int] = {}
    for cell, count in cells.items():
        now[cell[place]] = now.get(cell[place], 0) + count
    return {
        "name": name,
        "lifecycle": lifecycle.id,
        "title": lifecycle.title,
        "version": lifecycle.version,
        "stages": [_stage(lifecycle, flow, stage, now.get(stage, 0)) for stage in lifecycle.stages],
        "ways": _ways(lifecycle, flow),
    }


def _stage(lifecycle: Lifecycle, flow: Flow, stage: str, now: int) -> dict[str, Any]:
    left, entered = flow.left(stage), flow.entered(stage)
    return {
        "stage": stage,
        "title": lifecycle.stages[stage].title,
        "now": now,
        "entered": entered,
        "went_on": len(left) / entered if entered else None,
        **_lasted(left),
    }


def _ways(lifecycle: Lifecycle, flow: Flow) -> list[dict[str, Any]]:
    """Every pair of stages that a transition joins or somebody went, new customers first, forgotten ones last."""
    joined = dict.fromkeys((way.source, way.target) for way in ways_of(lifecycle))
    order = dict.fromkeys([(None, lifecycle.first_stage), *joined, *flow.stays])
    found: list[dict[str, Any]] = []
    for source, target in order:
        stays = sorted(flow.stays.get((source, target), ()))
        entered = flow.entered(source) if source is not None else 0
        share = len(stays) / entered if entered else None
        lasted = _lasted(stays if source is not None else [])
        found.append({"from": source, "to": target, "times": len(stays), "share": share, **lasted})
    return found


def _lasted(ascending: Sequence[int]) -> dict[str, float | None]:
    """Median and p90 of lengths in milliseconds; None where there are none."""
    return {
        "median": quantile(ascending, 0.5) if ascending else None,
        "p90": quantile(ascending, 0.9) if ascending else None,
    }
