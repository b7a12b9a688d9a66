"""Every setting, once: its name, meaning and default, and how its text is read.

A setting comes from, in this order: an option of the command, the environment (`LIFECYCLE_` and its
name in capitals), the settings file (TOML, `LIFECYCLE_SETTINGS` or `--settings`), the default.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple

from xxhash import xxh3_64_hexdigest

from stream.codec.fields import Ids, Reading
from stream.codec.files.topic_mappings import NO_MAPPINGS, TopicMappings
from stream.codec.interactions import DEFAULT_BLOCKED, InteractionDecoder
from stream.core.durations import DAY, format_duration
from stream.core.times import EARLIEST_TIME, format_time
from stream.errors import SettingsError
from stream.setting_types import (
    UnfitError,
    read_choice,
    read_duration,
    read_duration_or_off,
    read_mappings,
    read_name,
    read_retention,
    read_session,
    read_share,
    read_text,
    read_time_or_first_start,
    read_time_or_off,
    read_token,
    read_topics,
    read_whole,
    read_whole_or_auto,
    read_word_set,
    read_words,
)
from stream.topic_names import TopicNames, topic_names

Delivery = Literal["auto", "exactly_once", "at_least_once"]
Clock = Literal["wall", "stream"]
ApplyEdits = Literal["at_once", "when_touched"]
Partitioner = Literal["murmur2", "crc32", "fnv1a"]
SecurityProtocol = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

ENVIRONMENT_PREFIX = "LIFECYCLE_"
SETTINGS_VARIABLE = ENVIRONMENT_PREFIX + "SETTINGS"
_MAX_FILE = 65_536


def _setting(
    default: Any, parse: Callable[[str], Any], help: str, shown: str | None = None, *, secret: bool = False
) -> Any:
    return field(default=default, repr=not secret, metadata={"parse": parse, "help": help, "shown": shown})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a worker and the commands beside it run with."""

    bootstrap: str = _setting("127.0.0.1:9092", read_name, "Kafka's bootstrap servers, host:port, comma-separated")
    security_protocol: SecurityProtocol = _setting(
        "plaintext",
        read_choice(SecurityProtocol),
        "protocol of the connection to Kafka: `plaintext`, `ssl`, `sasl_plaintext`, `sasl_ssl`",
    )
    ssl_cafile: str = _setting(
        "", read_text, "PEM file of the authorities that vouch for the brokers; else the system's"
    )
    ssl_certfile: str = _setting("", read_text, "PEM file of the client certificate, where brokers ask for one")
    ssl_keyfile: str = _setting("", read_text, "PEM file of its private key, where that is a file of its own")
    sasl_mechanism: SaslMechanism = _setting(
        "SCRAM-SHA-512", read_choice(SaslMechanism), "`SCRAM-SHA-512`, `SCRAM-SHA-256` or `PLAIN`"
    )
    sasl_username: str = _setting("", read_text, "user name for Kafka")
    sasl_password: str = _setting(
        "", read_text, "password for Kafka; no option, so that no process list shows it", secret=True
    )
    app: str = _setting("lifecycle", read_name, "consumer group, and the first part of every transactional id")
    topic_prefix: str = _setting("", read_text, "put before the name of every topic and of the consumer group")
    interactions: str = _setting(
        "interactions",
        read_topics,
        "the topic of interactions, without prefix; several, comma-separated, are gathered into the topic "
        "`lifecycle-interactions`, which is then the one that is processed",
    )
    partitions: int = _setting(16, read_whole(1, 10_000), "partitions of topics that we create")
    replication: int | None = _setting(
        None,
        read_whole_or_auto(1, 32_767),
        "replication factor of topics that we create; `auto` is 3 where there are three brokers, else what there is",
        "auto",
    )
    retention: int | None = _setting(
        None,
        read_retention,
        "how long an interactions topic that we create keeps them: `400d`, `unlimited`…; empty is 7d, with a warning",
        "",
    )
    partitioner: Partitioner = _setting(
        "murmur2",
        read_choice(Partitioner),
        "how producers find a customer's partition: `murmur2` (Java, kafka-python, aiokafka, franz-go, KafkaJS), "
        "`crc32` (librdkafka, so Confluent's for Python, Go and .NET, and PHP), `fnv1a` (Sarama); `import` does so too",
    )
    lifecycles: tuple[str, ...] = _setting(
        (), read_words, "lifecycle files or names of presets, comma-separated; a worker needs one", ""
    )
    apply_edits: ApplyEdits = _setting(
        "at_once",
        read_choice(ApplyEdits),
        "after an edit of a lifecycle, consider every customer `at_once`, or each one `when_touched` next",
    )
    delivery: Delivery = _setting(
        "auto",
        read_choice(Delivery),
        "`exactly_once`, `at_least_once`, or `auto`: exactly once where the broker can",
    )
    clock: Clock = _setting(
        "wall", read_choice(Clock), "what fires deadlines: `wall` time, or the `stream`'s own times"
    )
    live_from: int | None = _setting(
        None,
        read_time_or_first_start,
        "earlier changes are applied but not published; with clock stream, unset publishes everything",
        "first-start",
    )
    grace: int = _setting(0, read_duration, "how long past their time deadlines wait for late interactions", "0ms")
    forget_after: int | None = _setting(
        90 * DAY, read_duration_or_off, "when a subject that was never identified is forgotten", "90d"
    )
    forget_identified_after: int | None = _setting(
        None, read_duration_or_off, "when an identified customer is forgotten", "off"
    )
    blocked: frozenset[str] = _setting(
        DEFAULT_BLOCKED,
        read_word_set,
        "subject ids that stand for nobody, comma-separated",
        "null, undefined, …",
    )
    ids: Ids = _setting(
        "exact",
        read_choice(Ids),
        "how ids are compared: `exact` as they were sent, `trimmed` without white space around them, `folded` without "
        "case as well; the keys of records must be written alike",
    )
    earliest_time: int | None = _setting(
        EARLIEST_TIME,
        read_time_or_off,
        "earlier times are not believed, and numbers that would be are seconds, microseconds or nanoseconds; `off` "
        "believes every time, and takes every number as milliseconds",
        "1995-01-01",
    )
    map: TopicMappings | None = _setting(
        None,
        read_mappings,
        "where interactions of another shape have their parts, as `import --map`: `customer_id=user.id, type=event, "
        "time=at`; a record that has none of the fields for its ids is read by its own format. For one of several "
        "topics: `crm: customer_id=contact; web: type=name`",
        "",
    )
    web_bind: str = _setting("127.0.0.1", read_text, "address on which health and metrics are served")
    web_port: int = _setting(6066, read_whole(0, 65_535), "port of health and metrics; 0 takes a free one")
    web_token: str = _setting(
        "",
        read_token,
        "bearer token that everything but health asks for; no option, so that no process list shows it",
        secret=True,
    )
    session_timeout: int = _setting(6_000, read_session, "after how long without heartbeat a worker is dead", "6s")
    max_records: int = _setting(8_000, read_whole(1, 1_000_000), "most interactions in one transaction")
    dead_letter_share: float = _setting(
        0.5,
        read_share,
        "above this share of dead letters among at least 1,000 interactions in a minute the worker logs an error, and "
        "`/readyz` shows it: a sender or a setting is wrong; `100%` is never exceeded",
        "50%",
    )
    log_level: str = _setting(
        "info", read_choice(Literal["debug", "info", "warning", "error"]), "least level that is logged"
    )
    log_format: str = _setting("text", read_choice(Literal["text", "json"]), "`text` for people, `json` for machines")

    @property
    def uses_tls(self) -> bool:
        """Connections to Kafka are encrypted."""
        return self.security_protocol in ("ssl", "sasl_ssl")

    @property
    def uses_sasl(self) -> bool:
        """Connections to Kafka carry a user name."""
        return self.security_protocol in ("sasl_plaintext", "sasl_ssl")

    @property
    def group(self) -> str:
        """The consumer group.

        It belongs to the prefix: workers of a rehearsal with topics of its own do not join production's group, which
        would share out partitions that they do not read. Nor do they fence its producers: a transactional id is `app`
        and the topic's name, which begins with the prefix.
        """
        return self.topic_prefix + self.app

    @property
    def deciding(self) -> dict[str, str]:
        """Those that decide, beside the lifecycles, what interactions lead to; by name, as a person writes them."""
        return {
            "clock": self.clock,
            "grace": format_duration(self.grace),
            "forget_after": _or_off(self.forget_after),
            "forget_identified_after": _or_off(self.forget_identified_after),
            **({} if self.ids == "exact" else {"ids": self.ids}),
            **({} if self.earliest_time == EARLIEST_TIME else {"earliest_time": _time_or_off(self.earliest_time)}),
            **({} if self.map is None else {"map": self.map.text}),
            "blocked": xxh3_64_hexdigest(",".join(sorted(self.blocked)).encode()),  # a fingerprint: the list is long
        }

    @property
    def reading(self) -> Reading:
        """How records are read."""
        return Reading(self.blocked, self.ids, self.earliest_time)

    def decoder(self, topic: str | None = None) -> InteractionDecoder:
        """A reader of the records of the topic that is processed, or of one of those that are sent to."""
        mappings = NO_MAPPINGS if self.map is None else self.map
        by_topic = {self.topic_prefix + name: mapping for name, mapping in mappings.by_topic.items()}
        if topic is None and self.topics.sources:
            return InteractionDecoder(self.reading, mappings.others, by_topic)
        return InteractionDecoder(self.reading, by_topic.get(topic or self.topics.interactions, mappings.others))

    @property
    def topics(self) -> TopicNames:
        """The full name of every topic."""
        return topic_names(self.topic_prefix, read_words(self.interactions))


