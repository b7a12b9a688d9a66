"""`lifecycle webhooks` with a schedule of seconds, and builds of it that are wrong on purpose.

    python tests/faults/webhooks/role.py KIND webhooks

KIND is `right` or one of BROKEN. The schedule of Standard Webhooks takes days; nobody should be able to set it, so it
is shortened here, where the module keeps it.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from stream.cli import main
from stream.engine.partition import Partition
from stream.machine.batch import Batch
from stream.webhooks.deliveries import schedule
from stream.webhooks.deliveries.delivery import Delivery
from stream.webhooks.deliveries.machine import DeliveryMachine
from stream.webhooks.deliveries.waiting import Waiting
from stream.webhooks.dispatcher import Dispatcher
from stream.webhooks.exchange import Outcome, Verdict
from stream.webhooks.sending.sender import AttemptResult, Sender

DELAYS: Final = (0, 100, 200, 300, 500, 500, 800, 1_000, 1_000, 1_500)
"""Milliseconds before each attempt, in place of up to a day."""
_IN_BETWEEN: Final = 0.3
"""Seconds between a delivery and its commit, however fast the machine is."""


def right() -> None:
    """As it is."""


def sent_first() -> None:
    """A delivery is sent before it is committed as waiting."""
    really = Partition._apply

    async def apply(self: Partition, *inputs: Any) -> Batch:
        assert self._delivery is not None
        writes = self._delivery.write

        async def write(batch: Batch) -> None:
            if self._companion is not None and self.machine is not None:
                self._companion.committed(self.number, self.machine, self._inbox)
            await asyncio.sleep(_IN_BETWEEN)
            await writes(batch)

        self._delivery.write = write  # type: ignore[method-assign]
        try:
            return await really(self, *inputs)
        finally:
            if self._delivery is not None:
                self._delivery.write = writes  # type: ignore[method-assign]

    Partition._apply = apply  # type: ignore[method-assign, assignment]


def forgets() -> None:
    """Every attempt counts as delivered, whatever was answered."""
    really = Sender.attempt

    async def attempt(self: Sender, *what: Any) -> AttemptResult:
        result = await really(self, *what)
        return result._replace(outcome=Outcome(Verdict.DELIVERED, result.outcome.reason))

    Sender.attempt = attempt  # type: ignore[method-assign, assignment]


def unordered() -> None:
    """All that waits for a customer is taken at once."""
    really = Waiting.take

    def take(self: Waiting, most: int, now: int) -> list[tuple[str, Delivery]]:
        return [(subject, each) for subject, _ in really(self, most, now) for each in self.of(subject)]

    Waiting.take = take  # type: ignore[method-assign]


def deaf() -> None:
    """410 is a failure like any other."""
    really = Sender.attempt

    async def attempt(self: Sender, *what: Any) -> AttemptResult:
        result = await really(self, *what)
        if result.outcome.verdict is Verdict.GONE:
            return result._replace(outcome=result.outcome._replace(verdict=Verdict.AGAIN))
        return result

    Sender.attempt = attempt  # type: ignore[method-assign, assignment]


def volatile() -> None:
    """What waits is not read again by whoever takes over."""
    really = DeliveryMachine.restore

    def restore(self: DeliveryMachine, changelog: dict[bytes, bytes]) -> Any:
        return really(self, {key: value for key, value in changelog.items() if key[:1] != b"d"})

    DeliveryMachine.restore = restore  # type: ignore[method-assign]


def forgetful() -> None:
    """What became of attempts is forgotten where it could not be written."""
    really = Dispatcher.dropped

    def dropped(self: Dispatcher, number: int) -> None:
        really(self, number)
        self._results.pop(number, None)

    Dispatcher.dropped = dropped  # type: ignore[method-assign]


def _named(kinds: Sequence[Callable[[], None]]) -> dict[str, Callable[[], None]]:
    return {each.__name__.replace("_", "-"): each for each in kinds}


BROKEN: Final = _named((sent_first, forgets, unordered, deaf, volatile, forgetful))

if __name__ == "__main__":
    schedule.DELAYS = DELAYS  # type: ignore[misc]
    {"right": right, **BROKEN}[sys.argv.pop(1)]()
    main()
