"""What the product says: the rows of `lifecycle simulate --figures`, as sums by the same names as the reckoning's."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import orjson
import pandas as pd

COMMAND = [sys.executable, "-m", "stream.cli", "simulate"]


@dataclass(frozen=True)
class Told:
    """The rows of the topic, and the stage changes."""

    rows: list[dict[str, object]]
    changes: pd.DataFrame

    def sums(self, *names: str) -> dict[tuple[object, ...], int]:
        """Millionths that are not 0 over all partitions, of these figures."""
        found: dict[tuple[object, ...], int] = defaultdict(int)
        for row in self.rows:
            if row["figure"] in names:
                key = tuple(row[name] for name in ("figure", "from", "to", "by", "kind", "segment", "day"))
                found[key] += millionths(row["exact"])
        return {key: value for key, value in found.items() if value}

    def customers(self) -> dict[tuple[object, object], int]:
        """How many were in a stage at the end of a day."""
        assert all(row["kind"] == "all" for row in self.rows if row["figure"] == "customers")
        return {(row["to"], row["day"]): int(str(row["exact"])) for row in self.rows if row["figure"] == "customers"}


def millionths(exact: object) -> int:
    """A decimal number as whole millionths; it has no more than six places."""
    assert isinstance(exact, str)
    scaled = Decimal(exact).scaleb(6)
    assert scaled == scaled.to_integral_value(), exact
    return int(scaled)


def simulate(folder: Path, lifecycle: str, interactions: pd.DataFrame, *options: str) -> Told:
    """Run the command on these interactions, in their order."""
    (folder / "lifecycle.yaml").write_text(lifecycle)
    write_interactions(folder / "interactions.jsonl", interactions)
    inputs = ["--lifecycle", "lifecycle.yaml", "--input", "interactions.jsonl"]
    outputs = ["--figures", "figures.jsonl", "--changes", "changes.jsonl"]
    run = subprocess.run([*COMMAND, *inputs, *outputs, *options], cwd=folder, check=False, capture_output=True)
    assert run.returncode == 0, run.stderr.decode()
    rows = [orjson.loads(line) for line in (folder / "figures.jsonl").read_bytes().splitlines()]
    lines = [orjson.loads(line) for line in (folder / "changes.jsonl").read_bytes().splitlines()]
    return Told(rows, pd.DataFrame(lines))


def write_interactions(path: Path, frame: pd.DataFrame) -> None:
    """Lines of JSON in the order of the frame, from what each was read from, or its columns."""
    with path.open("wb") as file:
        for told in frame["line"]:
            file.write(orjson.dumps(told) + b"\n")
