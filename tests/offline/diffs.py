"""Two lifecycles compared as `lifecycle diff` does, and by plain code from what `simulate` writes of each alone.

The plain code knows nothing of how the product compares: it reads stage changes and customers of two runs, and puts
them together.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

from stream.codec.files.reading_options import FROM_THE_FILE
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.offline.diff.document import document
from stream.offline.diff.explained import explained
from stream.offline.diff.history import History, Noted, readable_again, without_progress
from stream.offline.diff.shares import Task, compare, text_and_name
from stream.settings import Settings

Row = dict[str, Any]


class Plain(NamedTuple):
    """What comes out, in the words of `schemas/diff.schema.json`."""

    matrix: Counter[tuple[str | None, str | None]]
    differences: Counter[str]
    parted: dict[str, int]
    """By id of a customer who is there at the end in one of the two, and differs: when it parts."""
    difference_of: dict[str, str]
    ways: tuple[dict[tuple[str | None, str | None], list[int]], dict[tuple[str | None, str | None], list[int]]]
    """Of old and new, by stage left and entered: how long the stays were."""


def compared(
    old: tuple[Iterable[Row], Iterable[Row]], new: tuple[Iterable[Row], Iterable[Row]], renamed: Mapping[str, str]
) -> Plain:
    """Of each, the lines of `--changes` and of `--customers`."""
    histories: tuple[dict[str, list[Row]], dict[str, list[Row]]] = ({}, {})
    ends: tuple[dict[str, str], dict[str, str]] = ({}, {})
    ways: tuple[Any, Any] = ({}, {})
    for side, (changes, customers) in enumerate((old, new)):
        for row in changes:
            histories[side].setdefault(who_of(row), []).append(row)
            stay = 0 if row["entered"] is None else row["at"] - row["entered"]
            ways[side].setdefault((row["from"], row["to"]), []).append(stay)
        for row in customers:
            ends[side][who_of(row)] = row["stage"]
    found = Plain(Counter(), Counter(), {}, {}, ways)
    for who in ends[0].keys() | ends[1].keys():
        before, after = ends[0].get(who), ends[1].get(who)
        found.matrix[before, after] += 1
        went = [[(renamed.get(row["to"], row["to"]), row["at"]) for row in histories[0].get(who, ())]]
        went += [[(row["to"], row["at"]) for row in histories[1].get(who, ())]]
        if went[0] == went[1]:
            found.differences["same"] += 1
            continue
        if renamed.get(before or "", before) != after:
            difference = "elsewhere"
        else:
            stages = [[stage for stage, _ in each] for each in went]
            difference = "other_times" if stages[0] == stages[1] else "another_way"
        found.differences[difference] += 1
        found.difference_of[who] = difference
        pair = next((one, other) for one, other in zip_longest(*went) if one != other)
        found.parted[who] = min(each[1] for each in pair if each is not None)
    return found


def who_of(row: Row) -> str:
    """The customer of a line."""
    return f"customer {row['customer_id']}" if "customer_id" in row else f"anonymous {row['anonymous_id']}"


def diff_of(
    old: str, new: str, files: Iterable[str], *, until: int | None = None, most: int = 20, processes: int = 1
) -> dict[str, Any]:
    """The document of a comparison, with the default settings."""
    settings = Settings()
    with readable_again(files) as readable:
        history = History(readable, None, settings.reading, FROM_THE_FILE, 1 << 50)
        texts = text_and_name(load(old)), text_and_name(load(new))
        task = Task(texts, settings.forget_after, settings.forget_identified_after, history, until, most)
        noted = Noted()
        tally, duplicates = compare(task, noted, without_progress, processes)
        told = explained(task, tally.chosen(), without_progress)
        return document(task, task.versions(), tally, noted, duplicates, told)
