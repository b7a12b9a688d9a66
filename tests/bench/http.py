"""HTTP: how fast a collector takes interactions, beside other ways to write one; and what lookups take and cost."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench import http_collectors, http_lookup
from tests.bench.probes import running_kafka

HELP = "HTTP: a collector beside bare aiohttp and FastAPI; lookups of a worker with a million customers"

Say = Callable[[str], None]


async def measure(quick: bool, say: Say) -> dict[str, Any]:
    """Figures of the collector and of the lookup."""
    with tempfile.TemporaryDirectory(prefix="lifecycle-http-") as folder:
        async with running_kafka() as kafka:
            collectors = await http_collectors.measure(kafka, Path(folder), quick, say)
            lookup = await http_lookup.measure(kafka, Path(folder), quick, say)
    return {"collectors": collectors, "lookup": lookup}


def tables(result: dict[str, Any]) -> list[Table]:
    """Those of the collector, then those of the lookup."""
    return [*http_collectors.tables(result["collectors"]), *http_lookup.tables(result["lookup"])]
