"""Where a reader of live stage changes stands: one offset for each partition, and how that is written as an event's id.

An id is all that a reader needs to go on without gap or repeat, on whichever worker. It is `<topic>.<p0>.<p1>…`: the
beginning of the topic's own id, so that a topic that was created again is noticed, and by partition, in base 32, the
offset of the first record that the reader does not have.
"""

from collections.abc import Sequence

from stream.errors import LifecycleError

_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_MOST = 1 << 63


class PositionIdError(LifecycleError):
    """A text that is not the id of an event of ours."""


class Positions:
    """The offsets at which a reader goes on; they only grow."""

    def __init__(self, topic: str, offsets: Sequence[int]) -> None:
        self.topic = topic
        """The beginning of the topic's id."""
        self.offsets = list(offsets)
        self._texts = [_text(each) for each in offsets]

    def advance(self, partition: int, offset: int) -> None:
        """Everything before `offset` was had."""
        if offset > self.offsets[partition]:
            self.offsets[partition] = offset
            self._texts[partition] = _text(offset)

    @property
    def id(self) -> str:
        """As the id of an event."""
        return ".".join((self.topic, *self._texts))


def read_id(text: str) -> Positions:
    """The positions that an id says. Raises PositionIdError where it is none."""
    topic, *offsets = text.strip().split(".")
    try:
        read = [int(each, 32) for each in offsets]
    except ValueError:
        read = []
    if not read or not topic.isalnum() or not all(0 <= each < _MOST for each in read):
        raise PositionIdError("it is not the id of an event of this stream; send the last one as it came")
    return Positions(topic, read)


def _text(number: int) -> str:
    digits = _DIGITS[number & 31]
    while number := number >> 5:
        digits = _DIGITS[number & 31] + digits
    return digits
