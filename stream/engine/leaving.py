"""Leave the consumer group in the middle of a rebalance, for which aiokafka would wait.

While a member waits to join, the broker answers nothing else on that connection, and lets it join when all others
have, or their sessions ran out. Asked on another connection it lets the member go at once, and the one that waits is
told that it is no member any more. A member that joins for the first time would not even be taken out of the group.

This module reads private parts of aiokafka 0.14; `tests/engine/test_aiokafka_contract.py` names them.
"""

import asyncio
import logging
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.client import ConnectionGroup
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest

log = logging.getLogger(__name__)

_PATIENCE = 0.3
"""Seconds that a rebalance may take to end by itself."""


async def leave_rebalance(consumer: AIOKafkaConsumer) -> None:
    """To be run beside `consumer.stop()`: leaves the group where that has to wait for a rebalance."""
    private: Any = consumer
    coordinator = private._coordinator
    await asyncio.shield(coordinator._closing)
    await asyncio.wait([coordinator._coordination_task], timeout=_PATIENCE)
    if coordinator._coordination_task.done() or coordinator.coordinator_id is None or not coordinator.member_id:
        return
    request = LeaveGroupRequest(coordinator.group_id, coordinator.member_id)
    try:
        await private._client.send(coordinator.coordinator_id, request, group=ConnectionGroup.DEFAULT)
    except KafkaError as error:
        log.debug("could not leave the group in its rebalance: %r", error)
