"""Settings as a person meets them: what is in force and why, what has no effect, and what has to be chosen."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from stream.cli.terminal.unknown_variables import unknown_variables
from stream.settings import Settings
from tests.cli.commands import Run


def test_the_current_value_of_each_setting_is_shown_with_its_origin_and_no_secret(
    lifecycle: Run, tmp_path: Path
) -> None:
    """Option over environment over file over default, as the worker would have it."""
    (tmp_path / "shop.toml").write_text('app = "shop"\nclock = "stream"\nweb_token = "0123456789abcdef"\n')
    environment = {"LIFECYCLE_APP": "other", "LIFECYCLE_GRACE": "5s", "LIFECYCLE_SASL_PASSWORD": "hush-hush"}
    arguments = ("settings", "--settings", "shop.toml", "--grace", "7s")

    shown = lifecycle(*arguments, "--current", environment=environment)
    rows = {line.split()[0]: line.split()[1:] for line in shown.stdout.splitlines()[1:]}
    assert (shown.returncode, shown.stderr) == (0, "")
    assert list(rows) == [each.name for each in fields(Settings)]
    assert rows["grace"] == ["7s", "--grace"]
    assert rows["app"] == ["other", "LIFECYCLE_APP"]
    assert rows["clock"] == ["stream", "shop.toml"]
    assert rows["web_port"] == ["6066", "default"]
    assert rows["topic_prefix"] == ["(empty)", "default"]
    assert rows["sasl_password"] == ["(set,", "not", "shown)", "LIFECYCLE_SASL_PASSWORD"]
    assert rows["web_token"] == ["(set,", "not", "shown)", "shop.toml"]

    as_json = lifecycle(*arguments, "--json", environment=environment).stdout
    assert json.loads(as_json)["clock"] == {"value": "stream", "source": "file", "where": "shop.toml"}
    assert json.loads(as_json)["web_port"] == {"value": "6066", "source": "default", "where": None}
    for secret in ("hush-hush", "0123456789abcdef"):
        assert secret not in shown.stdout + as_json


def test_a_value_that_cannot_be_is_shown_and_named(lifecycle: Run) -> None:
    """And the table of all settings, which says what can be, is there in any case."""
    environment = {"LIFECYCLE_WEB_PORT": "http"}
    shown = lifecycle("settings", "--current", environment=environment)
    assert shown.returncode == 1
    assert "LIFECYCLE_WEB_PORT" in shown.stdout
    assert shown.stderr == "LIFECYCLE_WEB_PORT: 'http' is not a whole number from 0 to 65535\n"
    assert lifecycle("settings", "--markdown", environment=environment).returncode == 0


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("LIFECYCLE_LIFECYCLE", "LIFECYCLE_LIFECYCLES"),
        ("LIFECYCLE_BOOTSTRAP_SERVERS", "LIFECYCLE_BOOTSTRAP"),
        ("LIFECYCLE_PREFIX", "LIFECYCLE_TOPIC_PREFIX"),
        ("LIFECYCLE_WEBPORT", "LIFECYCLE_WEB_PORT"),
        ("LIFECYCLE_SETTING", "LIFECYCLE_SETTINGS"),
        ("LIFECYCLE_COLOUR", None),
    ],
)
def test_a_variable_that_is_no_setting_is_warned_of_with_the_nearest_one(variable: str, meant: str | None) -> None:
    (warning,) = unknown_variables({variable: "x", "LIFECYCLE_APP": "shop", "PATH": "/bin"})
    assert warning.startswith(f"{variable} is no setting and has no effect; ")
    assert (f"did you mean {meant}?" in warning) == (meant is not None)


def test_what_is_a_setting_or_set_by_others_is_not_warned_of() -> None:
    """Kubernetes sets some variables in every container for each service, here for two that begin with our name."""
    known = [f"LIFECYCLE_{each.name.upper()}" for each in fields(Settings)]
    others = {
        "LIFECYCLE_PORT": "tcp://10.0.0.1:6066",
        "LIFECYCLE_PORT_6066_TCP_ADDR": "10.0.0.1",
        "LIFECYCLE_PORT_6066_TCP": "tcp://10.0.0.1:6066",
        "LIFECYCLE_SERVICE_HOST": "10.0.0.1",
        "LIFECYCLE_WORKER_SERVICE_PORT": "6066",
        "LIFECYCLE_WORKER_SERVICE_PORT_HTTP": "6066",
        "MY_LIFECYCLE_APPS": "x",
    }
    assert unknown_variables(dict.fromkeys([*known, "LIFECYCLE_SETTINGS"], "x") | others) == []


@pytest.mark.parametrize(("command", "code"), [("worker", 1), ("verify", 2)])
def test_who_names_no_lifecycle_is_asked_to(lifecycle: Run, command: str, code: int) -> None:
    """With an example and the presets; a misspelled variable is named before, in the worker's log too."""
    done = lifecycle(command, environment={"LIFECYCLE_LIFECYCLE": "shop.yaml", "LIFECYCLE_LOG_FORMAT": "json"})
    assert (done.returncode, done.stdout) == (code, "")
    warning, asked = done.stderr.splitlines()
    assert "did you mean LIFECYCLE_LIFECYCLES?" in warning
    assert warning.startswith("{") == (command == "worker")
    assert asked.startswith("no lifecycle is named: set --lifecycles or LIFECYCLE_LIFECYCLES")
    assert asked.endswith("presets are b2b, journey, metrics, nurture, platform, relationship")


@pytest.mark.parametrize("command", [("topics",), ("dead-letters", "list")])
def test_what_needs_no_lifecycle_asks_for_none(lifecycle: Run, command: tuple[str, ...]) -> None:
    """Nobody is there, which is all that these commands miss; other tests run the rest of them without, too."""
    done = lifecycle(*command, "--bootstrap", "127.0.0.1:1")
    assert done.returncode == 1
    assert "no lifecycle" not in done.stderr
    assert "127.0.0.1:1" in done.stderr
