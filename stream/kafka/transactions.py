"""Exactly once or at least once: by the setting, and by whether the broker really has transactions."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

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
"""A transactional id that no broker accepts: nothing is begun, and nothing written."""
_TIMEOUT_MS = 1_000

ResolvedDelivery = Literal["exactly_once", "at_least_once"]


async def resolve_delivery(settings: Settings, *, as_worker: bool = False) -> ResolvedDelivery:
    """How batches are delivered: the setting, `auto` decided by what the broker can do.

    Only who writes `as_worker` finds out what that needs: that the broker has transactions where the setting demands
    them, and that it lets us write some. Raises BrokerError where it does not, and KafkaError, OSError or TimeoutError
    where the broker does not answer.
    """
    if settings.delivery == "at_least_once" or (settings.delivery == "exactly_once" and not as_worker):
        return settings.delivery
    able = await (may_write_transactions(settings) if as_worker else has_transactions(settings))
    if not able and settings.delivery == "exactly_once":
        raise BrokerError(
            f"the broker at {settings.bootstrap} has no transactions, so delivery cannot be exactly_once; use Apache "
            "Kafka, or set delivery to auto or at_least_once"
        )
    return "exactly_once" if able else "at_least_once"


async def has_transactions(settings: Settings) -> bool:
    """Whether the broker has transactions; asking needs no grant.

    A broker that has them says what is wrong with our request, or that we may not make it; one that has none does not
    know the request, though it announces otherwise. Raises as `admin_client`, and KafkaError where the broker does not
    answer.
    """

    async def probe() -> bool:
        try:
            answer: Any = await admin._send_request(InitProducerIdRequest(_NOBODY, _TIMEOUT_MS))
        except (IncompatibleBrokerVersion, NotImplementedError):
            return False
        return for_code(answer.error_code) not in (UnknownError, UnsupportedVersionError)

    async with admin_client(settings) as admin:
        return await _tried(probe)


async def may_write_transactions(settings: Settings) -> bool:
    """Whether the broker has transactions; found by beginning to write one as a worker does.

    Raises KafkaError or TimeoutError when the broker does not answer, and BrokerError when it forbids them.
    """
    ours = f"{settings.app}- --resource-pattern-type prefixed"

    async def probe() -> bool:
        producer = AIOKafkaProducer(**client_options(settings), transactional_id=f"{settings.app}-probe")
        try:
            await asyncio.wait_for(producer.start(), START_TIMEOUT)
        except TransactionalIdAuthorizationFailed as error:
            raise BrokerError(
                f"Kafka at {settings.bootstrap} does not let us write transactions; set delivery to at_least_once, or "
                + remedy(settings, [Grant(Operation.WRITE, ours, "transactional-id")])
            ) from error
        except (UnknownError, UnsupportedVersionError, IncompatibleBrokerVersion, NotImplementedError):
            return False
        finally:
            await producer.stop()
        return True

    return await _tried(probe)


async def _tried(probe: Callable[[], Awaitable[bool]]) -> bool:
    """Whether one of three attempts succeeds: a passing fault of a server must not look like a lack of transactions."""
    for attempt in range(3):
        await asyncio.sleep(0.2 * attempt)
        if await probe():
            return True
    return False
