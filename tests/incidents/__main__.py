"""Incidents on a real product: `python -m tests.incidents`, or `make incidents`."""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from stream.errors import LifecycleError
from tests.incidents.catalogue import NOT_BROUGHT_ABOUT, incidents
from tests.incidents.hurry import FACTOR, FACTOR_OF_DAYS, SHORTEST
from tests.incidents.recording import FOLDER
from tests.incidents.run import QUIET_SECONDS, Outcome, run


def main(arguments: Sequence[str] | None = None) -> int:
    """1 where an alert did not fire or did not cease to, or one fired in normal traffic; 130 where interrupted."""
    known = {each.name: each for each in incidents()}
    asked = _parser(known.keys()).parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    if asked.list:
        for each in known.values():
            console.print(f"{each.name:18} {each.what}: {', '.join(each.alerts)}", markup=False, soft_wrap=True)
        return 0
    for name in ("aiokafka", "kafka"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # the broker goes away on purpose
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f}  {text}", markup=False)

    chosen = [known[name] for name in known if not asked.only or name in asked.only]
    try:
        with tempfile.TemporaryDirectory(prefix="lifecycle-incidents-") as temporary:
            folder = asked.keep or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            record = FOLDER if asked.record else None
            outcome = asyncio.run(run(chosen, folder, say, quiet=asked.quiet, record=record))
    except KeyboardInterrupt:
        console.print("interrupted; nothing is left running")
        return 130
    except LifecycleError as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    console.print(_table(outcome))
    for alert, reason in NOT_BROUGHT_ABOUT.items():
        console.print(f"not brought about: {alert}: {reason}", markup=False)
    for alert in sorted(outcome.noise):
        console.print(f"fired in normal traffic: {alert}", style="red", markup=False)
    return 0 if outcome.good else 1


def _table(outcome: Outcome) -> Table:
    table = Table("incident", "alert", "fired after", "over after", "beside it", title_justify="left")
    for column in (2, 3):
        table.columns[column].justify = "right"
    last = ""
    for fate in outcome.fates:
        name = fate.incident.name
        beside = ", ".join(sorted(each.removeprefix("Lifecycle") for each in outcome.beside[name]))
        table.add_row(
            "" if name == last else name,
            fate.alert,
            "[red]not[/red]" if fate.fired is None else f"{fate.fired:.0f} s",
            "[red]not[/red]" if fate.over is None else f"{fate.over:.0f} s",
            "" if name == last else beside,
        )
        last = name
    return table


def _parser(names: Iterable[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make incidents",
        description="Start Kafka, two workers, a collector, webhooks with a receiver, and Prometheus with the rules of "
        "deploy/alerts; after a stretch of normal traffic, in which nothing may fire, break one thing after the other, "
        "wait until Prometheus says that its alerts fire, mend it as its runbook says, and wait until they are over. "
        f"Durations of the rules are divided by {FACTOR}, to no less than {SHORTEST:g} s, those of a day or more by "
        f"{FACTOR_OF_DAYS}. The exit code is 1 where an alert does not fire, or does not cease to.",
        epilog='example: make incidents ARGS="--only kill broker-away"; all of them take 25 minutes',
    )
    parser.add_argument(
        "--only", nargs="+", choices=list(names), metavar="NAME", help="these incidents; --list has all"
    )
    parser.add_argument("--list", action="store_true", help="list the incidents and their alerts, and end")
    parser.add_argument(
        "--quiet", type=float, default=QUIET_SECONDS, metavar="SECONDS", help="of normal traffic; else 150"
    )
    parser.add_argument("--record", action="store_true", help="keep what the processes said in tests/deploy/recordings")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep logs, and Prometheus' data, there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
