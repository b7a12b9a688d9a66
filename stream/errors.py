"""Every error that the product raises on purpose.

LifecycleError                 something a person can act on; the message says what would be right
├── SettingsError              a setting with an impossible value
├── InputFileError             an input file or column mapping that cannot be read
├── BrokerError                Kafka, or the embedded broker, cannot do what is asked of it
├── TopicError                 a topic whose partitions, timestamps or sizes do not fit
├── PositionError              a partition's recorded position contradicts its source topic
├── StateError                 a state record that this version cannot read
│   └── UnknownLayout          a customer record of a lifecycle version that nothing describes
├── UnreadableError            a batch of records that cannot be read: its codec, or damaged bytes
└── StalledError               the worker stands still although Kafka answers
"""


class LifecycleError(Exception):
    """Something a person can act on; the message says what was wrong, where, and what would be right."""


class SettingsError(LifecycleError):
    """A setting has an impossible value."""


class InputFileError(LifecycleError):
    """An input file or its column mapping cannot be read."""


class BrokerError(LifecycleError):
    """Kafka, or the embedded broker, cannot do what is asked of it."""


class TopicError(LifecycleError):
    """A topic exists with partitions, timestamps or sizes that do not fit."""


class PositionError(LifecycleError):
    """A partition's recorded position contradicts its source topic."""

    nearest: int | None = None
    """The nearest offset that is there, where the topic is the one that is meant."""


class StateError(LifecycleError):
    """A state record was written by something that this version cannot read."""


class UnknownLayout(StateError):
    """A customer was written by a version of a lifecycle whose layout is neither kept nor that of a running one."""

    def __init__(self, digest: bytes, where: str = "", remedy: str = "") -> None:
        """`where`: topic and partition, with a colon; `remedy`: what to do, as a sentence that goes on."""
        missing = f"a customer record has the layout {digest.hex()}, of which there is no layout record"
        super().__init__(f"{where}{missing}{remedy}")
        self.digest = digest


class UnreadableError(LifecycleError):
    """A batch of records cannot be read, and could not be the next time: its codec is not known, or it is damaged."""

    def __init__(self, topic: str, partition: int, offset: int, *, after: int, data: bytes, why: str) -> None:
        self.topic, self.partition = topic, partition
        self.offset = offset
        """The first that cannot be read."""
        self.after = after
        """The offset at which the next batch begins."""
        self.data = data
        """The whole batch as the broker keeps it."""
        self.why = why
        self.end: int | None = None
        """Where the partition ends, as last heard."""
        offsets = f"offset {offset}" if after == offset + 1 else f"offsets {offset} to {after - 1}"
        super().__init__(f"topic {topic}, partition {partition}, {offsets}: the batch cannot be read, {why}")


class StalledError(LifecycleError):
    """The worker, or a part of it, stands still although Kafka answers."""
