"""The manifests of Kubernetes: valid, and of the product as it is."""

import re
from pathlib import Path

import pytest

from stream.cli.commands import COMMANDS
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.settings import Settings
from stream.settings_sources import ENVIRONMENT_PREFIX
from tests.deploy.manifests import (
    BY_HAND,
    KUSTOMIZATIONS,
    OVERLAYS,
    PORTS,
    ROLES,
    ROOT,
    VARIABLES,
    VERIFY,
    WORKER,
    Json,
    built,
    container_of,
    deployments,
    only_container,
    pods,
    resources,
    run,
    settings_of,
    stops_within,
    variables,
)

pytestmark = [pytest.mark.slow, pytest.mark.operators]
"""It needs programs that only `make operators` sees to."""


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
        given = variables(folder, only_container(pod))
        assert {name for name in given if name.startswith(ENVIRONMENT_PREFIX)} <= VARIABLES
        settings = settings_of({name: (value or "").replace("$(POD_IP)", "10.0.0.7") for name, value in given.items()})
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
    given = variables(folder, only_container(pods(folder)[WORKER]))
    assert given["LIFECYCLE_WEB_URL"] == f"http://$(POD_IP):{PORTS[WORKER]}"


@pytest.mark.parametrize("folder", OVERLAYS)
def test_every_role_has_the_time_that_it_takes_to_stop(folder: str) -> None:
    for role, deployment in deployments(folder).items():
        pod, container = deployment["spec"]["template"]["spec"], container_of(deployment)
        waits = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert pod["terminationGracePeriodSeconds"] >= waits + stops_within(role) + 10


@pytest.mark.parametrize("folder", OVERLAYS)
def test_pods_have_no_right_that_they_do_not_need(folder: str) -> None:
    for pod in pods(folder).values():
        container = only_container(pod)
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
        environment = only_container(pod)["env"]
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
        assert variables(folder, only_container(pod))["LIFECYCLE_SASL_USERNAME"] == user
        (password,) = [each for each in only_container(pod)["env"] if _from_secret(each)]
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
