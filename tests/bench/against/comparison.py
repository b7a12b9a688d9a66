"""The section that `--against COMMIT` runs: parts of the comparison, and their tables."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from rich.table import Table

from stream.build import is_compiled
from tests.bench import checkouts
from tests.bench.against import cold, warm
from tests.bench.against.pair import LIFECYCLES, Figure, Pair, Say
from tests.bench.builds import THIS
from tests.bench.probes import running_kafka
from tests.bench.report import table

PARTS = {
    "warm": "known customers, new interactions: CPU and events/s",
    "cold": "new customers: CPU and events/s",
}


class Plan(NamedTuple):
    """How much is measured."""

    cold_events: int
    cold_rounds: int
    warm_customers: int
    warm_events: int
    warm_rounds: int


FULL, QUICK = Plan(500_000, 3, 100_000, 250_000, 5), Plan(120_000, 2, 20_000, 60_000, 4)


class Comparison:
    """The section: the build that runs, against that of a commit."""

    HELP = "this build and that of another commit in turn, with the same interactions"

    def __init__(
        self, commit: str, parts: Sequence[str] = (), lifecycles: Sequence[str] = (), rounds: int | None = None
    ) -> None:
        self._commit, self._rounds = commit, rounds
        self._parts = [each for each in PARTS if each in (parts or PARTS)]
        self._lifecycles = [each for each in LIFECYCLES if each in (lifecycles or LIFECYCLES)]

    async def measure(self, quick: bool, say: Say) -> dict[str, Any]:
        """All figures of both builds. Raises NoBuild, and WrongResult where a build did not do the job."""
        if not is_compiled():
            raise checkouts.NoBuild("this build is not compiled: deploy/compiled.sh, or make bench")
        plan = QUICK if quick else FULL
        if self._rounds is not None:
            plan = plan._replace(cold_rounds=self._rounds, warm_rounds=self._rounds)
        pair = Pair(THIS, await checkouts.checked_out(self._commit, say))
        if checkouts.optimised(THIS.folder) != "3":
            say("    this build is not optimised like the other: OPTIMISE=3 deploy/compiled.sh")
        found: list[Figure] = []
        with tempfile.TemporaryDirectory(prefix="lifecycle-bench-") as folder:
            async with running_kafka() as kafka:
                for name in self._lifecycles:
                    if "cold" in self._parts:
                        found += await cold.measure(
                            pair, kafka.bootstrap, Path(folder), name, plan.cold_events, plan.cold_rounds, say
                        )
                    if "warm" in self._parts:
                        counts = (plan.warm_customers, plan.warm_events, plan.warm_rounds)
                        found += await warm.measure(pair, kafka, Path(folder), name, *counts, say)
        return {
            "against": self._commit,
            "quick": quick,
            "plan": plan._asdict(),
            "figures": [each.document() for each in found],
        }

    def tables(self, result: dict[str, Any]) -> list[Table]:
        """Every figure of both builds."""
        return [_figures(result)]


def _figures(result: dict[str, Any]) -> Table:
    made = table(
        f"This build against {result['against']}",
        "part",
        "lifecycle",
        "measure",
        result["against"],
        "this build",
        "times as good",
        "by the best",
        "by pairs",
        caption="Medians of rounds, the best round in parentheses; times as good: by medians, by the best of each, and "
        "the median of the rounds' own. Within 5 % is noise. The preset metrics is the older build's, for both.",
    )
    for each in result["figures"]:
        best: Callable[[Sequence[float]], float] = max if each["more_is_better"] else min
        shown = (f"{_digits(median(each[build]))} ({_digits(best(each[build]))})" for build in ("old", "new"))
        gains = (f"{each[name]:.2f}" for name in ("gain", "gain_of_best", "gain_of_pairs"))
        made.add_row(each["part"], each["lifecycle"], each["measure"], *shown, *gains)
    return made


def _digits(number: float) -> str:
    return f"{number:,.0f}" if number >= 1_000 else f"{number:.2f}"
