"""When a broker was asked what it answered, beside aiokafka's time of the answer.

A process that stood still reads, when it goes on, an answer from before as if it came now. What that says of the log's
end was true when the broker was asked, and nobody knows until when.

This module reads private parts of aiokafka 0.14; `tests/kafka/test_aiokafka_contract.py` names them.
"""

import time
from functools import wraps
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher

_MARK = "_asked_ms"


def asked_ms(state: object) -> int | None:
    """When the request was sent that was answered last for a partition, epoch milliseconds; None: none was."""
    asked: int | None = getattr(state, _MARK, None)
    return asked


def install() -> None:
    """Let aiokafka's consumers note it, from now on."""
    private: Any = Fetcher
    original = private._proc_fetch_request
    if hasattr(original, _MARK):
        return

    @wraps(original)
    async def noting(fetcher: object, assignment: Any, node_id: int, request: Any) -> bool:  # noqa: ANN401 aiokafka's
        asked = time.time_ns() // 1_000_000
        states = [
            assignment.state_value(TopicPartition(topic, number))
            for topic, partitions in request.topics
            for number, *_ in partitions
        ]
        known = [(state, state.timestamp) for state in states if state is not None]
        try:
            needs_wakeup: bool = await original(fetcher, assignment, node_id, request)
            return needs_wakeup
        finally:
            for state, before in known:
                if state.timestamp != before:
                    setattr(state, _MARK, asked)

    setattr(noting, _MARK, None)
    private._proc_fetch_request = noting
