"""How fast `lifecycle report` reckons: from stage changes in Parquet, in JSON and on Kafka, and from interactions."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from stream.codec.records import Outgoing
from stream.core.durations import DAY
from stream.settings import Settings
from tests.bench import children
from tests.bench.builds import ROOT
from tests.bench.ours import kafka
from tests.bench.report import table, whole
from tests.bench.workload import workload
from tests.kit.topics import create_topics, produce

HELP = "seconds and memory of `lifecycle report` on 10,000,000 stage changes, and on a million interactions"
AIM_SECONDS, AIM_BYTES = 60, 2_000_000_000
"""For 10,000,000 stage changes."""
_STAGES = ("awareness", "engagement", "conversion", "retention", "loyalty", "dormant", "win_back")
_NEXT = (1, 2, 3, 4, 5, 6, 3)
"""By stage where most go next; every fifth goes one further, so that paths differ."""
_MOVES = 8
"""Stage changes of a customer."""
_FIRST = 1_700_000_000_000
_PIECE = 1_000_000
_PEAK = """
import resource, sys
from stream.cli import main
sys.argv[:] = sys.argv[1:]
try:
    main()
finally:
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr)
"""

Say = Callable[[str], None]


def stage_changes(rows: int) -> Iterator[pl.DataFrame]:
    """That many stage changes of the preset `metrics`, `_MOVES` of each customer, as simulate writes them.

    Always alike. They come a move of everybody after another, so that those of one customer lie far apart, as in files
    by time.
    """
    customers, names = rows // _MOVES, dict(enumerate(_STAGES))
    customer = pl.int_range(customers, eager=True).rename("customer")
    spread = (customer * 2_654_435_761 % 4_294_967_296).rename("spread")
    state = pl.DataFrame([customer, spread]).with_columns(
        stage=pl.lit(None, pl.Int64), at=pl.lit(None, pl.Int64), next=pl.lit(0, pl.Int64)
    )
    for move in range(_MOVES):
        chance = (pl.col("spread") // (move * 131 + 7)) % 1000
        at = _FIRST + (pl.col("spread") % 500) * DAY if not move else pl.col("at") + chance * (DAY // 40) + 1
        state = state.with_columns(entered=pl.col("at"), source=pl.col("stage"), stage=pl.col("next"))
        state = state.with_columns(at=at.cast(pl.Int64)).with_columns(
            next=(
                pl.col("stage").replace_strict(dict(enumerate(_NEXT)), return_dtype=pl.Int64)
                + (chance % 5 == 0).cast(pl.Int64)
            )
            % len(_STAGES)
        )
        for begin in range(0, customers, _PIECE):
            piece = state.slice(begin, _PIECE)
            yield piece.select(
                customer_id=pl.format("c{}", "customer"),
                anonymous_id=pl.lit(None, pl.String),
                identified=pl.lit(value=True),
                lifecycle=pl.lit("metrics"),
                version=pl.lit(2, pl.Int64),
                born=pl.format("{}-{}", pl.col("customer") % 4, "customer"),
                sequence=pl.lit(move + 1, pl.Int64),
                final=pl.lit(value=True),
                **{
                    "from": pl.col("source").replace_strict(names, return_dtype=pl.String),
                    "to": pl.col("stage").replace_strict(names, return_dtype=pl.String),
                    "scores.attention": pl.col("spread") / 1e6,
                    "facts.orders": pl.lit(move, pl.Int64),
                },
                at=pl.col("at").cast(pl.Datetime("ms", "UTC")),
                entered=pl.col("entered").cast(pl.Datetime("ms", "UTC")),
            )


def write_parquet(path: Path, rows: int) -> None:
    """As a file of `simulate --changes x.parquet`."""
    pl.concat(stage_changes(rows)).write_parquet(path, row_group_size=50_000)


def write_lines(path: Path, rows: int) -> None:
    """As lines of JSON, each as long as those of the preset `metrics`: 800 bytes."""
    rest = json.dumps(
        {
            "trigger": {"kind": "interaction", "id": "i01158-1", "type": "visit", "late": False},
            "transition": "attention >= 7 or carts_of_late >= 1 or orders_of_late >= 1",
            "scores": {"attention": 6.25, "advocacy": 0.0},
            "contributions": {"attention": [{"signal": "saw", "points": 6.25, "count": 9}], "advocacy": []},
            "facts": dict.fromkeys(("touches", "ad_cost", "carts", "carts_of_late", "orders", "orders_of_late"), 1.0)
            | {"revenue": 129.95, "first_order": 1_735_720_380_000, "last_order": 1_735_720_380_000, "referrals": 0},
            "channels": ["email", "sms", "web"],
            "actions": ["abandoned_cart_reminder", "first_order_coupon"],
            "source": {"topic": "interactions", "partition": 0, "offset": 12_345_678},
        },
        separators=(",", ":"),
    )[1:]
    with path.open("w", encoding="ascii", buffering=1 << 20) as file:
        for piece in stage_changes(rows):
            times = piece.with_columns(pl.col("at", "entered").dt.epoch("ms"))
            for row in times.drop("anonymous_id", "scores.attention", "facts.orders").iter_rows(named=True):
                file.write(f"{json.dumps(row, separators=(',', ':'))[:-1]},{rest}\n")


async def measure(quick: bool, say: Say) -> dict[str, Any]:
    """Seconds from start to end, and bytes resident at most."""
    rows = 400_000 if quick else 10_000_000
    interactions = 50_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="lifecycle-bench-") as name:
        folder = Path(name)
        runs: list[dict[str, Any]] = []
        for end, write in (("parquet", write_parquet), ("jsonl", write_lines)):
            path = folder / f"changes.{end}"
            say(f"writing {rows:,} stage changes as {end}")
            await asyncio.to_thread(write, path, rows)
            runs.append(await _run(say, f"stage changes, {end}", rows, path, ("--changes", str(path))))
            path.unlink()
        sent = rows // 10
        path = folder / "sent.jsonl"
        await asyncio.to_thread(write_lines, path, sent)
        async with kafka() as bootstrap:
            say(f"sending {sent:,} stage changes to the topic")
            settings = await _send(bootstrap, path)
            runs.append(await _run(say, "stage changes, topic", sent, path, (), settings))
        path = folder / "interactions.jsonl"
        with path.open("wb") as file:
            file.writelines(each.value + b"\n" for each in workload(interactions, interactions // 10))
        runs.append(await _run(say, "interactions, simulated", interactions, path, ("--input", str(path))))
        return {"runs": runs}


async def _send(bootstrap: str, path: Path) -> dict[str, str]:
    """Write lines to the topic of stage changes, by customer; one interaction beside. Returns the settings."""
    settings = Settings(bootstrap=bootstrap)
    topics = settings.topics.interactions, settings.topics.stage_changes
    await create_topics(bootstrap, *topics, partitions=4)
    one = b'{"type":"page","customer_id":"c1","time":1752000000000}'
    await produce(bootstrap, topics[0], [Outgoing(b"c1", one)])
    with path.open("rb") as file:
        while lines := file.readlines(8 << 20):
            records = [Outgoing(each[16 : each.index(b'"', 16)], each.rstrip()) for each in lines]
            await produce(bootstrap, topics[1], records)
    return {"LIFECYCLE_BOOTSTRAP": bootstrap}


async def _run(
    say: Say, what: str, rows: int, path: Path, options: Sequence[str], settings: Mapping[str, str] | None = None
) -> dict[str, Any]:
    say(f"report: {what}")
    command = [sys.executable, "-c", _PEAK, "lifecycle", "report", "--lifecycle", "metrics", *options, "--html", "page"]
    ended = await children.run(command, path.parent, {"PYTHONPATH": str(ROOT), **(settings or {})}, seconds=1_800)
    if ended.code:
        raise RuntimeError(ended.why)
    peak = next(int(line.split()[1]) for line in ended.errors.splitlines() if line.startswith("peak "))
    return {
        "what": what,
        "rows": rows,
        "bytes": path.stat().st_size,  # noqa: ASYNC240 - nothing waits
        "seconds": ended.seconds,
        "cpu": ended.cpu_seconds,
        "resident": peak,
    }


def tables(result: dict[str, Any]) -> list[Table]:
    """One, of all runs."""
    made = table(
        f"lifecycle report (aim: 10,000,000 stage changes in {AIM_SECONDS} s and {AIM_BYTES / 1e9:.0f} GB)",
        "from",
        *("rows", "MB read", "seconds", "CPU seconds", "rows/s", "MB resident"),
    )
    for each in result["runs"]:
        figures = (each["rows"], each["bytes"] / 1e6, each["seconds"], each["cpu"], each["rows"] / each["seconds"])
        made.add_row(each["what"], *map(whole, figures), whole(each["resident"] / 1e6))
    return [made]
