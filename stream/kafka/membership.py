"""Whether this worker is surely still a member of its group, and where the owners of all partitions are.

The coordinator removes a member that it has not heard of for the session timeout. So from the moment at which a
request was *sent* that it answered without error, nobody else can own our partitions for that long, whatever happens to
us meanwhile: a process that was stopped and goes on finds that time over, before it hears of anything.

This module reads private parts of aiokafka 0.14; `tests/kafka/test_aiokafka_contract.py` names them.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest

_MARGIN: Final = 0.95
"""Of the session timeout: clocks do not run alike to the last second."""


class Membership:
    """What the group lets this worker know; written by the consumer's thread, read by every other."""

    def __init__(self, session_timeout: float = 0.0) -> None:
        """`session_timeout` in seconds; without one, this worker is never surely a member."""
        self.url = ""
        """Where other workers reach this one."""
        self.owners: Mapping[int, str] = {}
        """By partition of the interactions topic: where its owner is reached, as of the last assignment."""
        self.lapses = 0
        """How often it was not sure for a while: whoever had a partition before may not be the only one who had it."""
        self._lasts = session_timeout * _MARGIN
        self._until = 0.0

    def confirmed(self, asked: float) -> None:
        """The coordinator answered, as a member's, a request that was sent at `asked`, by time.monotonic()."""
        if asked > self._until > 0:
            self.lapses += 1
        self._until = max(self._until, asked + self._lasts)

    @property
    def is_sure(self) -> bool:
        """Nobody else can own what the group gave to this worker."""
        return time.monotonic() < self._until


def watch(consumer: AIOKafkaConsumer, membership: Membership) -> None:
    """Let `membership` hear of what the coordinator answers to a consumer that was started."""
    private: Any = consumer
    coordinator = private._coordinator
    send = coordinator._send_req

    async def send_and_hear(request: object) -> Any:  # noqa: ANN401 as aiokafka has it
        asked = time.monotonic()
        response = await send(request)
        if isinstance(request, HeartbeatRequest | SyncGroupRequest) and response.error_code == 0:
            membership.confirmed(asked)
        return response

    coordinator._send_req = send_and_hear
