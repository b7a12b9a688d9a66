"""Every line of log that the product writes by itself: its event, and how it is written.

A line is one sentence for people and, where `log_format` is `json`, fields for machines: `event`, a stable name from
the list below, `message`, that sentence, and each fact in it under a name of its own. Names of events and facts are
kept as those of metrics are: alerts and searches rest on them. Lines of libraries have the event `library`.

No fact above debug is a customer's id or property, nor a secret.
"""

from collections.abc import Mapping
from enum import StrEnum
from string import Formatter
from typing import Protocol

LIBRARY = "library"
"""The event of lines that libraries wrote."""
RESERVED = frozenset(
    {"event", "message", "level", "logger", "timestamp", "trace_id", "exception", "exc_info", "stack_info"}
)
"""Fields of every line, which no fact may be named like."""


class Event(StrEnum):
    """What a line says, with its facts."""

    # A worker starts, and ends.
    WORKER_STARTED = "worker_started"
    """version, build, python, worker: host and process id"""
    LIFECYCLE_LOADED = "lifecycle_loaded"
    """lifecycle, version, digest, file; one line for each"""
    LIFECYCLE_WARNED = "lifecycle_warned"
    """file, line, column, warning"""
    KAFKA_CHOSEN = "kafka_chosen"
    """bootstrap, group, topics, delivery: as the settings say"""
    SETTINGS_CHANGED = "settings_changed"
    """settings: those that differ from their default, without secrets and what the lines before said"""
    NOT_COMPILED = "not_compiled"
    LIVE_FROM = "live_from"
    """since: changes of earlier interactions are applied, but not published"""
    WEB_SERVED = "web_served"
    """scheme, bind, port"""
    WEB_OPEN = "web_open"
    COLLECTOR_STARTED = "collector_started"
    """version, build, python, collector: host and process id"""
    COLLECTOR_SERVED = "collector_served"
    """scheme, bind, port"""
    COLLECTOR_CLOSED = "collector_closed"
    """bind: it is reached from elsewhere, but without a file of write keys nobody there is answered"""
    COLLECTOR_STOPPED = "collector_stopped"
    """In order."""
    COLLECTOR_FAILED = "collector_failed"
    """error, reason: the collector ends with 1"""
    FILE_READ_AGAIN = "file_read_again"
    """path: a file of tokens, write keys or webhooks changed"""
    FILE_KEPT = "file_kept"
    """reason: it changed, but cannot be read: what it held before stays in force"""
    DELIVERY_CHOSEN = "delivery_chosen"
    """delivery: `exactly_once` or `at_least_once`, as the broker can"""
    WEBHOOKS_STARTED = "webhooks_started"
    """version, build, python, process: host and process id; endpoints: those that are enabled"""
    WEBHOOKS_SERVED = "webhooks_served"
    """scheme, bind, port"""
    WEBHOOK_FAILS = "webhook_fails"
    """endpoint, reason, kept_back: it did not take a change, which is tried again"""
    WEBHOOK_WORKS = "webhook_works"
    """endpoint, seconds: it takes changes again, so long after it was said that it fails"""
    WEBHOOK_DISABLED = "webhook_disabled"
    """endpoint, reason: nothing is sent to it until `lifecycle webhooks resume`"""
    GAP_SKIPPED = "gap_skipped"
    """partition, before, nearest: stage changes were gone before webhooks read them"""
    ATTEMPT_BROKEN = "attempt_broken"
    """endpoint: our code failed on a delivery to it, which is tried again as if the endpoint had failed"""
    COMMANDS_UNREAD = "commands_unread"
    """partition, reason: commands to webhooks are read again a second later"""
    VARIABLE_UNKNOWN = "variable_unknown"
    """warning: an environment variable that no setting has"""
    BROKERS_FEW = "brokers_few"
    """reason: topics were created with fewer copies than production wants"""
    TOPICS_CREATED = "topics_created"
    """topics, replication"""
    TOPIC_WARNED = "topic_warned"
    """topic, problem, remedy"""
    WORKER_STOPPED = "worker_stopped"
    """In order."""
    WORKER_FAILED = "worker_failed"
    """error, reason: the worker ends with 1"""
    WORKER_FAILED_WORDS = "worker_failed_words"
    """error; at debug, with the words of the exception, which may quote a record"""
    WORKER_HANGS = "worker_hangs"
    """seconds, stack: the worker ends with 1"""
    SECOND_SIGNAL = "second_signal"
    """signal: the process ends at once"""
    LEFT_UNFINISHED = "left_unfinished"
    """error: leaving the group took too long"""
    GROUP_NOT_LEFT = "group_not_left"
    """error; at debug"""

    # Kafka.
    KAFKA_AWAY = "kafka_away"
    """bootstrap, reason, kept_back; once in ten seconds while a worker starts"""
    KAFKA_SILENT = "kafka_silent"
    """bootstrap, since, waiting: partitions that wait; once in ten seconds while a worker runs"""
    KAFKA_BACK = "kafka_back"
    """seconds: for so long Kafka did not answer"""
    PARTITIONS_UNANSWERED = "partitions_unanswered"
    """bootstrap, partitions: Kafka answers, but not the brokers that lead these"""
    KAFKA_LEFT = "kafka_left"
    """Kafka went away while the worker started."""
    KAFKA_REFUSES = "kafka_refuses"
    """reason"""
    SENDING_FAILED = "sending_failed"
    """error, kept_back: what a collector sent failed, and its senders are told to repeat it; once in ten seconds"""
    OFFSET_NOT_WRITTEN = "offset_not_written"
    """topic, partition, error; at debug"""
    PRODUCER_ABANDONED = "producer_abandoned"
    """topic, partition, error; at debug"""
    TASK_FAILED = "task_failed"
    """what: an error that nobody waited for; a bug of ours or of a library"""

    # The group and its partitions.
    PARTITIONS_ASSIGNED = "partitions_assigned"
    """partitions, added, given_up"""
    PARTITIONS_GIVEN_UP = "partitions_given_up"
    """partitions: all of them, because the worker ends"""
    PARTITION_RECOVERED = "partition_recovered"
    """partition, records, seconds, offset"""
    PARTITION_WAITS = "partition_waits"
    """partition, reason, kept_back: for Kafka; once in ten seconds for all partitions"""
    PARTITION_RESTARTED = "partition_restarted"
    """partition, reason: our own code failed, and the partition recovers and tries again"""
    PARTITION_BLOCKED = "partition_blocked"
    """partition, offset, reason, remedy, kept_back: a batch cannot be read; once in ten seconds"""
    GATHERING_BEGINS = "gathering_begins"
    """partition, offsets: by topic, where interactions of several topics are gathered from on"""
    GATHERING_WAITS = "gathering_waits"
    """partition, reason, kept_back: for Kafka; once in ten seconds for all partitions"""
    GATHERING_BLOCKED = "gathering_blocked"
    """partition, reason, group, kept_back: a batch of one of the topics cannot be read; once in ten seconds"""
    INTERACTIONS_MISPLACED = "interactions_misplaced"
    """partition, interactions, cause: of customers that belong on another partition; once a partition"""
    DEAD_LETTERS_MANY = "dead_letters_many"
    """share, of, reasons: of the last minute's interactions, above `dead_letter_share`; once a minute"""
    PARTITION_FENCED = "partition_fenced"
    """partition: another worker, or a command, came for it; it begins again"""
    PARTITION_RESTARTED_WORDS = "partition_restarted_words"
    """partition; at debug, with the words of the exception, which may quote a record"""

    # Lifecycles of this worker, and of others.
    LIFECYCLE_EDITED = "lifecycle_edited"
    """lifecycle, before, digest, partitions: their states were last written with another version"""
    LIFECYCLE_ADDED = "lifecycle_added"
    """lifecycle, digest, partitions: their states know nothing of it"""
    EDIT_APPLIED = "edit_applied"
    """partition, considered, moved: customers, once all that were written before the edit were considered again"""
    WORKERS_DIFFER = "workers_differ"
    """others, lifecycles: workers of the group have other lifecycles, or settings that decide"""
    WORKERS_AGREE = "workers_agree"
    """workers: all have the same again"""

    LIVE_CHANGES_WAIT = "live_changes_wait"
    """reason, kept_back: readers of live stage changes wait; once in ten seconds"""
    LIVE_READER_CUT_OFF = "live_reader_cut_off"
    """kept_back: it did not read as fast as changes came; once in ten seconds"""

    # Tracing.
    TRACING_STARTED = "tracing_started"
    """service, endpoint: where spans go, as the variables of OpenTelemetry say"""
    SPANS_LOST = "spans_lost"
    """spans, endpoint, reason, kept_back: they did not arrive; once in a minute"""

    # Subscribers.
    SUBSCRIPTION_WAITS = "subscription_waits"
    """reason: a broker, or the topic, is not there yet"""
    SUBSCRIPTION_UNREADABLE = "subscription_unreadable"
    """topic, partition, offset: no stage change; passed over"""
    SUBSCRIPTION_GAP = "subscription_gap"
    """reason, partition, offset, missing: changes that will never come; where nobody else is told"""


