"""The latest stage change of one customer in each lifecycle, from the topic of current stages.

That topic has one record for each customer and lifecycle, wherever its key puts it: so all of it is read, or one
partition where the lifecycle is known. For people who ask now and then; workers answer from their state.
"""

from contextlib import aclosing

from aiokafka import TopicPartition

from stream.codec.stage_change_reader import SubscribedChange, read_whole_change
from stream.codec.stage_changes import current_key_of, split_current_key
from stream.codec.state.keys import customer_key
from stream.core.interaction import Kind
from stream.kafka.log_reader import LogReader
from stream.kafka.partitioner import partition_of
from stream.kafka.topics import require_partitions
from stream.settings import Settings


async def latest_changes(
    settings: Settings, kind: Kind, subject: str, lifecycle: str | None = None
) -> list[SubscribedChange]:
    """Of each lifecycle the subject's latest change, of all of them the latest first; [] where nobody has this id.

    Raises TopicError where there is no topic, and KafkaError, also where nothing comes for a minute.
    """
    topic = settings.topics.current_stages
    count = (await require_partitions(settings, [topic], "it is made by the first worker"))[topic]
    customer = customer_key(kind, subject)
    partitions = list(range(count))
    if lifecycle is not None:
        partitions = [partition_of(current_key_of(lifecycle, customer), count)]
    found: dict[str, SubscribedChange] = {}
    async with LogReader(settings) as log:
        for partition in partitions:
            async with aclosing(log.read(TopicPartition(topic, partition))) as batches:
                async for records in batches:
                    for record in records:
                        if record.key is None or not record.key.endswith(customer[1:]):
                            continue
                        name, owner = split_current_key(record.key)
                        if owner != customer or lifecycle not in (None, name):
                            continue
                        change = read_whole_change(record.value, partition, record.offset)
                        if change is not None:
                            found[name] = change
                        else:
                            found.pop(name, None)
    return sorted(found.values(), key=lambda change: change.at, reverse=True)
