"""The manifests of Strimzi: Kafka, its topics and its users are as the product wants them."""

from collections import defaultdict
from collections.abc import Iterable

import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import load_all
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
from stream.webhook_role import NAME
from stream.webhooks.topics import plan_webhook_topics
from tests.deploy.manifests import DEPLOY, Json, resources, services, settings_of

pytestmark = [pytest.mark.slow, pytest.mark.operators]
"""It needs programs that only `make operators` sees to."""


def _of_kubernetes() -> Settings:
    """The settings of the manifests."""
    (shared,) = [each for name, each in resources("base", "ConfigMap").items() if name.startswith("lifecycle-settings")]
    return settings_of(shared["data"])


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
