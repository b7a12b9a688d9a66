"""How long each part of the product's own work takes on one record, without Kafka.

Every time stands beside a ratio to a calibration loop: plain Python of dict, float and method work that runs in
turn with what is measured. A slower machine slows both, so the ratio says what the code does, not the machine.

    python -m tests.bench.micro            # the tables
    python -m tests.bench.micro --record   # measure, and rewrite the bounds that test_micro.py holds it to
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import rich
from rich.table import Table

from stream.build import is_compiled
from tests.bench.micro_cases import Case, cases

HELP = "decode, step, records, changes and deadlines, each in microseconds and as a ratio to a fixed loop"
BOUNDS = Path(__file__).with_name("micro_bounds.json")
SLACK = 2.5
"""A bound is the ratio as it was recorded, times this."""
ROUNDS = 2_000
"""Rounds of the calibration loop in one go: about a millisecond."""


def build_kind() -> str:
    """`compiled` where the product runs as extension modules, else `pure`."""
    return "compiled" if is_compiled() else "pure"


class _Scorer:
    """What the calibration loop calls."""

    __slots__ = ("sums", "total")

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.total = 0

    def add(self, name: str, amount: float) -> None:
        """Add to a decaying sum."""
        self.sums[name] = self.sums.get(name, 0.0) * 0.999 + amount
        self.total += 1


def calibration(rounds: int = ROUNDS) -> None:
    """The fixed work that ratios are to; never change it, or record all bounds again."""
    scorer = _Scorer()
    names = ("views", "opens", "forms", "orders")
    seen: list[tuple[str, float]] = []
    for number in range(rounds):
        name = names[number & 3]
        scorer.add(name, number * 0.5)
        if scorer.sums[name] > 1e9:
            seen.append((name, scorer.sums[name]))


def _timed(work: Callable[[], None]) -> int:
    start = time.process_time_ns()
    work()
    return time.process_time_ns() - start


def measure_case(case: Case, repeats: int) -> dict[str, float]:
    """Processor time per operation in microseconds, and that as a ratio to one round of the calibration loop.

    The best of `repeats` on both sides, taken in turn: what other processes do can only add to a time.
    """
    best = fixed = sys.maxsize
    collecting = gc.isenabled()
    try:
        for _ in range(repeats):
            work = case.prepare()
            gc.collect(0)
            gc.disable()
            fixed = min(fixed, _timed(calibration))
            best = min(best, _timed(work))
            fixed = min(fixed, _timed(calibration))
            gc.enable()
    finally:
        if not collecting:
            gc.disable()
    return {"us": best / case.operations / 1e3, "ratio": (best / case.operations) / (fixed / ROUNDS)}


def measure_cases(chosen: Iterable[Case], repeats: int) -> dict[str, dict[str, float]]:
    """Each case's figures by its name."""
    return {case.name: measure_case(case, repeats) for case in chosen}


async def measure(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """All cases; in full with more operations and repeats."""
    figures: dict[str, dict[str, float]] = {}
    for case in cases(300 if quick else 1_000):
        figures |= measure_cases([case], 7 if quick else 25)
        say(f"{case.name}: {figures[case.name]['us']:.2f} us")
        await asyncio.sleep(0)  # Ctrl-C is heard
    return {
        "build": build_kind(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "calibration_us": min(_timed(calibration) for _ in range(20)) / ROUNDS / 1e3,
        "cases": figures,
    }


def tables(result: dict[str, Any]) -> list[Table]:
    """One table: a row for each case."""
    table = Table(
        title=f"One operation, {result['build']} build, Python {result['python']}",
        caption=f"Processor time, the best of several repeats; the calibration loop takes "
        f"{result['calibration_us']:.3f} us a round",
    )
    table.add_column("part")
    table.add_column("us", justify="right")
    table.add_column("to the loop", justify="right")
    for name, figures in result["cases"].items():
        table.add_row(name, f"{figures['us']:.2f}", f"{figures['ratio']:.1f}")
    return [table]


def bounds_of(figures: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The bounds that such figures give: SLACK times each ratio."""
    return {name: round(each["ratio"] * SLACK, 2) for name, each in figures.items()}


def slower(figures: Mapping[str, Mapping[str, float]], bounds: Mapping[str, float]) -> list[str]:
    """The cases whose ratio is above its bound, and those that have none."""
    return [name for name, each in figures.items() if each["ratio"] > bounds.get(name, 0.0)]


def read_bounds(build: str) -> dict[str, float]:
    """The recorded bounds of a kind of build. Raises LookupError where there are none."""
    recorded: dict[str, dict[str, float]] = json.loads(BOUNDS.read_text(encoding="utf-8")) if BOUNDS.exists() else {}
    if build not in recorded:
        raise LookupError(
            f"{BOUNDS.name} has no bounds for a {build} build: run `python -m tests.bench.micro --record` on one"
        )
    return recorded[build]


def record_bounds(build: str, bounds: Mapping[str, float]) -> None:
    """Write the bounds of a kind of build; those of the other stay."""
    recorded = json.loads(BOUNDS.read_text(encoding="utf-8")) if BOUNDS.exists() else {}
    recorded[build] = dict(bounds)
    BOUNDS.write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Print the tables; with `--record`, keep the bounds."""
    result = asyncio.run(measure("--quick" in arguments, lambda _: None))
    rich.print(*tables(result))
    if "--record" in arguments:
        record_bounds(result["build"], bounds_of(result["cases"]))


if __name__ == "__main__":
    main(sys.argv[1:])
