"""Which version of the lifecycles had a partition from where to where: read off the position records of its changelog.

The changelog is read as it was written, not compacted. A transaction ends with the position; a *stint* is a row of
transactions whose positions name the same digests. What a version wrote before it went on from where it began tells
whom it considered, where it was ended in the middle of that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord

from stream.codec.state import positions
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import ANONYMOUS, CUSTOMER
from stream.codec.state.positions import decode_position
from stream.core.lifecycle import Lifecycle
from stream.core.model import Model, model_of


@dataclass
class Stint:
    """What one version of the lifecycles did with a partition without another one in between."""

    lifecycles: dict[str, str]
    """Digest by lifecycle, in hex."""
    start: int
    """The offset at which it began to read."""
    end: int
    """The offset up to which it came."""
    keys: set[bytes] = field(default_factory=set)
    """Customers that it wrote."""
    keys_at_start: set[bytes] = field(default_factory=set)
    """Those of them that it wrote before it read on."""
    keys_at_end: set[bytes] = field(default_factory=set)
    """Those that it wrote with the position `end`."""
    clocks: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    """The partition's clock before and after it first wrote a customer, epoch milliseconds."""

    def add(self, offset: int, keys: set[bytes], clocks: tuple[int, int]) -> None:
        """A transaction that wrote these customers, and a position of `offset`, with the clock before and after it."""
        self.keys |= keys
        for key in keys:
            self.clocks.setdefault(key, clocks)
        if offset == self.start:
            self.keys_at_start |= keys
        if offset > self.end:
            self.keys_at_end = set()
        self.keys_at_end |= keys
        self.end = offset


def stints_of(topic: str, changelog: Iterable[ConsumerRecord[bytes | None, bytes | None]]) -> list[Stint]:
    """The stints of one partition of `topic`, from its changelog in the order in which it was written."""
    stints: list[Stint] = []
    keys: set[bytes] = set()
    offset = clock = 0
    for record in changelog:
        assert record.key is not None
        if record.key[:1] in (CUSTOMER, ANONYMOUS):
            keys.add(record.key)
        if record.key != positions.KEY:
            continue
        assert record.value is not None
        position = decode_position(record.value)
        if not stints or stints[-1].lifecycles != position.lifecycles:
            stints.append(Stint(position.lifecycles, offset, offset))
        offset, before, clock = position.offsets[topic], clock, position.clock or 0
        stints[-1].add(offset, keys, (before, clock))
        keys = set()
    return stints


class Versions:
    """Every version of every lifecycle of a run."""

    def __init__(self, lifecycles: Sequence[Lifecycle], forget_after: int | None) -> None:
        self._lifecycles = {each.digest.hex(): each for each in lifecycles}
        self._forget_after = forget_after
        self._models: dict[tuple[str, ...], Model] = {}
        self._codecs: dict[tuple[str, ...], CustomerCodec] = {}
        self._layouts = [
            value for each in lifecycles for _key, value in CustomerCodec(model_of([each])).layout_records()
        ]

    def model(self, lifecycles: Mapping[str, str]) -> Model:
        """The model of some digests by lifecycle."""
        name = tuple(lifecycles.values())
        if name not in self._models:
            self._models[name] = model_of([self._lifecycles[digest] for digest in name], self._forget_after)
        return self._models[name]

    def codec(self, lifecycles: Mapping[str, str]) -> CustomerCodec:
        """A codec that writes this version and reads all."""
        name = tuple(lifecycles.values())
        if name not in self._codecs:
            codec = self._codecs[name] = CustomerCodec(self.model(lifecycles))
            for layout in self._layouts:
                codec.learn(layout)
        return self._codecs[name]
