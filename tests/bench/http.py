"""HTTP: how fast a collector takes interactions, beside other ways to write one."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench import http_collectors
from tests.bench.probes import running_kafka

HELP = "HTTP: a collector beside bare aiohttp and FastAPI; lookups of a worker with a million customers"

Say = Callable[[str], None]


async def measure(quick: bool, say: Say) -> dict[str, Any]:
    """Figures of the collector."""
    with tempfile.TemporaryDirectory(prefix="lifecycle-http-") as folder:
        async with running_kafka() as kafka:
            collectors = await http_collectors.measure(kafka, Path(folder), quick, say)
    return {"collectors": collectors}


def tables(result: dict[str, Any]) -> list[Table]:
    """Those of the collector."""
    return http_collectors.tables(result["collectors"])
