"""Every setting, once: its name, meaning and default, and how its text is read.

Where the texts come from is in `stream.settings_sources`.
"""

from collections.abc import Callable
from dataclasses import Field, dataclass, field
from typing import Any, Literal

from xxhash import xxh3_64_hexdigest

from stream.codec.fields import Ids, Reading
from stream.codec.files.topic_mappings import NO_MAPPINGS, TopicMappings
from stream.codec.interactions import DEFAULT_BLOCKED, InteractionDecoder
from stream.core.durations import DAY, format_duration
from stream.core.times import EARLIEST_TIME, format_time
from stream.setting_types import (
    read_bytes,
    read_choice,
    read_duration,
    read_duration_or_off,
    read_mappings,
    read_name,
    read_networks,
    read_retention,
    read_session,
    read_share,
    read_switch,
    read_text,
    read_time_or_first_start,
    read_time_or_off,
    read_token,
    read_topics,
    read_url,
    read_whole,
    read_whole_or_auto,
    read_word_set,
    read_words,
)
from stream.topic_names import MachineTopics, TopicNames, topic_names, webhook_topics

HIDDEN = "(set, not shown)"
"""Shown in place of a secret."""
Delivery = Literal["auto", "exactly_once", "at_least_once"]
Clock = Literal["wall", "stream"]
ApplyEdits = Literal["at_once", "when_touched"]
Partitioner = Literal["murmur2", "crc32", "fnv1a"]
SecurityProtocol = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


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
    web_bind: str = _setting(
        "127.0.0.1", read_text, "address on which a worker serves health, metrics, lookup and live stage changes"
    )
    web_port: int = _setting(6066, read_whole(0, 65_535), "port of these; 0 takes a free one")
    web_url: str = _setting(
        "",
        read_url,
        "where other workers reach this one, `http://10.0.0.7:6066`: a question about a customer goes to the worker "
        "that has its partition; empty is `web_bind` and `web_port`, or the host's name where `web_bind` is every "
        "address",
    )
    web_token: str = _setting(
        "",
        read_token,
        "bearer token with every right, which everything but health asks for; no option, so that no process list shows "
        "it",
        secret=True,
    )
    web_tokens: str = _setting(
        "",
        read_text,
        "TOML file of tokens with their roles, `collect`, `read`, `operate`; read again when it changes. Without it "
        "and `web_token`, customers are shown to this machine alone",
    )
    web_certfile: str = _setting(
        "", read_text, "PEM file of the certificate, and of those above it, for HTTPS on the worker and the collector"
    )
    web_keyfile: str = _setting("", read_text, "PEM file of its private key, where that is a file of its own")
    collector_bind: str = _setting("127.0.0.1", read_text, "address on which the collector takes interactions")
    collector_port: int = _setting(6067, read_whole(0, 65_535), "port of the collector; 0 takes a free one")
    collector_max_body: int = _setting(
        8 << 20,
        read_bytes(1 << 10, 1 << 30),
        "most bytes of one request to the collector, unpacked; a larger one is answered 413",
        "8MiB",
    )
    write_keys: str = _setting(
        "",
        read_text,
        "TOML file of the collector's write keys: key, source, origins, rate; read again when it changes. Without it, "
        "any key is taken, from this machine alone",
    )
    collect_ip: bool = _setting(
        False,
        read_switch,
        "`on`: the sender's IP address is put into `context.ip` of what the collector takes, where the sender gave "
        "none",
        "off",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (),
        read_networks,
        "addresses or networks of proxies before the collector and workers, comma-separated: `10.0.0.0/8`; of their "
        "requests the sender's address is the one that their `X-Forwarded-For` names",
        "",
    )
    webhooks: str = _setting(
        "webhooks.yaml",
        read_name,
        "YAML file of the endpoints that stage changes are sent to; read again as it, or a file that it names, changes",
    )
    webhook_allowed_hosts: tuple[str, ...] = _setting(
        (),
        read_words,
        "hosts, addresses or networks, comma-separated, that webhooks may be sent to although they are not of the "
        "public internet: `crm.internal:8080, 10.0.0.0/8`",
        "",
    )
    webhooks_port: int = _setting(
        6068,
        read_whole(0, 65_535),
        "port on `web_bind` for health and metrics of `lifecycle webhooks`; 0 takes a free one",
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
    tracing: bool = _setting(
        False,
        read_switch,
        "`on`: spans go to an endpoint of OpenTelemetry, and stage changes carry the trace of what caused them; all "
        "else is said by OpenTelemetry's own variables, `OTEL_EXPORTER_OTLP_ENDPOINT`…",
        "off",
    )

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

    @property
    def webhook_topics(self) -> MachineTopics:
        """What deliveries of stage changes read and write."""
        return webhook_topics(self.topic_prefix, self.topics.stage_changes)


def default_of(setting: Field[Any]) -> str:
    """A setting's default as a person would write it; empty where it is the empty text."""
    shown = setting.metadata["shown"]
    return str(setting.default if shown is None else shown)


def _or_off(ms: int | None) -> str:
    return "off" if ms is None else format_duration(ms)


def _time_or_off(ms: int | None) -> str:
    return "off" if ms is None else format_time(ms)
