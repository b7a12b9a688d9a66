"""What is said where tracing cannot be: OpenTelemetry is not installed, or its variables are wrong."""

import os
import subprocess
import sys

import pytest

WITHOUT = "import sys; sys.modules['opentelemetry'] = None; from stream.cli import main; main()"
"""The command, where OpenTelemetry is not installed."""


def run(program: str, *arguments: str, **variables: str) -> tuple[int, str]:
    """Exit code, and what it said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LIFECYCLE_", "OTEL_"))}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=kept | {"LIFECYCLE_BOOTSTRAP": "127.0.0.1:1", "COLUMNS": "400", **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("command", ["worker", "collector", "webhooks"])
def test_a_process_with_tracing_but_without_opentelemetry_says_how_to_install_it(command: str) -> None:
    code, said = run(WITHOUT, command, "--tracing", "on", LIFECYCLE_LIFECYCLES="metrics", LIFECYCLE_UNKNOWN="x")
    assert code == 1
    assert "pip install 'customer-lifecycle[tracing]'" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "max_queue_size"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[", "OTEL_EXPORTER_OTLP_ENDPOINT is no URL"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(name: str, value: str, told: str) -> None:
    program = "from stream.cli import main; main()"
    code, said = run(program, "worker", LIFECYCLE_LIFECYCLES="metrics", LIFECYCLE_TRACING="on", **{name: value})
    assert code == 1
    assert told in said
    assert "OTEL" in said
    assert "Traceback" not in said


def test_the_own_variables_of_opentelemetry_say_who_a_process_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry.sdk.resources import SERVICE_NAME  # noqa: PLC0415

    from stream.tracing.tracing import _resource  # noqa: PLC0415

    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=mine,team=crm")
    found = _resource("worker").attributes
    assert (found[SERVICE_NAME], found["service.version"], found["team"]) == ("lifecycle-worker", "mine", "crm")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "scorer")
    assert _resource("worker").attributes[SERVICE_NAME] == "scorer"
