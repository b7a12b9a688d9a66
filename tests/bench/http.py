"""HTTP: how fast a collector takes interactions, beside other ways to write one; and what lookups take and cost."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench import http_changes, http_collectors, http_lookup
from tests.bench.probes import running_kafka

HELP = "HTTP: a collector beside bare aiohttp and FastAPI; lookups of a worker with a million customers"

Say = Callable[[str], None]


async def measure(quick: bool, say: Say) -> dict[str, Any]:
    """Figures of the collector, of the lookup, and of a customer's latest changes."""
    with tempfile.TemporaryDirectory(prefix="lifecycle-http-") as folder:
        async with running_kafka() as kafka:
            collectors = await http_collectors.measure(kafka, Path(folder), quick, say)
            lookup = await http_lookup.measure(kafka, Path(folder), quick, say)
            changes = await http_changes.measure(kafka, Path(folder), quick, say)
    return {"collectors": collectors, "lookup": lookup, "changes": changes}


def tables(result: dict[str, Any]) -> list[Table]:
    """Theirs, in this order."""
    parts = ((http_collectors, "collectors"), (http_lookup, "lookup"), (http_changes, "changes"))
    return [each for module, name in parts for each in module.tables(result[name])]
