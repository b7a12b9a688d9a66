"""Whether a broker has transactions, asked by who need not be allowed any."""

import asyncio
from typing import Any

from aiokafka.errors import IncompatibleBrokerVersion, UnknownError, UnsupportedVersionError, for_code
from aiokafka.protocol.transaction import InitProducerIdRequest

from stream.kafka.admin import admin_client
from stream.settings import Settings

_NOBODY = ""
"""A transactional id that no broker takes: nothing is begun, and nothing written."""
_TIMEOUT_MS = 1_000


async def knows_transactions(settings: Settings) -> bool:
    """Whether the broker has transactions, be it that we may write none.

    A broker that has them says what is wrong with our request, or that we may not make it; one that has none does not
    know what it is asked, though it announces otherwise. Raises as `admin_client`, and KafkaError where the broker
    does not answer.
    """
    async with admin_client(settings) as admin:
        for attempt in range(3):  # a server's passing fault must not look like a broker without them
            await asyncio.sleep(0.2 * attempt)
            try:
                answer: Any = await admin._send_request(InitProducerIdRequest(_NOBODY, _TIMEOUT_MS))
            except (IncompatibleBrokerVersion, NotImplementedError):
                return False
            if for_code(answer.error_code) not in (UnknownError, UnsupportedVersionError):
                return True
    return False
