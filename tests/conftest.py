"""Fixtures for every test: a real Apache Kafka, and names that no other test uses.

Tests run in several processes (pytest-xdist): most of them wait, for brokers, groups and whole workers. Those that
share a fixture of their file, or a broker which takes long to start, run in one process. All share one Apache Kafka,
which the process that hands out the tests starts.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from itertools import chain, count
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.kit.acls import grant
from tests.kit.cluster import KafkaCluster
from tests.kit.kafka import KafkaBroker, SharedKafka
from tests.kit.roles import CREATOR, PASSWORDS, ROLES, caller_of
from tests.kit.secured import SecuredKafka

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

_numbers = count(1)
_OWN_PROCESS = ("kafka_cluster", "secured_kafka")
"""Fixtures that are started once: the tests with one run in one process, whatever their files."""
_LONG = ("machine/test_deadline_storms.py", "machine/test_edits.py")
"""Files whose tests move thousands of customers."""
_BROKER = pytest.StashKey[KafkaBroker]()

# The same examples every time, so that a change that did not touch a law cannot fail it; `deep` looks for new ones:
# pytest --hypothesis-profile=deep tests/properties
_ANY_SPEED = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("quick", max_examples=60, derandomize=True, database=None, **_ANY_SPEED)
settings.register_profile("smoke", max_examples=15, derandomize=True, database=None, **_ANY_SPEED)
settings.register_profile("deep", max_examples=1_000, **_ANY_SPEED)
settings.load_profile("quick")


def pytest_configure(config: pytest.Config) -> None:
    """Start the Apache Kafka that all processes share, where several are wanted and tests with it may be among them."""
    _trust_no_public_authority()
    if not getattr(config.option, "numprocesses", None):
        _be_as_in_a_terminal()
    elif "not kafka" not in config.option.markexpr:
        config.stash[_BROKER] = KafkaBroker()
        config.stash[_BROKER].start()


def _trust_no_public_authority() -> None:
    """Tests talk to nobody outside, and to read those authorities is a sixth of what it takes a worker to start."""
    os.environ.update(SSL_CERT_FILE=os.devnull, SSL_CERT_DIR=os.devnull)


def _be_as_in_a_terminal() -> None:
    """What tests start inherits from us how it meets signals, and how wide a terminal is."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # behind a shell
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # by nohup
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for name in ("COLUMNS", "LINES"):  # pytest-xdist's idea of a width
        os.environ.pop(name, None)


def pytest_configure_node(node: "WorkerController") -> None:
    """Tell each process where it is."""
    if _BROKER in node.config.stash:
        broker = node.config.stash[_BROKER]
        node.workerinput["kafka"] = [broker.bootstrap, broker.settings]


def pytest_unconfigure(config: pytest.Config) -> None:
    """End it with the last process."""
    if _BROKER in config.stash:
        config.stash[_BROKER].__exit__()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with a fixture that starts Apache Kafka, so that no mark can be forgotten.

    Those on the embedded broker are slow, a group takes seconds to join there, and so are those that run whole
    commands in processes of their own.
    """
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if any("kafka" in name for name in fixtures) or "[kafka" in item.name:
            item.add_marker(pytest.mark.kafka)
        if "embedded" in item.name or item.path.parent.name == "cli":
            item.add_marker(pytest.mark.slow)
        if item.path.parent.name == "properties" or f"{item.path.parent.name}/{item.path.name}" in _LONG:
            item.add_marker(pytest.mark.long)
        item.add_marker(pytest.mark.xdist_group(_together(item)))
    # What takes longest begins first, else a process would end with it alone.
    items.sort(key=lambda item: item.path.parent.name != "faults")


def _together(item: pytest.Item) -> str:
    """The name of those tests that run in one process with this one: they share something that takes long to make."""
    definitions = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    for name in _OWN_PROCESS:
        if name in definitions:
            return name
    for_the_file = any(each.scope == "module" for each in chain.from_iterable(definitions.values()))
    return item.path.as_posix() if for_the_file else item.nodeid


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> Iterator[SharedKafka]:
    """One Apache Kafka for the whole session; a test that harms its broker starts one of its own."""
    handed_over = getattr(request.config, "workerinput", {}).get("kafka")
    if handed_over is not None:
        yield SharedKafka(*handed_over)
        return
    with KafkaBroker() as broker:
        yield SharedKafka(broker.bootstrap, broker.settings)


@pytest.fixture(scope="session")
def kafka_cluster() -> Iterator[KafkaCluster]:
    """Three nodes for the whole session; a test that stops one starts it again."""
    with KafkaCluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def secured_kafka() -> Iterator[SecuredKafka]:
    """A Kafka that asks who comes, with the topics, and each role with its rights; who changes any gives them back."""
    with SecuredKafka(PASSWORDS) as kafka:
        asyncio.run(_prepare(kafka))
        yield kafka


async def _prepare(kafka: SecuredKafka) -> None:
    await grant(kafka.bootstrap, chain.from_iterable(ROLES))
    code, said = await caller_of(kafka, CREATOR).run("topics", "--webhooks")
    assert (code, said.count("created")) == (0, 10), said


@pytest.fixture
def topic_prefix() -> str:
    """The beginning of topic and group names that belong to this test alone."""
    return f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}-{next(_numbers)}-"
