"""Which build of the product a benchmark runs: the one that runs the benchmark, or one of another commit."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Build:
    """A build of the product, and how its programs are started."""

    name: str
    """As tables call it."""
    folder: Path
    """Its checkout, in which they run."""
    python: str
    environment: Mapping[str, str] = field(default_factory=dict)
    """Adds to this process's own."""


THIS = Build("this build", ROOT, sys.executable)
