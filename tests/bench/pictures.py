"""Draws the curves of the benchmarks' results as SVG.

    python -m tests.bench.pictures build/bench tests/bench/results    # reads *.json there, writes *.svg here

Needs matplotlib, which `pip install .[bench]` brings.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

WORKER, BROKER = "#0072B2", "#D55E00"
"""Blue and vermilion of Okabe and Ito: told apart with every kind of colour blindness, and by their markers."""
_INK = "#333333"
_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "lines.linewidth": 2,
    "lines.markersize": 6,
    # Text stays text: small, and to be searched. The salt makes the same figures the same file.
    "svg.fonttype": "none",
    "svg.hashsalt": "lifecycle",
}


class _Curve(NamedTuple):
    label: str
    """Of the horizontal axis."""
    logarithmic: bool


_CURVES = {
    "workers": _Curve("worker processes", logarithmic=False),
    "partitions": _Curve("partitions", logarithmic=True),
    "customers": _Curve("customers", logarithmic=True),
    "lifecycles": _Curve("lifecycles side by side", logarithmic=False),
}


def short(number: float, _place: object = None) -> str:
    """A number as a tick: 4, 64, 10k, 2M."""
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if abs(number) >= unit:
            return f"{number / unit:g}{name}"
    return f"{number:g}"


def draw(folder: Path, into: Path) -> list[Path]:
    """Draw what the results in `folder` have curves for; the files written, each `<section>-<what>.svg`."""
    written: list[Path] = []
    for section, drawing in _DRAWINGS.items():
        source = folder / f"{section}.json"
        if not source.exists():
            continue
        document = json.loads(source.read_text(encoding="utf-8"))
        with mpl.rc_context(_STYLE):
            for name, figure in drawing(document.get("result", document)).items():
                path = into / f"{section}-{name}.svg"
                figure.savefig(path, metadata={"Date": None, "Creator": None}, bbox_inches="tight")
                written.append(path)
    return written


def _scale(result: Mapping[str, Any]) -> dict[str, Figure]:
    return {name: _scale_figure(result[name], name, curve) for name, curve in _CURVES.items()}


def _scale_figure(points: Sequence[Mapping[str, float]], name: str, curve: _Curve) -> Figure:
    """Events a second on the left, what an event costs on the right."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    speed, cost = figure.subplots(1, 2)
    at = [point[name] for point in points]
    speed.plot(at, [point["rate"] for point in points], color=WORKER, marker="o")
    speed.set_title("interactions a second", loc="left", fontsize=10, fontweight="bold")
    for key, label, colour, marker, line in (
        ("worker_us", "all workers", WORKER, "o", "-"),
        ("broker_us", "broker", BROKER, "s", "--"),
    ):
        cost.plot(at, [point[key] for point in points], color=colour, marker=marker, linestyle=line, label=label)
    cost.set_title("processor time, µs per interaction", loc="left", fontsize=10, fontweight="bold")
    cost.legend(frameon=False)
    for axes in (speed, cost):
        _horizontal(axes, at, curve)
        axes.margins(y=0.1)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(FuncFormatter(short))
    return figure


def _horizontal(axes: Axes, at: Sequence[float], curve: _Curve) -> None:
    if curve.logarithmic:
        axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(at)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(short))
    axes.set_xlabel(curve.label)


def _memory(result: Mapping[str, Any]) -> dict[str, Figure]:
    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    for each, colour, line in zip(result["resident"], (WORKER, BROKER), ("-", "--"), strict=True):
        samples = each["samples"]
        first = samples[0]["interactions"]
        axes.plot(
            [sample["interactions"] - first for sample in samples],
            [sample["rss"] / 1_000_000 for sample in samples],
            color=colour,
            linestyle=line,
            label=f"{each['lifecycle']}, {each['customers']:,} customers",
        )
    axes.set_title("resident memory, MB", loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel("interactions of the same customers, over one day")
    axes.xaxis.set_major_formatter(FuncFormatter(short))
    axes.margins(y=0.1)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, loc="lower right")
    return {"traffic": figure}


_DRAWINGS: dict[str, Callable[[Mapping[str, Any]], dict[str, Figure]]] = {"scale": _scale, "memory": _memory}


def main(arguments: Sequence[str]) -> int:
    """Draw; the exit code."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m tests.bench.pictures FOLDER_OF_JSON FOLDER_FOR_SVG\n")
        return 2
    written = draw(Path(arguments[0]), Path(arguments[1]))
    sys.stdout.writelines(f"{path} ({path.stat().st_size:,} bytes)\n" for path in written)
    return 0 if written else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
