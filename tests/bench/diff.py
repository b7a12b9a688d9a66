"""How long `lifecycle diff` takes for two versions of the preset `metrics` on interactions of the simulated shop."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from rich.table import Table

from stream.codec.interactions import encode_native
from stream.demo.shop import shop_interactions
from tests.bench import children, report
from tests.bench.builds import ROOT

HELP = "lifecycle diff: two versions of a lifecycle on 1,000,000 interactions"

INTERACTIONS, FEW_INTERACTIONS = 1_000_000, 100_000
_EACH = 85
"""Interactions of one person of the shop, somewhat fewer than there are."""
_EDITS = (("attention: {half_life: 60d}", "attention: {half_life: 45d}"), ("attention >= 7 or", "attention >= 9 or"))
_SECONDS = 1_800


async def measure(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the command once; `say` is told what runs now."""
    interactions = FEW_INTERACTIONS if quick else INTERACTIONS
    with tempfile.TemporaryDirectory(prefix="lifecycle-bench-") as name:
        folder = Path(name)
        say(f"{interactions:,} interactions of the simulated shop are written")
        _write(folder / "history.jsonl", interactions)
        text = (ROOT / "stream" / "presets" / "metrics.yaml").read_text(encoding="utf-8")
        for old, new in _EDITS:
            if old not in text:
                raise RuntimeError(f"the preset metrics has no {old!r} any more, which this edits")
            text = text.replace(old, new)
        (folder / "new.yaml").write_text(text, encoding="utf-8")
        say("lifecycle diff")
        given = ("metrics", str(folder / "new.yaml"), "--input", str(folder / "history.jsonl"))
        command = (sys.executable, "-m", "stream.cli", "diff", *given, "--json", str(folder / "diff.json"))
        ended = await children.run(command, ROOT, seconds=_SECONDS)
        if ended.code:
            raise RuntimeError(f"lifecycle diff failed: {ended.why}")
        found = orjson.loads((folder / "diff.json").read_bytes())
    if found["history"]["records"] != interactions or not found["elsewhere"]:
        raise RuntimeError(f"lifecycle diff has found {found['elsewhere']} of {found['history']['records']} records")
    return {
        "interactions": interactions,
        "customers": found["customers"],
        "differ": found["customers"] - found["same"],
        "processors": os.cpu_count(),
        "seconds": round(ended.seconds, 1),
        "cpu_seconds": round(ended.cpu_seconds, 1),
        "events_per_second": round(interactions / ended.seconds),
    }


def tables(result: dict[str, Any]) -> list[Table]:
    """One table of one row."""
    made = report.table(
        f"lifecycle diff: {result['interactions']:,} interactions, {result['customers']:,} customers at the end, "
        f"{result['differ']:,} of whom differ",
        "processors",
        "seconds",
        "CPU seconds",
        "events/s, both versions",
        caption="From the start of Python to its end, 20 customers explained.",
    )
    numbers = (report.whole(result[name]) for name in ("seconds", "cpu_seconds", "events_per_second"))
    made.add_row(str(result["processors"]), *numbers)
    return [made]


def _write(path: Path, interactions: int) -> None:
    left = interactions
    with path.open("wb") as file:
        for each in shop_interactions(interactions // _EACH):
            file.write(encode_native(each) + b"\n")
            left -= 1
            if not left:
                return
    raise RuntimeError(f"{left:,} interactions are missing: the shop is smaller than was thought")
