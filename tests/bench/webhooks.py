"""Webhooks: how many one process sends, how soon beside an endpoint that hangs, and what a million of them weigh."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench import webhook_delay, webhook_rate, webhook_waiting
from tests.bench.probes import running_kafka

HELP = "webhooks beside a bare loop of aiohttp; 50 endpoints of which one hangs; a million that wait"

Say = Callable[[str], None]

_PARTS = {"rate": webhook_rate, "delay": webhook_delay, "waiting": webhook_waiting}


async def measure(quick: bool, say: Say) -> dict[str, Any]:
    """Figures of each part."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="lifecycle-webhooks-") as folder:
        async with running_kafka() as kafka:
            for name, part in _PARTS.items():
                found[name] = await part.measure(kafka, Path(folder), quick, say)
    return found


def tables(result: dict[str, Any]) -> list[Table]:
    """Theirs, in this order."""
    return [each for name, part in _PARTS.items() for each in part.tables(result[name])]
