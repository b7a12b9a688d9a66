"""Settings: which source wins, what each takes, and what is said of a value that it does not."""

from dataclasses import fields
from pathlib import Path

import pytest
from typer import Context
from typer.main import get_command

from stream.cli.commands import app
from stream.cli.terminal.options import variable_of
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.files.topic_mappings import TopicMappings
from stream.codec.interactions import DEFAULT_BLOCKED
from stream.errors import SettingsError
from stream.setting_types import UNLIMITED
from stream.settings import Settings, default_of
from stream.settings_sources import load_settings
from stream.topic_names import TopicNames
from tests.kit.times import DAY

MAPPING = ColumnMapping.parse(["customer_id=user.id,type=event"], complete=False)
OTHER_MAPPING = ColumnMapping.parse(["customer_id=who"], complete=False)
NAMES = [each.name for each in fields(Settings)]

TAKEN: list[tuple[str, str, object]] = [
    ("ids", "folded", "folded"),
    ("ids", "trimmed", "trimmed"),
    ("earliest_time", "1970-01-01", 0),
    ("earliest_time", "off", None),
    ("map", "customer_id=user.id, type=event", TopicMappings(MAPPING, {})),
    (
        "map",
        "customer_id=who; interactions : customer_id=user.id,type=event;",
        TopicMappings(OTHER_MAPPING, {"interactions": MAPPING}),
    ),
    ("interactions", " web, crm ", "web,crm"),
    ("map", "", None),
    ("bootstrap", "one:9092,two:9092", "one:9092,two:9092"),
    ("security_protocol", "sasl_ssl", "sasl_ssl"),
    ("ssl_cafile", "/etc/kafka/ca.pem", "/etc/kafka/ca.pem"),
    ("ssl_certfile", "/etc/kafka/us.pem", "/etc/kafka/us.pem"),
    ("ssl_keyfile", "/etc/kafka/us.key", "/etc/kafka/us.key"),
    ("sasl_mechanism", "PLAIN", "PLAIN"),
    ("sasl_mechanism", "SCRAM-SHA-256", "SCRAM-SHA-256"),
    ("sasl_username", "lifecycle", "lifecycle"),
    ("sasl_password", "not a, secret", "not a, secret"),
    ("app", "shop", "shop"),
    ("topic_prefix", "test-", "test-"),
    ("topic_prefix", "", ""),
    ("interactions", "events", "events"),
    ("partitions", "1", 1),
    ("partitions", "10000", 10_000),
    ("replication", "auto", None),
    ("replication", "3", 3),
    ("partitioner", "crc32", "crc32"),
    ("partitioner", "fnv1a", "fnv1a"),
    ("retention", "", None),
    ("retention", "400d", 400 * DAY),
    ("retention", "1h", 3_600_000),
    ("retention", "unlimited", UNLIMITED),
    ("lifecycles", "journey", ("journey",)),
    ("lifecycles", "", ()),
    ("lifecycles", " shop.yaml , metrics,", ("shop.yaml", "metrics")),
    ("apply_edits", "at_once", "at_once"),
    ("apply_edits", "when_touched", "when_touched"),
    ("delivery", "exactly_once", "exactly_once"),
    ("delivery", "at_least_once", "at_least_once"),
    ("clock", "stream", "stream"),
    ("live_from", "first-start", None),
    ("live_from", "2026-11-01T00:00:00Z", 1_793_491_200_000),
    ("live_from", "2026-11-01", 1_793_491_200_000),
    ("live_from", "1793491200000", 1_793_491_200_000),
    ("live_from", "0", 0),
    ("grace", "500ms", 500),
    ("grace", "30s", 30_000),
    ("forget_after", "12h", DAY // 2),
    ("forget_after", "off", None),
    ("forget_identified_after", "52w", 364 * DAY),
    ("forget_identified_after", "off", None),
    ("blocked", "NULL, Guest", frozenset({"null", "guest"})),
    ("blocked", "", frozenset()),
    ("web_bind", "0.0.0.0", "0.0.0.0"),  # noqa: S104 - as a person would write it
    ("web_port", "0", 0),
    ("web_port", "65535", 65_535),
    ("web_token", "0123456789abcdef", "0123456789abcdef"),
    ("web_token", "", ""),
    ("web_url", "https://one.example:6066", "https://one.example:6066"),
    ("web_url", "http://[::1]:6066", "http://[::1]:6066"),
    ("web_tokens", "/etc/lifecycle/tokens.toml", "/etc/lifecycle/tokens.toml"),
    ("web_certfile", "/etc/lifecycle/tls.pem", "/etc/lifecycle/tls.pem"),
    ("web_keyfile", "/etc/lifecycle/tls.key", "/etc/lifecycle/tls.key"),
    ("collector_bind", "0.0.0.0", "0.0.0.0"),  # noqa: S104 a value, not an address that is served on
    ("collector_port", "0", 0),
    ("webhooks_port", "0", 0),
    ("collector_max_body", "8MiB", 8 << 20),
    ("collector_max_body", "500 KiB", 500 << 10),
    ("collector_max_body", "1048576", 1 << 20),
    ("write_keys", "/etc/lifecycle/keys.toml", "/etc/lifecycle/keys.toml"),
    ("collect_ip", "on", True),
    ("collect_ip", "off", False),
    ("trusted_proxies", "10.0.0.0/8, ::1", ("10.0.0.0/8", "::1")),
    ("webhooks", "/etc/lifecycle/webhooks.yaml", "/etc/lifecycle/webhooks.yaml"),
    ("webhook_allowed_hosts", "crm.internal:8080, 10.0.0.0/8", ("crm.internal:8080", "10.0.0.0/8")),
    ("session_timeout", "45s", 45_000),
    ("max_records", "1", 1),
    ("dead_letter_share", "0.25", 0.25),
    ("dead_letter_share", "1", 1.0),
    ("dead_letter_share", "12.5%", 0.125),
    ("dead_letter_share", "100%", 1.0),
    ("log_level", "debug", "debug"),
    ("log_format", "json", "json"),
    ("tracing", "on", True),
]

REFUSED: list[tuple[str, str, str]] = [
    ("interactions", "web,crm,web", "the name of a topic, or several that commas separate, each once"),
    ("interactions", " , ", "the name of a topic, or several that commas separate, each once"),
    (
        "map",
        "type=a; type=b",
        "a mapping: there are two for no topic in particular; put a comma, not a semicolon, between the pairs of one",
    ),
    (
        "map",
        "crm: type=a; crm: customer_id=b",
        "a mapping: there are two for the topic crm; put a comma, not a semicolon, between the pairs of one",
    ),
    ("ids", "lower", "one of exact, trimmed, folded"),
    ("earliest_time", "yesterday", "a time such as 1995-01-01, or `off`"),
    ("partitions", "0", "a whole number from 1 to 10000"),
    ("partitions", "10001", "a whole number from 1 to 10000"),
    ("partitions", "1.5", "a whole number from 1 to 10000"),
    ("partitions", "", "a whole number from 1 to 10000"),
    ("replication", "-1", "a whole number from 1 to 32767, or auto"),
    ("replication", "", "a whole number from 1 to 32767, or auto"),
    ("retention", "59m", "a duration such as 400d, of an hour at least, or `unlimited`"),
    ("retention", "-1", "a duration such as 400d, of an hour at least, or `unlimited`"),
    ("retention", "off", "a duration such as 400d, of an hour at least, or `unlimited`"),
    ("web_port", "65536", "a whole number from 0 to 65535"),
    ("web_port", "http", "a whole number from 0 to 65535"),
    ("web_url", "10.0.0.7:6066", "an address such as http://10.0.0.7:6066, without a path"),
    ("web_url", "http://one.example/lookup", "an address such as http://10.0.0.7:6066, without a path"),
    ("collector_max_body", "8MB", "a number of bytes such as 8MiB or 500KiB, from 1024 to 1073741824"),
    ("collector_max_body", "1000", "a number of bytes such as 8MiB or 500KiB, from 1024 to 1073741824"),
    ("collect_ip", "yes", "`on` or `off`"),
    ("trusted_proxies", "10.0.0.1/8", "a list of addresses and networks such as 10.0.0.0/8; '10.0.0.1/8' is none"),
    ("web_port", "\N{ARABIC-INDIC DIGIT SIX}", "a whole number from 0 to 65535"),
    ("max_records", "0", "a whole number from 1 to 1000000"),
    ("dead_letter_share", "50", "a share above 0 and up to 1, such as 0.5 or 50%"),
    ("dead_letter_share", "0%", "a share above 0 and up to 1, such as 0.5 or 50%"),
    ("dead_letter_share", "-0.5", "a share above 0 and up to 1, such as 0.5 or 50%"),
    ("dead_letter_share", "half", "a share above 0 and up to 1, such as 0.5 or 50%"),
    ("dead_letter_share", "nan", "a share above 0 and up to 1, such as 0.5 or 50%"),
    ("dead_letter_share", "%", "a share above 0 and up to 1, such as 0.5 or 50%"),
    ("partitioner", "murmur2_random", "one of murmur2, crc32, fnv1a"),
    ("delivery", "at_most_once", "one of auto, exactly_once, at_least_once"),
    ("clock", "Wall", "one of wall, stream"),
    ("log_level", "trace", "one of debug, info, warning, error"),
    ("log_format", "xml", "one of text, json"),
    ("grace", "5", "a duration such as 500ms, 30s, 12h or 90d"),
    ("grace", "1.5h", "a duration such as 500ms, 30s, 12h or 90d"),
    ("grace", "off", "a duration such as 500ms, 30s, 12h or 90d"),
    ("session_timeout", "-6s", "a duration such as 500ms, 30s, 12h or 90d"),
    ("forget_after", "never", "a duration such as 90d, or off"),
    ("forget_identified_after", "1y", "a duration such as 90d, or off"),
    ("live_from", "yesterday", "a time such as 2026-11-01T00:00:00Z, or `first-start`"),
    ("live_from", "2026-02-30", "a time such as 2026-11-01T00:00:00Z, or `first-start`"),
    ("live_from", "-5", "a time such as 2026-11-01T00:00:00Z, or `first-start`"),
    ("live_from", "999999999999999999", "a time such as 2026-11-01T00:00:00Z, or `first-start`"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file, empty at first."""
    made = tmp_path / "lifecycle.toml"
    made.touch()
    return made


def refusal(options: dict[str, str | None], environment: dict[str, str], file: Path | None = None) -> str:
    """What is said of impossible settings."""
    with pytest.raises(SettingsError) as refused:
        load_settings(options, file=file, environment=environment)
    return str(refused.value)


def test_without_any_source_every_setting_has_its_default() -> None:
    """And the default is what a worker on this machine needs."""
    settings = load_settings({}, environment={})
    assert settings == Settings()
    assert (settings.bootstrap, settings.web_bind, settings.web_port) == ("127.0.0.1:9092", "127.0.0.1", 6066)
    assert (settings.delivery, settings.clock, settings.lifecycles) == ("auto", "wall", ())
    assert (settings.forget_after, settings.forget_identified_after) == (90 * DAY, None)


def test_an_option_wins_over_the_environment_that_over_the_file_and_that_over_the_default(file: Path) -> None:
    """Taken away one by one, the next in order decides; sources mix, setting by setting."""
    file.write_text('app = "of-file"\nclock = "stream"\n')
    options: dict[str, str | None] = {"app": "of-option", "clock": None}
    environment = {"LIFECYCLE_APP": "of-environment", "LIFECYCLE_WEB_PORT": "7000"}
    settings = load_settings(options, file=file, environment=environment)
    assert (settings.app, settings.clock, settings.web_port, settings.partitions) == ("of-option", "stream", 7_000, 16)
    assert load_settings({"app": None}, file=file, environment=environment).app == "of-environment"
    assert load_settings({}, file=file, environment={}).app == "of-file"
    assert load_settings({}, environment={}).app == "lifecycle"


def test_an_empty_text_is_a_value_too(file: Path) -> None:
    """No prefix, though the file names one."""
    file.write_text('topic_prefix = "test-"\n')
    assert load_settings({}, file=file, environment={"LIFECYCLE_TOPIC_PREFIX": ""}).topic_prefix == ""


def test_a_value_that_does_not_count_is_not_read() -> None:
    """A variable that makes no sense does no harm where an option decides."""
    assert load_settings({"web_port": "1"}, environment={"LIFECYCLE_WEB_PORT": "no"}).web_port == 1


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_an_environment_variable_and_a_place_in_the_file(name: str, file: Path) -> None:
    """The same text from each source is the same setting."""
    text, value = next((text, value) for setting, text, value in TAKEN if setting == name)
    file.write_text(f'{name} = "{text}"\n')
    assert getattr(load_settings({name: text}, environment={}), name) == value
    assert getattr(load_settings({}, environment={f"LIFECYCLE_{name.upper()}": text}), name) == value
    assert getattr(load_settings({}, file=file, environment={}), name) == value


@pytest.mark.parametrize(("name", "text", "value"), TAKEN)
def test_what_a_setting_takes(name: str, text: str, value: object) -> None:
    """Text to value, with the least and the most."""
    assert getattr(load_settings({name: text}, environment={}), name) == value


@pytest.mark.parametrize(("name", "text", "wanted"), REFUSED)
def test_what_a_setting_does_not_take_is_refused_with_what_it_does(
    name: str, text: str, wanted: str, file: Path
) -> None:
    """Where the value came from, the value, and what would be right."""
    option, variable = f"--{name.replace('_', '-')}", f"LIFECYCLE_{name.upper()}"
    assert refusal({name: text}, {}) == f"{option}: {text!r} is not {wanted}"
    assert refusal({}, {variable: text}) == f"{variable}: {text!r} is not {wanted}"
    file.write_text(f'{name} = "{text}"\n', encoding="utf-8")
    assert refusal({}, {}, file) == f"{file}: {name}: {text!r} is not {wanted}"


@pytest.mark.parametrize(
    "token", ["too-short", "with a space in between", "with-ümläuts-in-between", "with-a-tab\tbetween"]
)
def test_a_secret_that_is_refused_is_not_repeated(token: str, file: Path) -> None:
    """The value would stand in a log that others read than those who know it."""
    wanted = "a token of at least 16 letters, digits and signs, as openssl rand -hex 32 makes"
    assert refusal({}, {"LIFECYCLE_WEB_TOKEN": token}) == f"LIFECYCLE_WEB_TOKEN: what it has is not {wanted}"
    file.write_text(f"web_token = '{token}'\n", encoding="utf-8")
    assert refusal({}, {}, file) == f"{file}: web_token: what it has is not {wanted}"


def test_no_secret_is_shown_with_the_settings_and_none_is_an_option_of_a_command() -> None:
    """Neither a log that shows settings nor a list of processes tells it."""
    secrets = {each.name for each in fields(Settings) if not each.repr}
    assert secrets == {"sasl_password", "web_token"}
    settings = load_settings({}, environment={f"LIFECYCLE_{name.upper()}": "0123456789abcdef" for name in secrets})
    assert "0123456789abcdef" not in repr(settings)
    group = get_command(app)
    commands = [group.resolve_command(Context(group), [name])[1] for name in group.commands]
    options = {option for command in commands for each in command.params for option in each.opts}
    assert "--sasl-username" in options
    assert not options & {f"--{name.replace('_', '-')}" for name in secrets}


def test_numbers_lists_and_times_of_toml_are_taken_as_they_are(file: Path) -> None:
    """Nobody need write them as text."""
    file.write_text(
        'web_port = 8080\nlifecycles = ["shop.yaml", "metrics"]\nblocked = ["nobody"]\n'
        "live_from = 2026-11-01T00:00:00Z\n"
    )
    settings = load_settings({}, file=file, environment={})
    assert settings.web_port == 8_080
    assert settings.lifecycles == ("shop.yaml", "metrics")
    assert settings.blocked == {"nobody"}
    assert settings.live_from == 1_793_491_200_000


def test_an_unknown_key_of_the_file_is_refused_with_the_known_ones(file: Path) -> None:
    """A misspelled setting would otherwise silently have its default."""
    file.write_text('web_prt = 8080\napp = "shop"\n')
    said = refusal({}, {}, file)
    assert said.startswith(f"settings file {file}: unknown setting 'web_prt'; known are app, ")
    assert all(name in said for name in NAMES)


def test_the_variable_names_the_file_and_the_option_names_another(file: Path, tmp_path: Path) -> None:
    """`LIFECYCLE_SETTINGS` is read where no `--settings` is given; empty, it names none."""
    file.write_text('app = "of-variable"\n')
    other = tmp_path / "other.toml"
    other.write_text('app = "of-option"\n')
    environment = {"LIFECYCLE_SETTINGS": str(file)}
    assert load_settings({}, environment=environment).app == "of-variable"
    assert load_settings({}, file=other, environment=environment).app == "of-option"
    assert load_settings({}, environment={"LIFECYCLE_SETTINGS": ""}).app == "lifecycle"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, or a folder."""
    missing = tmp_path / "missing.toml"
    assert refusal({}, {"LIFECYCLE_SETTINGS": str(missing)}) == f"settings file {missing}: No such file or directory"
    assert refusal({}, {}, tmp_path) == f"settings file {tmp_path}: Is a directory"


def test_a_file_that_is_no_toml_is_named_with_the_place(file: Path) -> None:
    """Line and column; bytes that are no UTF-8, too."""
    file.write_text('app = "shop"\nweb_port =\n')
    said = refusal({}, {}, file)
    assert said.startswith(f"settings file {file}: ")
    assert "line 2" in said
    file.write_bytes(b'app = "\xff"\n')
    assert refusal({}, {}, file).startswith(f"settings file {file}: ")


@pytest.mark.parametrize("name", [name for name in NAMES if name != "blocked"])
def test_the_default_as_it_is_shown_is_the_default(name: str) -> None:
    """What the table says can be written down, and changes nothing."""
    (field,) = [each for each in fields(Settings) if each.name == name]
    assert load_settings({}, environment={variable_of(field): default_of(field)}) == Settings()


def test_the_blocked_ids_that_are_shown_are_among_the_default() -> None:
    """They are too many to show all."""
    (field,) = [each for each in fields(Settings) if each.name == "blocked"]
    *shown, more = default_of(field).split(", ")
    assert more == "…"
    assert set(shown) < DEFAULT_BLOCKED


def test_topics_have_the_prefix_and_only_interactions_another_name() -> None:
    """Two applications on one broker need nothing but a prefix."""
    assert Settings(topic_prefix="eu-", interactions="events").topics == TopicNames(
        interactions="eu-events",
        stage_changes="eu-stage-changes",
        current_stages="eu-current-stages",
        customers="eu-lifecycle-customers",
        dead_letters="eu-lifecycle-dead-letters",
        figures="eu-figures",
    )


def test_a_mapping_is_for_a_topic_that_there_is() -> None:
    assert refusal({"map": "crn: type=what", "interactions": "web,crm"}, {}) == (
        "--map: map is for the topic 'crn', but interactions is web, crm"
    )


def test_what_decides_results_differs_where_ids_times_or_the_mapping_do() -> None:
    """So that `verify` can tell a state that was made with others; what is as it was before them is not named."""
    before = Settings().deciding
    assert before.keys().isdisjoint({"ids", "earliest_time", "map"})
    changes = [
        {"ids": "trimmed"},
        {"ids": "folded"},
        {"earliest_time": "1990-01-01"},
        {"earliest_time": "off"},
        {"map": "customer_id=a, type=b"},
        {"map": "customer_id=b, type=a"},
    ]
    deciding = [load_settings(change, environment={}).deciding for change in changes]
    for change, after in zip(changes, deciding, strict=True):
        assert {name for name, value in after.items() if before.get(name) != value} == change.keys()
    assert len({tuple(sorted(each.items())) for each in (before, *deciding)}) == len(changes) + 1


def test_no_topic_that_workers_write_is_gathered() -> None:
    for name in ("lifecycle-interactions", "stage-changes"):
        assert refusal({"interactions": f"web,{name}"}, {}) == (
            f"--interactions: interactions names {name}, which workers write; name the topics that others send to"
        )
