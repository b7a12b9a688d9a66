"""A comparison on several processors: each process reads all interactions, and applies those of its customers.

To decode an interaction takes a sixth of what it takes to apply it twice, so that it is cheaper to decode it in each
process than to send it. This process has a share itself; the others end with it, however it ends.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.resource_tracker import ensure_running
from typing import Final

from stream.codec.files.source_file import Record
from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFile, parse
from stream.errors import LifecycleError
from stream.offline.diff.comparison import Comparison, rank_of
from stream.offline.diff.history import History, Noted, interactions, without_progress
from stream.offline.diff.tally import Tally
from stream.offline.diff.versions import Versions
from stream.offline.garbage import rarely_collected

_LARGE: Final = 10_000_000
"""Bytes of interactions for which it pays to start another process."""
_MOST: Final = 8
"""Processes: more would only decode."""


@dataclass(frozen=True)
class Task:
    """What is compared on what; the lifecycles as texts, which every process reads for itself."""

    files: tuple[tuple[str, str], tuple[str, str]]
    """Text and name of the old lifecycle file and of the new one."""
    forget_after: int | None
    forget_identified_after: int | None
    history: History
    until: int | None
    """Then time passes up to this moment, epoch milliseconds; None: no time passes."""
    most: int
    """Customers who are explained."""

    def versions(self) -> Versions:
        """Both lifecycles."""
        old, new = (parse(text, name).lifecycle for text, name in self.files)
        return Versions(old, new, self.forget_after, self.forget_identified_after)


def text_and_name(file: LifecycleFile) -> tuple[str, str]:
    """Of a lifecycle file, as a task has it."""
    return file.text, file.name


def processes_for(history: History) -> int:
    """How many processes are worth while, this one included."""
    has = getattr(os, "sched_getaffinity", None)
    cores = len(has(0)) if has is not None else os.cpu_count() or 1
    return max(1, min(cores, _MOST, history.size // _LARGE + 1))


def compare(
    task: Task,
    noted: Noted,
    progress: Callable[[Iterable[Record], str], Iterable[Record]],
    processes: int,
) -> tuple[Tally, int]:
    """Compare all customers, in so many processes; returns what was counted, and how many duplicates there were.

    What is seen of the records is put into `noted`. Raises InputFileError where a file cannot be read, LifecycleError
    where another process fails.
    """
    with _others(task, processes) as others:
        tally, duplicates = _share(task, noted, progress, 0, processes)
        for process, connection in others:
            joined, more = _result_of(process, connection)
            tally.join(joined)
            duplicates += more
    return tally, duplicates


def _share(
    task: Task,
    noted: Noted,
    progress: Callable[[Iterable[Record], str], Iterable[Record]],
    number: int,
    processes: int,
) -> tuple[Tally, int]:
    comparison = Comparison(task.versions(), task.most)
    take = comparison.take
    with rarely_collected():
        for offset, interaction in interactions(task.history, noted, progress):
            if processes == 1 or rank_of(interaction.subject) % processes == number:
                take(interaction, offset)
        if task.until is not None:
            comparison.finish(task.until, noted.records)
        return comparison.end(), comparison.duplicates


@contextmanager
def _others(task: Task, processes: int) -> Iterator[list[tuple[BaseProcess, "Connection[object, object]"]]]:
    """The other processes, each with the pipe that its result comes through; none of them is left at the end."""
    context = get_context("spawn")
    if processes > 1:
        ensure_running()  # where the first process starts this, it lets through (CPython 3.11) what is blocked below
    started: list[tuple[BaseProcess, Connection[object, object]]] = []
    try:
        for number in range(1, processes):
            mine, theirs = context.Pipe(duplex=False)
            process: BaseProcess = context.Process(
                target=_run_share, args=(theirs, task, number, processes), daemon=True
            )
            # A process inherits what is blocked: Ctrl-C is this one's affair.
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                process.start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            theirs.close()
            started.append((process, mine))
        yield started
    finally:
        for process, connection in started:
            connection.close()
            process.terminate()
            process.join()


def _run_share(connection: "Connection[object, object]", task: Task, number: int, processes: int) -> None:
    """What another process does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        found: object = _share(task, Noted(), without_progress, number, processes)
    except LifecycleError as error:
        found = str(error)
    connection.send(found)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _result_of(process: BaseProcess, connection: "Connection[object, object]") -> tuple[Tally, int]:
    try:
        found = connection.recv()
    except EOFError:
        process.join()
        raise LifecycleError(
            f"a process of the comparison has ended before its result (exit code {process.exitcode}); "
            "was there too little memory?"
        ) from None
    if not isinstance(found, tuple):
        raise LifecycleError(str(found))
    return found
