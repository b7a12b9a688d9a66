"""What figures cost: the same lifecycle without and with them, in pairs, one worker, the same interactions."""

import tempfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table
from ruamel.yaml import YAML

from tests.bench import ours, report
from tests.bench.builds import ROOT
from tests.bench.ours import Source

HELP = "events/s of one worker without and with figures: the peers' job and the preset metrics"

INTERACTIONS, FEW_INTERACTIONS = 500_000, 100_000
PAIRS, FEW_PAIRS = 3, 1
AIM = 0.85
FIVE = """
figures:
  events:  {each: [page_view, email_open, form_submit, purchase]}
  people:  {each: [page_view, email_open], at_most: {times: 1, per: day}}
  forms:   {each: form_submit}
  orders:  {each: purchase}
  revenue: {each: purchase, add: properties.total, minus: refund}
  by: [referrer]
"""
"""Figures of the peers' job, by a fact that must be kept for them, too."""


async def measure(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Each pair is measured one after the other, without first; the ratio is the median of the pairs'."""
    pairs = FEW_PAIRS if quick else PAIRS
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="lifecycle-bench-") as folder:
        files = _lifecycles(Path(folder))
        runs = {f"{path.stem}-{pair}": (name, str(path)) for pair in range(pairs) for name, path in files.items()}
        async with ours.kafka() as bootstrap:
            interactions = FEW_INTERACTIONS if quick else INTERACTIONS
            source = Source(bootstrap, "uniform", interactions, Path(folder), runs=runs)
            say(f"{interactions:,} interactions are written")
            await source.fill()
            for run, (name, _) in runs.items():
                measured = await ours.take_all(source, run, say)
                rate = measured.interactions / measured.seconds
                per_cpu = measured.interactions / measured.cpu_seconds
                rows.append({"run": name, "events_per_second": rate, "events_per_cpu_second": per_cpu})
                say(f"    {run}: {rate:,.0f} events/s, {per_cpu:,.0f} per CPU second")
    return {"interactions": interactions, "pairs": pairs, "aim": AIM, "runs": rows}


def _lifecycles(folder: Path) -> dict[str, Path]:
    """By name the four files."""
    trivial = (ROOT / "tests" / "bench" / "lifecycles" / "trivial.yaml").read_text(encoding="utf-8")
    fact = "facts:\n  referrer: {latest: properties.referrer}\n"
    yaml = YAML(typ="rt")
    metrics = (ROOT / "stream" / "presets" / "metrics.yaml").read_text(encoding="utf-8")
    without = yaml.load(metrics)
    for key in ("figures", "rates"):
        del without[key]
    written = StringIO()
    yaml.dump(without, written)
    texts = {
        "trivial": trivial,
        "trivial, five figures": trivial.replace("facts:\n", fact) + FIVE,
        "metrics without": written.getvalue(),
        "metrics, its figures": metrics,
    }
    files = {}
    for name, text in texts.items():
        files[name] = folder / f"{name.replace(' ', '-').replace(',', '')}.yaml"
        files[name].write_text(text, encoding="utf-8")
    return files


def tables(result: dict[str, Any]) -> list[Table]:
    """One table: each lifecycle without and with, and how much of its speed is kept."""
    made = report.table(
        f"Figures: {result['interactions']:,} interactions, {result['pairs']} pairs",
        "lifecycle",
        "events/s",
        "per CPU second",
        "kept, wall",
        "kept, CPU",
        caption=f"The aim: at least {result['aim']:g} of the speed without. Medians of pairs.",
    )
    names = list(dict.fromkeys(each["run"] for each in result["runs"]))
    found = {name: [each for each in result["runs"] if each["run"] == name] for name in names}
    for without, with_figures in zip(names[::2], names[1::2], strict=True):
        for name in (without, with_figures):
            rates = [
                median(each[key] for each in found[name]) for key in ("events_per_second", "events_per_cpu_second")
            ]
            kept = (
                ["", ""]
                if name == without
                else [
                    f"{median(two[key] / one[key] for one, two in zip(found[without], found[name], strict=True)):.2f}"
                    for key in ("events_per_second", "events_per_cpu_second")
                ]
            )
            made.add_row(name, *(report.whole(each) for each in rates), *kept)
    return [made]
