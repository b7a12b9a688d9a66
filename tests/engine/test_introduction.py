"""The settings that the first lines of a log show."""

from dataclasses import fields

import pytest

from stream.engine.introduction import changed_settings, introduce
from stream.kafka.worker_versions import versions_of
from stream.settings import Settings
from stream.settings_sources import load_settings

GIVEN = {
    "sasl_password": "canary-password",
    "web_token": "canary-token-of-16-and-more",
    "session_timeout": "10s",
    "retention": "400d",
    "grace": "1h",
    "forget_after": "off",
    "live_from": "2026-11-01T00:00:00.000Z",
    "lifecycles": "metrics,journey",
    "web_port": "0",
}
SECRETS = {"sasl_password", "web_token"}


def test_settings_are_shown_as_a_person_writes_them_and_of_a_secret_only_that_it_is_set() -> None:
    shown = changed_settings(load_settings(GIVEN, environment={}))
    assert shown == {name: "(set)" if name in SECRETS else text for name, text in GIVEN.items()}
    assert {each.name for each in fields(Settings) if not each.repr} == SECRETS


def test_settings_that_have_their_default_are_not_shown() -> None:
    given = {"grace": "0ms", "web_port": "6066"}
    assert changed_settings(load_settings(given, environment={})) == {}
    assert changed_settings(load_settings({"retention": "unlimited"}, environment={})) == {"retention": "unlimited"}


def test_the_group_is_named_as_kafka_knows_it(caplog: pytest.LogCaptureFixture) -> None:
    """With the prefix of the topics, which are named, too."""
    caplog.set_level("INFO", "stream.engine")
    settings = Settings(topic_prefix="rehearsal-")
    introduce(settings, [], versions_of([], "1.0", settings.deciding), compiled=False)
    [line] = [message for message in caplog.messages if message.startswith("Kafka at")]
    assert "group rehearsal-lifecycle, " in line
    assert "topics rehearsal-interactions, " in line