class _Write(Protocol):
    """A logger's method, such as `log.warning`."""

    def __call__(self, msg: object, /, *, exc_info: BaseException | None = None) -> None: ...


class _Sentence(Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        """A list as its items, numbers that follow each other as a range; a map as its names and values."""
        match value:
            case list():
                return _items(value)
            case dict():
                return ", ".join(f"{name} {each}" for name, each in value.items())
            case _:
                return format(value, format_spec)


def _items(values: list[object]) -> str:
    runs: list[list[object]] = []
    for value in values:
        if runs and isinstance(value, int) and runs[-1][-1] == value - 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs) or "none"


_SENTENCE = _Sentence()


class Line:
    """A message of Python's logging that keeps the facts it was made of."""

    def __init__(self, event: Event, text: str, facts: Mapping[str, object]) -> None:
        self.event, self.facts = event, facts
        self._text = text

    def __str__(self) -> str:
        """The sentence, and how many like it were kept back."""
        kept = self.facts.get("kept_back")
        return _SENTENCE.vformat(self._text, (), self.facts) + (f" ({kept} more like this kept back)" if kept else "")


def report(write: _Write, event: Event, text: str, *, exc_info: BaseException | None = None, **facts: object) -> None:
    """Write a line of log by `write`, a logger's method of the level wanted.

    `text` is the sentence, with each fact in it as a field of `str.format`; facts that it leaves out are seen in JSON
    alone. A fact `kept_back` says how many lines like this one were not written since the last.
    """
    write(Line(event, text, facts), exc_info=exc_info)
