"""Run official SDKs against the product: `python -m tests.sdks`, or `make sdks`."""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.sdks.examples import Example
from tests.sdks.installing import NotInstalledError, install, install_tools
from tests.sdks.recording import record
from tests.sdks.run import Outcome, run
from tests.sdks.sdks import SDKS, Sdk
from tests.sdks.tools import NAME, ToolOutcome, check_tools
from tests.sdks.webhooks import run_receivers

_WEBHOOKS = "webhooks"
"""What `--only` names the receivers of webhooks by."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run those that are asked for; 1 where anything differed, 2 where something is missing here."""
    asked = _parser().parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the broker goes away on purpose
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f}  {text}", markup=False)

    chosen = [sdk for sdk in SDKS if not asked.only or any(name in sdk.package for name in asked.only)]
    receivers = not asked.only or _WEBHOOKS in asked.only
    with_tools = not asked.only or NAME in asked.only
    if not chosen and not with_tools and not receivers:
        there = ", ".join([NAME, _WEBHOOKS, *(sdk.package for sdk in SDKS)])
        console.print(f"none of them is named so; there are {there}", style="red")
        return 2
    if asked.keep is not None:
        asked.keep.mkdir(parents=True, exist_ok=True)
    tools: list[ToolOutcome] = []
    outcomes: list[Outcome] = []
    examples: list[Example] = []
    try:
        if with_tools:
            tools = asyncio.run(_tools(say))
        if chosen or receivers:
            keep = asked.keep and asked.keep.resolve()
            outcomes, examples = asyncio.run(_run(chosen, keep, say, examples=not asked.only, receivers=receivers))
    except NotInstalledError as error:
        console.print(str(error), style="red", markup=False)
        return 2
    except KeyboardInterrupt:
        console.print("interrupted; nothing is left running")
        return 130
    if asked.record:
        _record(outcomes, say)
    _report(console, outcomes, asked.show)
    _report_others(console, tools, examples, asked.show)
    found = [each.differences for each in tools] + [each.differences for each in outcomes]
    return 1 if any(found) or any(each.differences for each in examples) else 0


def _record(outcomes: list[Outcome], say: Callable[[str], None]) -> None:
    for outcome in outcomes:
        if not any(each.startswith("story") for each in outcome.differences):
            say(f"recorded {record(outcome.sdk, outcome.sent['story'], outcome.exchanges['story']).name}")


def _report(console: Console, outcomes: list[Outcome], show: int) -> None:
    if outcomes:
        console.print(_table(outcomes))
    for outcome in outcomes:
        for difference in outcome.differences[:show]:
            console.print(f"{outcome.sdk.package}: {difference}", style="red", markup=False)


def _report_others(console: Console, tools: list[ToolOutcome], examples: list[Example], show: int) -> None:
    for tool in tools:
        good = "the same" if not tool.differences else "; ".join(tool.differences[:show])
        said = f"{tool.case.template}: {tool.requests} requests of {tool.client}: {good}"
        console.print(said, style="red" if tool.differences else "green", markup=False)
    for example in examples:
        good = "as it must be" if not example.differences else "; ".join(example.differences[:show])
        console.print(f"{example.name}: {example.said}: {good}", style="red" if example.differences else "green")


async def _tools(say: Callable[[str], None]) -> list[ToolOutcome]:
    await install_tools(say)
    return await check_tools(say)


async def _run(
    chosen: list[Sdk], keep: Path | None, say: Callable[[str], None], *, examples: bool, receivers: bool
) -> tuple[list[Outcome], list[Example]]:
    judged = await run_receivers(say) if receivers else []
    if not chosen:
        return [], judged
    await install({sdk.language for sdk in chosen}, say)
    with tempfile.TemporaryDirectory(prefix="lifecycle-sdks-") as folder:
        outcomes, others = await run(chosen, keep or Path(folder), say, examples=examples)
    return outcomes, others + judged


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(title="Official SDKs", title_justify="left")
    for name in ("SDK", "version"):
        table.add_column(name)
    for name in ("calls", "200", "429", "503", "no answer", "records twice", "differences"):
        table.add_column(name, justify="right")
    for outcome in outcomes:
        statuses = outcome.statuses
        table.add_row(
            outcome.sdk.package,
            outcome.sdk.version,
            f"{sum(map(len, outcome.calls.values())):,}",
            *(f"{statuses[status]:,}" for status in (200, 429, 503, 0)),
            f"{outcome.repeats:,}",
            f"{len(outcome.differences):,}",
            style="red" if outcome.differences else "green",
        )
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make sdks",
        description="Install official SDKs at pinned releases, and let them send to a collector in front of Apache "
        "Kafka and a worker: each kind of call, faster than a key allows, while the broker is restarted, and while the "
        "collector is killed. Each call must be on the topic with its id, time, name and properties, count once, be "
        "looked up so. Then the subscribers of docs/examples read the stage changes, its receivers verify webhooks, "
        "and AsyncAPI's own parser reads the document of the topics. First of all, official clients of marketing tools "
        "and the templates of webhooks send to doubles of these tools: the requests must be the same. The exit code is "
        "1 where anything differs, 2 where Node, Java or Chromium is missing.",
        epilog='example: make sdks ARGS="--only node"',
    )
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help="only SDKs whose package has this in its name, `tools` for the marketing tools or `webhooks` for "
        "receivers alone, and no examples; may repeat",
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the logs of all processes there")
    parser.add_argument(
        "--record", action="store_true", help="keep the requests with each kind of call as cases of make test"
    )
    parser.add_argument("--show", type=int, default=10, help="differences shown of each SDK; else 10")
    return parser


if __name__ == "__main__":
    sys.exit(main())
