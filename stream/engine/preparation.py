"""What a worker does before it joins its group: wait for Kafka, check the topics, decide on the delivery."""

import asyncio
import logging

from aiokafka.errors import KafkaError

from stream.engine.role import Role
from stream.events import Event, report
from stream.kafka.admin import admin_client
from stream.kafka.contact import Contact
from stream.kafka.log_throttle import Throttle
from stream.kafka.permissions import require
from stream.kafka.refusals import describe_error
from stream.kafka.transactions import ResolvedDelivery, resolve_delivery

log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0


async def prepare(role: Role, contact: Contact, throttle: Throttle) -> ResolvedDelivery:
    """Returns once Kafka answers and the topics are as they must be; creates those that are missing.

    Raises LifecycleError for what waiting cannot cure: a permission, a topic, a broker without transactions.
    """
    settings = role.settings
    while True:
        try:
            async with admin_client(settings, request_timeout_ms=5_000):
                contact.heard()
            await require(settings, role.grants)
            for finding in await role.ensure_topics(settings):
                report(
                    log.warning,
                    Event.TOPIC_WARNED,
                    "topic {topic}: {problem}; {remedy}",
                    topic=finding.topic,
                    problem=finding.problem,
                    remedy=finding.remedy,
                )
            return await resolve_delivery(settings, as_worker=True)
        except (KafkaError, OSError, TimeoutError) as error:
            kept = throttle.passes("away")
            if kept is not None:
                report(
                    log.warning,
                    Event.KAFKA_AWAY,
                    "waiting for Kafka at {bootstrap}: {reason}",
                    bootstrap=settings.bootstrap,
                    reason=describe_error(error),
                    kept_back=kept,
                )
        await asyncio.sleep(_RETRY_SECONDS)
