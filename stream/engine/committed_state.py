"""What a partition's state says to whoever asks: never what is not committed, never less than a subscriber may know.

While a batch is made and written the machine keeps beside its news what was committed before it. So most questions
about a customer need no wait:

- Until the batch's transaction is told to commit, the state is where the last batch left it.
- From then on the batch may be read by subscribers, and may have failed. Whom it leaves as it was is still known; about
  whom it changes nothing is said before the outcome is.

Questions about many customers at once are answered between two batches.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from stream.engine.delivery import Delivery
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


class CommittedState:
    """Answers from one partition's machine; told of each batch by whoever runs it."""

    def __init__(self) -> None:
        self._machine: Machine | None = None
        self._before: Place | None = None
        """Where the state stood before the batch at hand; None between two batches."""
        self._delivery: Delivery | None = None
        """What writes the batch at hand."""
        self._waiting: deque[tuple[Question[Any], asyncio.Future[Any]]] = deque()

    def recovered(self, machine: Machine) -> None:
        """All that `machine` holds is committed."""
        self._machine = machine

    def begin(self, delivery: Delivery) -> None:
        """A batch begins, which `delivery` will write; until `commit` the machine may hold what is not committed."""
        machine = self._machine
        assert machine is not None
        self._before, self._delivery = Place(machine, machine.next_offset, machine.clock), delivery

    def commit(self, machine: Machine) -> None:
        """The batch of this machine is committed, or had nothing to write: answer all who waited for it."""
        if machine is not self._machine:  # it was given up, and its batch is known to nobody
            return
        self._before = self._delivery = None
        machine.commit()
        while self._waiting:
            question, answer = self._waiting.popleft()
            if answer.done():  # whoever asked has gone
                continue
            try:
                answer.set_result(question(machine))
            except Exception as error:  # noqa: BLE001 it is the asker's
                answer.set_exception(error)

    def refuse(self) -> None:
        """Who waits, waits in vain: the batch at hand may not be answered from."""
        while self._waiting:
            answer = self._waiting.popleft()[1]
            if not answer.done():
                answer.set_exception(MovingError())

    def forget(self) -> None:
        """The machine is no more."""
        self._machine = self._before = self._delivery = None
        self.refuse()

    async def ask(self, question: Question[T]) -> T:
        """The answer of the state as it is committed: at once between two batches, else after the one at hand.

        Raises MovingError where there is no state, or where that batch is never known to be committed.
        """
        if self._machine is None:
            raise MovingError
        if self._before is None:
            return question(self._machine)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        return await answer

    def place_of(self, key: bytes) -> Place | None:
        """Where the committed state stands, for what it knows of the customer with this changelog key.

        None where that is not known before the batch at hand is committed; then `ask` waits for it. Raises MovingError
        where there is no state.
        """
        machine, before = self._machine, self._before
        if machine is None:
            raise MovingError
        if before is not None and self._delivery is not None:
            if not self._delivery.is_visible:
                return before
            if machine.touches(key):
                return None
        return Place(machine, machine.next_offset, machine.clock)
