"""Faults at random on real Kafka, and the verdict: `python -m tests.faults`, or `make faults`."""

import argparse
import asyncio
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from tests.faults.run import Outcome, Plan, run
from tests.faults.webhooks import run as webhooks
from tests.faults.webhooks.table import table_of

T = TypeVar("T")
Say = Callable[[str], None]

_HERE = str(Path(__file__).parent)
_RATE = 20_000
"""Interactions a minute, unless told otherwise."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as often as asked; 1 where anything differed."""
    asked = _parser().parse_args(arguments)
    if asked.wrong:
        # That all of them are noticed is a test, of which `make test` runs a part.
        try:
            return subprocess.call(
                (sys.executable, "-m", "pytest", "-v", "-m", "slow", "-k", "wrong_on_purpose", _HERE)
            )
        except KeyboardInterrupt:  # pytest has said what it got to
            return 130
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the broker goes away on purpose
    good = True
    for seed in range(asked.seed, asked.seed + asked.times):
        if asked.webhooks:
            good = _deliver(webhooks.Plan(seed, asked.minutes), asked, console) and good
            continue
        plan = Plan(
            seed,
            asked.minutes,
            asked.interactions or int(_RATE * asked.minutes),
            asked.customers,
            embedded=asked.embedded,
            cluster=asked.cluster,
            clock=asked.clock,
            topics=asked.topics,
            http=asked.http and not asked.embedded,
        )
        console.print(f"seed {seed}: {plan.interactions:,} interactions, {len(plan.faults)} faults", style="bold")
        try:
            outcome = _run(plan, asked.keep, console)
        except KeyboardInterrupt:
            console.print("interrupted; nothing is left running")
            return 130
        console.print(_table(plan, outcome))
        _show(outcome.verdict.differences[: asked.show], outcome.fallen, console)
        good = good and outcome.good
    return 0 if good else 1


def _deliver(plan: webhooks.Plan, asked: argparse.Namespace, console: Console) -> bool:
    """One run of webhooks; whether nothing differed."""
    console.print(f"webhooks, seed {plan.seed}: {len(plan.faults)} faults", style="bold")
    outcome = _in_folder(plan.seed, asked.keep, console, lambda folder, say: webhooks.run(plan, folder, say))
    console.print(table_of(plan, outcome))
    _show(outcome.verdict.differences[: asked.show], outcome.fallen, console)
    return outcome.good


def _show(differences: Sequence[str], fallen: Sequence[str], console: Console) -> None:
    for line in differences:
        console.print(line, style="red", markup=False)
    for line in fallen:
        console.print(line, style="yellow", markup=False)


def _run(plan: Plan, keep: Path | None, console: Console) -> Outcome:
    return _in_folder(plan.seed, keep, console, lambda folder, say: run(plan, folder, say))


def _in_folder(
    seed: int, keep: Path | None, console: Console, run_in: Callable[[Path, Say], Coroutine[None, None, T]]
) -> T:
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f}  {text}", markup=False)

    if keep is not None:
        folder = keep / f"seed-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        return asyncio.run(run_in(folder, say))
    with tempfile.TemporaryDirectory(prefix="lifecycle-faults-") as temporary:
        return asyncio.run(run_in(Path(temporary), say))


def _table(plan: Plan, outcome: Outcome) -> Table:
    verdict = outcome.verdict
    table = Table("what", "count", title=f"Seed {plan.seed}, {plan.minutes:g} minutes", title_justify="left")
    table.columns[1].justify = "right"
    for kind, count in sorted(outcome.faults.items()):
        table.add_row(kind, f"{count:,}")
    table.add_section()
    for name in (
        "interactions",
        "duplicates",
        "known",
        "late",
        "dead_letters",
        "figures",
        "deadlines",
        "changes",
        "edits",
        "considered",
        "moved_by_edits",
        "imported",
    ):
        table.add_row(name.replace("_", " "), f"{getattr(verdict, name):,}")
    if plan.embedded:
        table.add_row("changes written again", f"{verdict.repeated:,}")
    table.add_row("imports killed half-way", f"{outcome.imports_killed:,}")
    for codec, count in outcome.codecs.items():
        table.add_row(f"interactions sent as {codec}", f"{count:,}")
    for topic, codec in sorted(outcome.topics.items()):
        table.add_row(f"codec of {topic}", codec)
    for name, count in verdict.over_http.items():
        table.add_row(name, f"{count:,}")
    table.add_row("workers started", f"{outcome.workers:,}")
    table.add_row("processes that fell", f"{len(outcome.fallen):,}")
    table.add_section()
    table.add_row(
        "differences", f"{len(verdict.differences):,}", style="bold red" if verdict.differences else "bold green"
    )
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make faults",
        description="Write a known stream to Apache Kafka, by producers of all codecs and by senders that post to "
        "collectors, while workers and collectors are killed, workers are frozen, fenced and cut off, lifecycle files "
        "are edited, imports break off, the broker restarts and the network fails, and ask all workers for customers "
        "all the while; then compare the topics, and every answer, with what they must hold. The exit code is 1 where "
        "anything is missing, extra, other or old, or a process ended by itself or not in order.",
        epilog='example: make faults ARGS="--seed 7 --minutes 10"',
    )
    parser.add_argument("--seed", type=int, default=1, help="what traffic and schedule are drawn from; else 1")
    parser.add_argument("--times", type=int, default=1, help="runs, each with the next seed; else 1")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long faults go on; else 1")
    parser.add_argument("--interactions", type=int, help=f"how many are written; else {_RATE:,} a minute")
    parser.add_argument("--customers", type=int, default=5_000, help="of how many customers; else 5,000")
    parser.add_argument("--embedded", action="store_true", help="on the embedded broker, at least once: workers fail")
    parser.add_argument("--cluster", action="store_true", help="three brokers, replication 3, one lost at a time")
    parser.add_argument(
        "--clock", choices=("stream", "wall"), default="stream", help="what fires deadlines; wall: within seconds"
    )
    parser.add_argument(
        "--topics", type=int, choices=(1, 2, 3), default=1, help="topics that interactions are written to; else 1"
    )
    parser.add_argument(
        "--http",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="with --no-http no collectors, and nobody who asks for customers; with --embedded there never are",
    )
    parser.add_argument(
        "--webhooks", action="store_true", help="instead: processes that deliver, and a receiver that fails, too"
    )
    parser.add_argument(
        "--wrong", action="store_true", help="instead: builds that are wrong on purpose; 1 where one is not noticed"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the logs of workers and collectors there")
    parser.add_argument("--show", type=int, default=5, help="differences shown; else 5")
    return parser


if __name__ == "__main__":
    sys.exit(main())
