"""Questions about a partition's state, answered between two batches: never from what is not committed yet."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from stream.machine.batch import Machine

T = TypeVar("T")

Question = Callable[[Machine], T]
"""Asks a machine; changes nothing, and takes a few milliseconds at most."""


class MovingError(Exception):
    """The state cannot be asked here now: it is being recovered, or somebody else may have it; try again soon."""


class Place(NamedTuple):
    """Where a state stands."""

    machine: Machine
    next_offset: int | None
    """Every interaction before it is in the state; None: nothing was ever recorded."""
    clock: int | None
    """The partition's, epoch milliseconds: deadlines up to it have come."""


class Questions:
    """Those that wait for the batch at hand to be written."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Question[Any], asyncio.Future[Any]]] = deque()

    async def ask(self, question: Question[T]) -> T:
        """The answer, once the batch at hand is written. Raises MovingError where it never is."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        return await answer

    def answer(self, machine: Machine) -> None:
        """Answer all: what `machine` holds is committed."""
        while self._waiting:
            question, answer = self._waiting.popleft()
            if answer.done():  # whoever asked has gone
                continue
            try:
                answer.set_result(question(machine))
            except Exception as error:  # noqa: BLE001 it is the asker's
                answer.set_exception(error)

    def refuse(self) -> None:
        """The machine is no more, or may not be asked."""
        while self._waiting:
            answer = self._waiting.popleft()[1]
            if not answer.done():
                answer.set_exception(MovingError())
