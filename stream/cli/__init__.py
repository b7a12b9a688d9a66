"""The command `lifecycle`."""

import os
import signal
import sys
from types import FrameType

from stream.errors import LifecycleError


def main() -> None:
    """Run the command line and exit: 0 done, 1 could not be done, 2 wrongly called, 130 interrupted.

    A worker, a collector or webhooks that are asked to stop have done what they were to do: 0, also while they are
    still loading, which takes seconds.
    """
    command, following = sys.argv[1:2], sys.argv[2:3]
    if command in (["worker"], ["collector"]) or (command == ["webhooks"] and _are_options(following)):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)  # until its event loop listens to them
    try:
        try:
            from stream.cli.commands import app  # noqa: PLC0415 - an interrupt while it loads is handled like any other

            app(prog_name="lifecycle")
        finally:
            sys.stdout.flush()
    except LifecycleError as error:
        _print_error(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output has enough. What is left of it must go somewhere when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _are_options(words: list[str]) -> bool:
    """`lifecycle webhooks` runs the role; with a word behind it, it is another command."""
    return all(each.startswith("-") for each in words)


def _leave(_number: int, _frame: FrameType | None) -> None:
    """Nothing is held yet. At once, for an exception may be swallowed wherever an import was interrupted."""
    os._exit(0)


def _print_error(message: str) -> None:
    from rich.console import Console  # noqa: PLC0415 - not needed where all goes well
    from rich.text import Text  # noqa: PLC0415

    Console(stderr=True).print(Text(message, style="red"), soft_wrap=True)