def _or_off(ms: int | None) -> str:
    return "off" if ms is None else format_duration(ms)


def _time_or_off(ms: int | None) -> str:
    return "off" if ms is None else format_time(ms)


class Origin(NamedTuple):
    """Where the value of a setting comes from, and its text there."""

    source: Literal["option", "environment", "file"]
    where: str
    """`--app`, `LIFECYCLE_APP`, or the path of the file."""
    text: str


def origins(
    options: Mapping[str, str | None],
    *,
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> dict[str, Origin]:
    """By name, each setting that has not its default; `options` maps names to text or None.

    Raises SettingsError for a file that cannot be read and for an unknown key of it.
    """
    named = file or (Path(environment[SETTINGS_VARIABLE]) if environment.get(SETTINGS_VARIABLE) else None)
    from_file = _read_file(named) if named else {}
    found: dict[str, Origin] = {}
    for each in fields(Settings):
        option, variable = f"--{each.name.replace('_', '-')}", ENVIRONMENT_PREFIX + each.name.upper()
        text = options.get(each.name)
        if text is not None:
            found[each.name] = Origin("option", option, text)
        elif variable in environment:
            found[each.name] = Origin("environment", variable, environment[variable])
        elif each.name in from_file:
            found[each.name] = Origin("file", str(named), from_file[each.name])
    return found


def settings_from(found: Mapping[str, Origin]) -> Settings:
    """The settings that come from there, and the default of every other.

    Raises SettingsError for a value that cannot be read.
    """
    values: dict[str, Any] = {}
    for each in fields(Settings):
        if each.name in found:
            source, where, text = found[each.name]
            values[each.name] = _parse(text, f"{where}: {each.name}" if source == "file" else where, each)
    settings = Settings(**values)
    if taken := set(settings.topics.sources) & set(settings.topics.own):
        raise SettingsError(
            f"{found['interactions'].where}: interactions names {', '.join(sorted(taken))}, which workers write; name "
            "the topics that others send to"
        )
    if settings.map is not None:
        _check_topics(settings, settings.map, found["map"].where)
    return settings


def _check_topics(settings: Settings, mappings: TopicMappings, where: str) -> None:
    """A mapping is for a topic that interactions are sent to."""
    topics = read_words(settings.interactions)
    for topic in mappings.by_topic:
        if topic not in topics:
            raise SettingsError(f"{where}: map is for the topic {topic!r}, but interactions is {', '.join(topics)}")


def load_settings(
    options: Mapping[str, str | None],
    *,
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Settings from options over environment over file over defaults; `options` maps names to text or None.

    Raises SettingsError for an unknown key of the file and for a value that cannot be read.
    """
    return settings_from(origins(options, file=file, environment=environment))


def _parse(text: str, where: str, setting: Field[Any]) -> Any:
    try:
        return setting.metadata["parse"](text)
    except UnfitError as wanted:
        shown = repr(text) if setting.repr else "what it has"  # a secret is not repeated
        raise SettingsError(f"{where}: {shown} is not {wanted}") from None


def _read_file(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_FILE + 1)
        if len(text) > _MAX_FILE:
            raise SettingsError(f"settings file {path}: larger than {_MAX_FILE:,} bytes")
        content = {
            key: ",".join(map(str, value)) if isinstance(value, list) else str(value)
            for key, value in tomllib.loads(text.decode()).items()
        }
    except OSError as error:
        raise SettingsError(f"settings file {path}: {error.strerror}") from None
    except RecursionError:
        raise SettingsError(f"settings file {path}: nested too deep; a setting is a text, a number or a list") from None
    except ValueError as error:  # of TOML and UTF-8, numbers of thousands of digits, a name that no file can have
        raise SettingsError(f"settings file {path}: {error}") from None
    known = {each.name for each in fields(Settings)}
    for key in content:
        if key not in known:
            raise SettingsError(f"settings file {path}: unknown setting {key!r}; known are {', '.join(sorted(known))}")
    return content
