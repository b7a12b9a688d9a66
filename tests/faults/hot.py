"""One customer with far more interactions than all the others together."""

from dataclasses import dataclass

import orjson

from stream.codec.interactions import encode_native
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.codec.records import Outgoing
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import CUSTOMER, LAYOUT
from stream.codec.state.positions import KEY
from stream.core.exact import number_of_fact
from stream.core.interaction import Interaction
from stream.core.model import model_of
from stream.kafka.partitioner import partition_of
from stream.settings import Settings
from tests.faults.flood import LIFECYCLE
from tests.kit.topics import produce, read_all

TIME = 1_767_225_600_000


@dataclass
class Hot:
    """What came of it. Times are those at which positions were written, epoch milliseconds."""

    touches: int
    """Interactions that the hot customer's record counts."""
    others: int
    """Interactions of others that their records count."""
    hot_done: int
    others_done: int
    """The last of all other partitions."""


async def fill(settings: Settings, *, hot: int, others: int) -> None:
    """`hot` interactions of one customer, and behind them one of each of `others` in other partitions."""
    topic = settings.topics.interactions
    home = partition_of(b"hot", settings.partitions)
    names = (f"c-{number}" for number in range(100 * others))
    cool = [name for name in names if partition_of(name.encode(), settings.partitions) != home][:others]
    await produce(settings.bootstrap, topic, [_visit(name) for name in ["hot"] * hot + cool])


async def outcome(settings: Settings) -> Hot:
    """What a worker made of it."""
    home = partition_of(b"hot", settings.partitions)
    kept = await read_all(settings.bootstrap, settings.topics.customers)
    lifecycle = load(LIFECYCLE).lifecycle
    place = [fact.name for fact in lifecycle.facts].index("touches")
    touches: dict[bytes, int] = {}
    done: dict[int, int] = {}
    for partition, records in kept.items():
        codec = CustomerCodec(model_of([lifecycle]))
        for record in records:
            key, value = record.key or b"", record.value or b""
            if key[:1] == LAYOUT:
                codec.learn(value)
            elif key[:1] == CUSTOMER:
                touches[key] = number_of_fact(codec.decode(key, value).lives[lifecycle.id], place)
            elif key == KEY and orjson.loads(value)["offsets"]:
                done[partition] = record.timestamp
    others_done = max(time for partition, time in done.items() if partition != home)
    hot_touches = touches.pop(b"chot")
    return Hot(hot_touches, sum(touches.values()), done[home], others_done)


def _visit(name: str) -> Outgoing:
    visit = Interaction(name, None, None, "page_view", TIME, {"path": "/"}, {})
    return Outgoing(name.encode(), encode_native(visit))
