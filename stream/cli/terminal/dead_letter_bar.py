"""How far the reading of dead letters is, where somebody looks at it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console
from rich.progress import Progress as Bar

from stream.operations.dead_letter_log import Ledger, ReadingProgress, read_ledger
from stream.settings import Settings

_LOOK = 0.2


async def ledger_of(settings: Settings, console: Console) -> Ledger:
    """As `read_ledger`."""
    async with bar(console, "reading receipts") as progress:
        return await read_ledger(settings, progress)


@asynccontextmanager
async def bar(console: Console, text: str) -> AsyncIterator[ReadingProgress]:
    """A bar that follows the progress that it gives, where the console is a terminal."""
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
