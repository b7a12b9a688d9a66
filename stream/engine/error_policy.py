"""Judge an error of a partition: wait and try again, isolate what caused it, or give up."""

from dataclasses import dataclass
from enum import StrEnum

from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordTooLargeError,
)

from stream.errors import LifecycleError
from stream.machine.batch import DeadlineFailed, EncodingFailed, RecordFailed

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 5.0
_BUGS_AT_ONE_POSITION = 3


class FailureKind(StrEnum):
    """Why a partition starts over."""

    KAFKA = "kafka"
    """Kafka could not do what was asked of it."""
    FENCED = "fenced"
    """Another writer took over the partition."""
    RECORD = "record"
    """Our own code failed on an interaction."""
    DEADLINE = "deadline"
    """Our own code failed on a deadline."""
    BUG = "bug"
    """Our own code failed elsewhere."""
    FATAL = "fatal"
    """It would only happen again: the worker stops."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about an error."""

    kind: FailureKind
    delay: float
    """Seconds to wait before the partition begins again."""

    @property
    def fatal(self) -> bool:
        """It would only happen again: the worker stops."""
        return self.kind is FailureKind.FATAL

    @property
    def ours(self) -> bool:
        """Our own code is at fault, so that the log needs the stack."""
        return self.kind in (FailureKind.RECORD, FailureKind.DEADLINE, FailureKind.BUG)


class ErrorPolicy:
    """The memory that the judgement needs: what failed already, and where. One for each partition.

    Errors of Kafka never count toward giving up: a broker that is away is waited for. An interaction or
    deadline on which our code failed twice is isolated, also where it leaves a customer that cannot be encoded, which
    is found out by looking closely; any other error of ours is fatal the third time
    at one position.
    """

    def __init__(self) -> None:
        self.isolated_offsets: set[int] = set()
        self.isolated_keys: set[bytes] = set()
        self.closely_until: int | None = None
        """Look closely until the source is read on beyond this offset; None: no need."""
        self._failed_offsets: set[int] = set()
        self._failed_keys: set[bytes] = set()
        self._bugs = 0
        self._bugs_at: int | None = None
        self._in_a_row = 0

    def judge(self, error: BaseException, position: int | None, fenced_wait: float) -> Verdict:
        """What to do about `error`, raised when the next offset to process was `position`."""
        delay = min(_FIRST_DELAY * 2**self._in_a_row, _LONGEST_DELAY)
        self._in_a_row = min(self._in_a_row + 1, 10)
        match error:
            case LifecycleError():
                return Verdict(FailureKind.FATAL, 0.0)
            case ProducerFenced() | InvalidProducerEpoch():
                return Verdict(FailureKind.FENCED, fenced_wait)
            case RecordFailed(offset=offset) if offset not in self.isolated_offsets:
                if offset in self._failed_offsets:
                    self.isolated_offsets.add(offset)
                self._failed_offsets.add(offset)
                return Verdict(FailureKind.RECORD, _FIRST_DELAY)
            case DeadlineFailed(key=key) if key not in self.isolated_keys:
                if key in self._failed_keys:
                    self.isolated_keys.add(key)
                self._failed_keys.add(key)
                return Verdict(FailureKind.DEADLINE, _FIRST_DELAY)
            case EncodingFailed(next_offset=offset) if self.closely_until is None or offset > self.closely_until:
                self.closely_until = offset
                return Verdict(FailureKind.RECORD, _FIRST_DELAY)
            case MessageSizeTooLargeError() | RecordTooLargeError():
                return self._bug(position, delay)  # the same record would be as large the next time
            case KafkaError() | OSError() | TimeoutError():
                return Verdict(FailureKind.KAFKA, delay)
            case _:
                return self._bug(position, delay)

    def forget_before(self, offset: int) -> None:
        """A batch was written: everything before `offset` is done."""
        self._in_a_row = 0
        if self.closely_until is not None and offset > self.closely_until:
            self.closely_until = None
        if self._failed_offsets:
            self._failed_offsets = {failed for failed in self._failed_offsets if failed >= offset}
            self.isolated_offsets = {isolated for isolated in self.isolated_offsets if isolated >= offset}

    def _bug(self, position: int | None, delay: float) -> Verdict:
        self._bugs = self._bugs + 1 if position == self._bugs_at else 1
        self._bugs_at = position
        return Verdict(FailureKind.FATAL if self._bugs >= _BUGS_AT_ONE_POSITION else FailureKind.BUG, delay)
