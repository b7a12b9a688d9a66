"""What the processes said while something was broken, kept as a small file, and made the input of promtool again.

A line of a file is a series and its value in each second, as promtool writes series; `_` is none. Machines, ports and
paths are not in it: Prometheus knows the processes by names such as `worker-1`.

Stretched, a recorded second stands for sixty alike. What only counts (counters, parts of histograms) rises sixty times
as much in them, and ages and lags that rise to the end are sixty times as large, and rise on; all else keeps its value.
What comes behind the last recorded second is the last ten seconds, again and again.
"""

import gzip
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from tests.kit.prometheus import Samples

FOLDER: Final = Path(__file__).parents[1] / "deploy" / "recordings"
TAIL: Final = 10
"""Recorded seconds that are repeated."""
_COUNTS: Final = re.compile(r"_(total|bucket|count|sum)\{")
_AGES_AND_LAG: Final = re.compile(r"(_seconds|lag_records)\{")

Values = list[float | None]
Series = dict[str, Values]
"""Values by the second, by series."""


def series_of(samples: Samples, begin: float, end: float) -> Series:
    """By the second from `begin` to `end`."""
    count = int(end - begin) + 1
    found: Series = {}
    for name, values in samples.items():
        line: Values = [None] * count
        for at, value in values:
            line[round(at - begin)] = value
        found[name] = line
    return found


def save(name: str, series: Series, folder: Path = FOLDER) -> None:
    """Write the file; the same series give the same bytes."""
    folder.mkdir(exist_ok=True)
    lines = [f"{each} {_shortened(values)}\n" for each, values in sorted(series.items())]
    (folder / f"{name}.txt.gz").write_bytes(gzip.compress("".join(lines).encode(), mtime=0))


def load(path: Path) -> Series:
    """Read it."""
    found: Series = {}
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        name, _, values = line.partition("} ")
        found[name + "}"] = [each for part in values.split() for each in _lengthened(part)]
    return found


def stretched(parts: Iterable[tuple[Series, int]], stands_for: int) -> Iterator[tuple[str, str]]:
    """Recordings one after the other, each for so many values, as series of promtool.

    A recorded second stands for so many.
    """
    planned = list(parts)
    for name in sorted({each for series, _ in planned for each in series}):
        values: Values = []
        level = 0.0
        for series, count in planned:
            recorded = series.get(name)
            if recorded is None:
                values += [None] * count
            elif _rises(name, recorded):
                values += _risen(recorded, count, stands_for)
            elif _COUNTS.search(name):
                for step in _steps(recorded, count):
                    level += (step or 0.0) * stands_for
                    values.append(None if step is None else level)
            else:
                values += _repeated(recorded, count)
        yield name, _shortened(values)


def _rises(name: str, values: Values) -> bool:
    """Whether it is an age, or a lag, that rises to the end of the recording."""
    known = [each for each in values[-TAIL:] if each is not None]
    never_falls = all(before <= after for before, after in pairwise(known))
    return bool(_AGES_AND_LAG.search(name)) and len(known) == TAIL and never_falls and known[-1] > known[0]


def _risen(values: Values, count: int, stands_for: int) -> Values:
    """Each value so many times as large; behind the last one it rises on."""
    first, last = values[-TAIL] or 0.0, values[-1] or 0.0
    each = (last - first) / (TAIL - 1)
    more = [last + each * number for number in range(1, max(count - len(values), 0) + 1)]
    return [None if value is None else value * stands_for for value in [*values, *more]][:count]


def _steps(values: Values, count: int) -> Values:
    """How much each value is more than the one before; a process that began anew counts from 0."""
    steps: Values = []
    before: float | None = None
    for value in values:
        if value is None:
            steps.append(None)
            continue
        steps.append(0.0 if before is None else value - before if value >= before else value)
        before = value
    return _repeated(steps, count)


def _repeated(values: Values, count: int) -> Values:
    tail = values[-TAIL:]
    more = max(count - len(values), 0)
    return (values + tail * (more // len(tail) + 1))[:count]


def _shortened(values: Values) -> str:
    """As promtool reads it: `1x4` is five times 1, `_x4` four times none."""
    parts: list[str] = []
    index = 0
    while index < len(values):
        value, run = values[index], 1
        while index + run < len(values) and values[index + run] == value:
            run += 1
        if value is None:
            parts.append(f"_x{run}")
        else:
            parts.append(f"{value:.10g}" + (f"x{run - 1}" if run > 1 else ""))
        index += run
    return " ".join(parts)


def _lengthened(part: str) -> Values:
    value, _, times = part.partition("x")
    if value == "_":
        return [None] * int(times)
    return [float(value)] * (int(times or 0) + 1)
