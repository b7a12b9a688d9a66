"""What was aimed at when the product was made twice as fast: ratios to commit 899b4ea and to other engines."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rich.table import Table

from tests.bench.against import latency, memory, recovery, simulate
from tests.bench.against.warm import CPU, RATE
from tests.bench.latency_runs import HALF, QUARTER
from tests.bench.report import table

BASELINE = "899b4ea"
BY_LIFECYCLE = ("cold", "peers", "warm", "memory")
"""Parts that measure the lifecycles that are asked for; the others have one of their own."""
_STREAMS = "Kafka Streams, exactly_once_v2"


class Target(NamedTuple):
    """An aim for a ratio of this build to another system."""

    ratio: str
    """As tables say it."""
    part: str
    lifecycle: str
    measure: str
    """What its name begins with."""
    other: str
    aim: float
    at_most: bool = False
    """The ratio is of what should be small, new to old; else it says how many times as good this build is."""


def _targets() -> Iterable[Target]:
    for part, aims in (
        ("cold", {"trivial": 2.0, "metrics": 2.2, "dense": 1.6}),
        ("warm", {"trivial": 1.9, "metrics": 2.0, "dense": 1.5}),
    ):
        for lifecycle, aim in aims.items():
            yield Target(f"events per CPU second, {part}", part, lifecycle, CPU, BASELINE, aim)
    yield Target("events per CPU second, cold", "cold", "trivial", CPU, _STREAMS, 3.0)
    for other, aim in ((_STREAMS, 1.8), ("Quix Streams", 2.2), ("Bytewax, recovery store", 3.0)):
        yield Target("events/s, cold", "cold", "trivial", RATE, other, aim)
    for load in (QUARTER, HALF):
        for measure in (latency.P50, latency.P99):
            name = f"{measure}, {load}"
            yield Target(f"{name} of the maximal rate", "latency", "trivial", name, BASELINE, 0.5, at_most=True)
        name = f"{latency.P99}, {load}"
        yield Target(f"{name} of the maximal rate", "latency", "trivial", name, _STREAMS, 0.6, at_most=True)
    yield Target("recovery, records/s", "recovery", "trivial", recovery.RATE, BASELINE, 1.25)
    for lifecycle in memory.LIFECYCLES:
        for measure in (memory.RESTORED, memory.AFTER):
            yield Target(f"resident {measure}", "memory", lifecycle, measure, BASELINE, 0.85, at_most=True)
    yield Target("simulate, interactions per CPU second", "simulate", "metrics", simulate.CPU, BASELINE, 2.0)


TARGETS = tuple(_targets())


def seen(target: Target, figures: Iterable[Mapping[str, Any]]) -> float | None:
    """The ratio as it was measured, by medians; None where it was not."""
    for each in figures:
        same = (each["part"], each["lifecycle"]) == (target.part, target.lifecycle)
        if same and each["other"].startswith(target.other) and each["measure"].startswith(target.measure):
            return float(1 / each["gain"] if target.at_most else each["gain"])
    return None


def met(target: Target, ratio: float) -> bool:
    """Whether a ratio is as good as the aim."""
    return ratio <= target.aim if target.at_most else ratio >= target.aim


def targets_table(
    against: str, figures: Sequence[Mapping[str, Any]], parts: Collection[str], lifecycles: Collection[str], quick: bool
) -> Table:
    """A row for every target that these parts, with these lifecycles, measure against `against`; what is missing, too.

    `quick`: the figures are too few to prove anything.
    """
    made = table("Targets; quick, so no proof" if quick else "Targets", "ratio", "against", "aim", "seen", last="met")
    for target in TARGETS:
        if not _asked(target, against, parts, lifecycles):
            continue
        ratio = seen(target, figures)
        aim = f"{'at most' if target.at_most else 'at least'} {target.aim:g}"
        name = f"{target.ratio}; {target.lifecycle}"
        if ratio is None:
            made.add_row(name, target.other, aim, "not measured", "no")
        else:
            made.add_row(name, target.other, aim, f"{ratio:.2f}", "yes" if met(target, ratio) else "no")
    return made


def _asked(target: Target, against: str, parts: Collection[str], lifecycles: Collection[str]) -> bool:
    by_engine = target.other != BASELINE
    part = "peers" if by_engine and target.part == "cold" else target.part
    compared = by_engine or against.startswith(BASELINE)
    return compared and part in parts and (part not in BY_LIFECYCLE or target.lifecycle in lifecycles)
