"""Leave the consumer group within seconds: in the middle of a rebalance, and where the broker answers nothing.

While a member waits to join, the broker answers nothing else on that connection, and lets it join when all others
have, or their sessions ran out. Asked on another connection it lets the member go at once, and the one that waits is
told that it is no member any more. A member that joins for the first time would not even be taken out of the group.
And for every answer aiokafka would wait half a minute.

This module reads private parts of aiokafka 0.14; `tests/kafka/test_aiokafka_contract.py` names them.
"""

import asyncio
import logging
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.client import ConnectionGroup
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest

from stream.events import Event, report

log = logging.getLogger(__name__)

_REBALANCE_SECONDS = 0.3
"""What a rebalance may take to end by itself."""
_ANSWER_SECONDS = 0.7


async def leave_now(consumer: AIOKafkaConsumer) -> None:
    """To be run beside `consumer.stop()`, and cancelled at its end: does for it what it would wait for."""
    private: Any = consumer
    coordinator = private._coordinator
    await asyncio.shield(coordinator._closing)
    await asyncio.wait([coordinator._coordination_task], timeout=_REBALANCE_SECONDS)
    if not coordinator._coordination_task.done() and coordinator.coordinator_id is not None and coordinator.member_id:
        request = LeaveGroupRequest(coordinator.group_id, coordinator.member_id)
        asked = private._client.send(coordinator.coordinator_id, request, group=ConnectionGroup.DEFAULT)
        try:
            await asyncio.wait_for(asked, _ANSWER_SECONDS)
        except (KafkaError, TimeoutError) as error:
            report(
                log.debug,
                Event.GROUP_NOT_LEFT,
                "could not leave the group in its rebalance: {error}",
                error=repr(error),
            )
    await asyncio.sleep(_ANSWER_SECONDS)
    await private._client.close()  # what is not answered fails now
