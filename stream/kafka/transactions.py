"""Whether a broker has transactions, asked by who need not be allowed any."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    TransactionalIdAuthorizationFailed,
    UnknownError,
    UnsupportedVersionError,
    for_code,
)
from aiokafka.protocol.transaction import InitProducerIdRequest

from stream.errors import BrokerError
from stream.kafka.admin import admin_client
from stream.kafka.clients import client_options
from stream.kafka.permissions import Grant, Operation, remedy
from stream.settings import Settings

BATCH_BYTES = 900_000
"""Kafka's default limit for a batch is 1,048,588 bytes."""
TRANSACTION_TIMEOUT_MS = 15_000
"""After this a dead worker's open transaction stops holding up read_committed readers."""
START_TIMEOUT = 30.0

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


async def supports_transactions(settings: Settings) -> bool:
    """Whether the broker has transactions; found by trying, since brokers announce what they cannot do.

    Raises KafkaError or TimeoutError when the broker does not answer, and BrokerError when it forbids them.
    """
    ours = f"{settings.app}- --resource-pattern-type prefixed"
    for attempt in range(3):  # a server's passing fault must not cost exactly-once
        producer = AIOKafkaProducer(**client_options(settings), transactional_id=f"{settings.app}-probe")
        try:
            await asyncio.wait_for(producer.start(), START_TIMEOUT)
        except TransactionalIdAuthorizationFailed as error:
            raise BrokerError(
                f"Kafka at {settings.bootstrap} does not let us write transactions; set delivery to at_least_once, or "
                + remedy(settings, [Grant(Operation.WRITE, ours, "transactional-id")])
            ) from error
        except (UnknownError, UnsupportedVersionError, IncompatibleBrokerVersion, NotImplementedError):
            await asyncio.sleep(0.2 * attempt)
        else:
            return True
        finally:
            await producer.stop()
    return False
