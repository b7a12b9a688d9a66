"""How far the reading of dead letters is, where somebody looks at it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from stream.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from stream.operations.dead_letter_log import Ledger, ReadingProgress

_LOOK = 0.2


async def ledger_of(settings: Settings, console: "Console") -> "Ledger":
    """As `read_ledger`."""
    from stream.operations.dead_letter_log import read_ledger  # noqa: PLC0415 - slow to load

    async with bar(console, "reading receipts") as progress:
        return await read_ledger(settings, progress)


@asynccontextmanager
async def bar(console: "Console", text: str) -> "AsyncIterator[ReadingProgress]":
    """A bar that follows the progress that it gives, where the console is a terminal."""
    from rich.progress import Progress as Bar  # noqa: PLC0415

    from stream.operations.dead_letter_log import ReadingProgress  # noqa: PLC0415

    progress = ReadingProgress()
    with Bar(console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(text, total=None)

        async def follow() -> None:
            while True:
                await asyncio.sleep(_LOOK)
                shown.update(task, completed=progress.done, total=progress.total or None)

        following = asyncio.create_task(follow())
        try:
            yield progress
        finally:
            following.cancel()
