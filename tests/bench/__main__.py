"""The benchmarks' command: `python -m tests.bench`, or `make bench`."""

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, Protocol

from rich.console import Console
from rich.table import Table

from stream.errors import LifecycleError
from tests.bench import machine, report
from tests.bench.against.comparison import PARTS, Comparison
from tests.bench.against.pair import LIFECYCLES
from tests.bench.builds import ROOT

SECTIONS = (
    "throughput", "latency", "transactions", "recovery", "takeover", "memory", "scale", "http", "webhooks", "figures",
    "diff", "reports", "micro", "profile",
)  # fmt: skip
"""Modules of this package, each with HELP, measure() and tables()."""
_DEFAULT = "throughput"
_FOLDER = ROOT / "build" / "bench"
_PIPED_WIDTH = 120
_IDLE = 0.5
"""Runnable processes, over the last minute, up to which a machine has nothing else to do."""
_INTERRUPTED = 130


class Section(Protocol):
    """What is measured together."""

    HELP: str

    @property
    def measure(self) -> Callable[[bool, Callable[[str], None]], Coroutine[Any, Any, dict[str, Any]]]:
        """Called with whether to be quick, and what is told how far it is; all figures."""

    @property
    def tables(self) -> Callable[[dict[str, Any]], list[Table]]:
        """Of these figures."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sections that are asked for; the exit code."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)
    asked = _parser().parse_args(arguments)
    # It warns of each retry, such as when a topic that was just created has no leader yet.
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    # Ended by a supervisor or by Ctrl-C, the way out is the same.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        sections = _asked_for(asked)
    except ModuleNotFoundError as error:
        console.print(f"error: this checkout has no module {error.name}", style="red")
        return 2
    except argparse.ArgumentTypeError as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 2
    try:
        worked = [_run(name, section, asked.quick, asked.json, console) for name, section in sections.items()]
    except KeyboardInterrupt:
        console.print("interrupted; nothing is left running")
        return _INTERRUPTED
    return 0 if all(worked) else 1


def _asked_for(asked: argparse.Namespace) -> dict[str, Section]:
    """The sections to run. Raises ArgumentTypeError for a name of none."""
    if asked.against is not None:
        parts, lifecycles = _known(asked.sections, PARTS, "part"), _known(asked.lifecycles, LIFECYCLES, "lifecycle")
        return {"against": Comparison(asked.against, parts, lifecycles, asked.rounds)}
    if asked.lifecycles or asked.rounds is not None:
        raise argparse.ArgumentTypeError("--lifecycles and --rounds belong to --against")
    return {name: _section(name) for name in _known(asked.sections or [_DEFAULT], SECTIONS, "section")}


def _run(name: str, module: Section, quick: bool, folder: Path, console: Console) -> bool:
    """Measure one section, print its tables and write its JSON; False, with the reason said, where it failed."""
    facts, versions = machine.machine(), machine.versions()
    console.print(f"{name}: {module.HELP}", style="bold", markup=False)
    console.print(machine.describe(facts, versions), markup=False)
    began, at, load = time.monotonic(), datetime.now(UTC), os.getloadavg()[0]
    if load > _IDLE:
        busy = f"This machine is busy (load {load:.1f}): events/s will be too low, unevenly; trust CPU seconds more."
        console.print(busy, style="yellow", markup=False)

    def say(text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - began), 60)
        console.print(f"{minutes:2}:{seconds:02}  {text}", markup=False)

    try:
        result = asyncio.run(module.measure(quick, say))
    except (LifecycleError, RuntimeError, TimeoutError) as error:
        console.print(f"error: {name}: {str(error) or type(error).__name__}", style="red", markup=False)
        return False
    document = {
        "section": name,
        "quick": quick,
        "at": at.isoformat(timespec="seconds"),
        "took_seconds": round(time.monotonic() - began),
        "load_before": round(load, 2),
        "machine": facts,
        "versions": versions,
        "result": result,
    }
    file = report.write(folder, name, document)
    for table in module.tables(result):
        console.print()
        console.print(table)
    console.print(f"All figures: {file}", markup=False)
    failed: Sequence[str] = result.get("failed_parts", ())
    for why in failed:
        console.print(f"error: {name}: {why}", style="red", markup=False)
    return not failed


def _section(name: str) -> Any:
    return import_module(f"tests.bench.{name}")


class _Help(argparse.Action):
    """--help, with a line for each section; only then are all of them imported."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        lines = [parser.format_help(), "sections:"]
        for name in SECTIONS:
            try:
                lines.append(f"  {name:<14}{_section(name).HELP}")
            except ModuleNotFoundError:
                lines.append(f"  {name:<14}(not in this checkout)")
        lines += ["", "parts of --against, all (35 to 45 minutes; 8 with --quick) unless some are named:"]
        lines += [f"  {name:<14}{text}" for name, text in PARTS.items()]
        lines += [
            "",
            "examples:",
            "  make bench                                  the throughput of ours and of others, about 15 minutes",
            "  make bench ARGS=--quick                     the same with small counts, 3 minutes",
            '  make bench ARGS="latency recovery"          two other sections',
            '  make bench ARGS="--against 899b4ea"         every part, and the targets, against a commit or tag',
            '  make bench ARGS="--against 899b4ea simulate memory"                        two parts, 5 minutes',
            '  make bench ARGS="--against HEAD~1 cold warm --lifecycles trivial --quick"  a look at one change',
        ]
        parser.exit(message="\n".join(lines) + "\n")


def _known(names: Sequence[str], known: Collection[str], what: str) -> Sequence[str]:
    """The names, each once. Raises ArgumentTypeError where there is no such thing."""
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name!r} is no {what}; there are {', '.join(known)}")
    return list(dict.fromkeys(names))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure this product on Apache Kafka on this machine, and other engines beside it. The machine\n"
        "should have nothing else to do. Figures of two machines do not compare; those of one table do.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"what to measure, see below; else {_DEFAULT}")
    parser.add_argument(
        "--against",
        metavar="COMMIT",
        help="compare this build with that of a commit or tag, which is built below build/bench/builds once",
    )
    parser.add_argument(
        "--lifecycles",
        type=lambda text: text.split(","),
        default=(),
        metavar="NAMES",
        help=f"with --against: only these of {','.join(LIFECYCLES)}",
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="with --against: how often each build has its turn")
    parser.add_argument("--quick", action="store_true", help="small counts: whether it works, and a first look")
    parser.add_argument(
        "--json",
        type=Path,
        default=_FOLDER,
        metavar="DIR",
        help="folder for SECTION.json: machine, versions, settings, all figures; else build/bench",
    )
    parser.add_argument("-h", "--help", action=_Help, nargs=0, help="show this and exit")
    return parser


if __name__ == "__main__":
    sys.exit(main())
