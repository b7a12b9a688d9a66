"""Every error that the product raises on purpose.

LifecycleError                 something a person can act on; the message says what would be right
├── SettingsError              a setting with an impossible value
├── InputFileError             an input file or column mapping that cannot be read
├── BrokerError                Kafka, or the embedded broker, cannot do what is asked of it
├── TopicError                 a topic whose partitions, timestamps or sizes do not fit
├── PositionError              a partition's recorded position contradicts its source topic
├── StateError                 a state record that this version cannot read
│   └── UnknownLayout          a customer record of a lifecycle version that nothing describes
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


class StateError(LifecycleError):
    """A state record was written by something that this version cannot read."""


class UnknownLayout(StateError):
    """A customer was written by a version of a lifecycle whose layout is neither kept nor that of a running one."""

    def __init__(self, digest: bytes, remedy: str = "") -> None:
        super().__init__(f"a customer record has the layout {digest.hex()}, of which there is no layout record{remedy}")
        self.digest = digest


class StalledError(LifecycleError):
    """The worker, or a part of it, stands still although Kafka answers."""
