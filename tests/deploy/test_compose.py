"""The compose file: valid, and of the product as it is."""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from stream.cli.commands import COMMANDS
from stream.settings_sources import ENVIRONMENT_PREFIX
from stream.web.collector.write_keys import parse_write_keys
from stream.web.tokens import parse_tokens
from stream.webhooks.endpoints.endpoint_file import read_endpoints
from stream.webhooks.endpoints.signing_secrets import read_secret
from stream.webhooks.templating.template_file import load_template
from tests.deploy.manifests import (
    COLLECTOR,
    COMPOSE,
    DEPLOY,
    DOCKERFILE,
    PORTS,
    VARIABLES,
    WEBHOOKS,
    WORKER,
    Json,
    document,
    roles_of_compose,
    run,
    services,
    settings_of,
    stops_within,
)

pytestmark = [pytest.mark.slow, pytest.mark.operators]
"""It needs programs that only `make operators` sees to."""


def test_the_compose_file_is_valid() -> None:
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)


def test_the_compose_file_runs_every_role_with_settings_that_there_are() -> None:
    commands = []
    for service in roles_of_compose().values():
        if "entrypoint" in service:
            continue
        commands.append(service["command"][0])
        assert service["command"][0] in COMMANDS
        assert {each for each in service["environment"] if each.startswith(ENVIRONMENT_PREFIX)} <= VARIABLES
        assert settings_of({name: _default(value) for name, value in service["environment"].items()})
    assert sorted(commands) == ["collector", "topics", "webhooks", "worker", "worker"]


def _default(value: str) -> str:
    """What compose makes of `${NAME:-default}` where NAME is not set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


def test_what_compose_publishes_is_for_this_machine_and_where_the_documents_say() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert published["worker-1"] == [f"127.0.0.1:{PORTS[WORKER]}:{PORTS[WORKER]}"]
    assert published["collector"] == [f"127.0.0.1:{PORTS[COLLECTOR]}:{PORTS[COLLECTOR]}"]
    for ports in published.values():
        assert all(each.startswith("127.0.0.1:") for each in ports)


def test_the_files_that_compose_mounts_and_builds_from_are_there() -> None:
    named = {*document(COMPOSE)["volumes"]}
    for service in roles_of_compose().values():
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == DOCKERFILE
    for service in services().values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in named or (DEPLOY / source).exists(), source


def test_compose_gives_each_role_the_time_that_it_takes_to_stop() -> None:
    for service in roles_of_compose().values():
        assert int(service["stop_grace_period"].removesuffix("s")) > stops_within(WORKER)


def test_prometheus_of_compose_asks_each_role_where_it_is() -> None:
    config = document(DEPLOY / "compose" / "prometheus.yml")
    asked = {
        each["job_name"]: [target for group in each["static_configs"] for target in group["targets"]]
        for each in config["scrape_configs"]
    }
    assert asked == {
        "lifecycle-worker": [f"worker-1:{PORTS[WORKER]}", f"worker-2:{PORTS[WORKER]}"],
        "lifecycle-collector": [f"collector:{PORTS[COLLECTOR]}"],
        "lifecycle-webhooks": [f"webhooks:{PORTS[WEBHOOKS]}"],
    }


def test_the_secrets_that_compose_draws_are_what_the_roles_read(tmp_path: Path) -> None:
    program = [sys.executable, DEPLOY / "compose" / "draw_secrets.py", tmp_path]
    said = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    made = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert {f"drew {name}" for name in made} == set(said.splitlines())
    tokens = parse_tokens(made["tokens.toml"])
    of_prometheus = tokens.find(made["prometheus-token"])
    assert of_prometheus is not None
    assert of_prometheus.roles == {"operate"}
    assert len(parse_write_keys(made["write-keys.toml"], "", ("interactions",))) == 1
    assert read_secret(made["webhook-secret"])
    paths = {Path(each).name for service in services().values() for each in _paths_of_secrets(service)}
    assert paths <= {*made}
    assert subprocess.run(program, capture_output=True, text=True, check=True).stdout == ""
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == made


def _paths_of_secrets(service: Json) -> Iterable[str]:
    values = [*service.get("environment", {}).values()]
    return (each for each in values if str(each).startswith("/run/lifecycle/"))


@pytest.mark.parametrize("path", ["compose/lifecycle/webhooks.yaml", "kubernetes/base/config/webhooks.yaml"])
def test_the_files_of_endpoints_can_be_read(path: str) -> None:
    assert read_endpoints(DEPLOY / path, load_template) == ()
