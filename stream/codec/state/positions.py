"""The position record of a partition: kept beside the state, so that the two cannot disagree."""

import msgspec

from stream.codec.state.keys import POSITION
from stream.errors import StateError

KEY = POSITION
FORMAT = 1
WITH_GENERATION = 2
"""The format of a state after a reset that replays: an older worker, which knows no generations, must not go on."""
CARRIED = 3
"""The format of a state that a repartition carried over to other topics, or is carrying: no worker may go on."""


class Position(msgspec.Struct, kw_only=True):
    """Where one partition stands. Times are epoch milliseconds."""

    format: int = FORMAT
    offsets: dict[str, int]
    """Per source topic: the offset from which to read on."""
    clock: int | None = None
    """The partition's clock; None before anything was seen."""
    partitions: int
    """Of the source topic; another number would put customers elsewhere."""
    live_from: int | None = None
    """Changes before it are not published; None: all are."""
    topic_ids: dict[str, str] = {}
    """Kafka's own id of each source topic, where it has one: a topic that was created again has another."""
    lifecycles: dict[str, str] = {}
    """Digest by lifecycle, in hex."""
    settings: dict[str, str] = {}
    """The settings that decide, beside the lifecycles, what interactions lead to (`Settings.deciding`)."""
    generation: int = 1
    """Of the state: raised by each reset after which interactions are read again; see `Arrival.born`."""
    begun: int | None = None
    """The source offset at which this state began, from nothing; None: not known."""
    since: int | None = None
    """The source offset from which on it was made by these lifecycles and settings; None: not known."""
    gathered: dict[str, int] = {}
    """By topic that interactions are gathered from: the offset behind the last one that was processed."""
    changes_from: dict[str, int] = {}
    """By partition of stage-changes: where this state's changes begin; a reset threw away what made those before."""
    carried_to: str | msgspec.UnsetType = msgspec.UNSET
    """The interactions topic to which a repartition carries this state over; UNSET, and not written: to none."""
    given: int | msgspec.UnsetType = msgspec.UNSET
    """The generation of lives that begin where a repartition carries this state, or carried it before that was taken
    back; UNSET, and not written: there was none."""

    @property
    def is_carried(self) -> bool:
        """A repartition carries this state over, or has done so: no worker goes on with it."""
        return self.carried_to is not msgspec.UNSET

    @property
    def last_generation(self) -> int:
        """The highest of which there are lives, here or where this state was carried before that was taken back."""
        return max(self.generation, self.given_generation or 0)

    @property
    def given_generation(self) -> int | None:
        """`given`; None: there was none."""
        return self.given if isinstance(self.given, int) else None


class _Format(msgspec.Struct):
    format: int


_format_decoder = msgspec.json.Decoder(_Format)
_decoder = msgspec.json.Decoder(Position)
_encoder = msgspec.json.Encoder()


def given_field(generation: int | None) -> int | msgspec.UnsetType:
    """What `Position.given` is for a `given_generation`."""
    return msgspec.UNSET if generation is None else generation


def encode_position(position: Position) -> bytes:
    """The record's value."""
    position.format = FORMAT if position.generation == 1 else WITH_GENERATION
    if position.is_carried:
        position.format = CARRIED
    return _encoder.encode(position)


def decode_position(value: bytes) -> Position:
    """The position of a record. Raises StateError where a newer version wrote it."""
    try:
        written = _format_decoder.decode(value).format
        if written not in (FORMAT, WITH_GENERATION, CARRIED):
            raise StateError(
                f"the position record has format {written}, this version reads {FORMAT} to {CARRIED}: "
                "it was written by a newer version; upgrade this worker to that one"
            )
        return _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateError(f"the position record cannot be read: {error}") from None
