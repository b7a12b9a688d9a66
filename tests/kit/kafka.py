"""A real Apache Kafka for tests: one node in KRaft mode, with settings that start and rebalance fast."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from stream.errors import BrokerError
from stream.kafka.embedded.process import HOST, BrokerProcess, free_port

KAFKA = Path(__file__).parents[2] / "deploy" / "kafka"

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""A node that runs for seconds gains nothing from the optimising compiler, which takes most of its start."""
_CLUSTER_ID = "bGlmZWN5Y2xlLXRlc3RzMQ"  # 16 bytes in URL-safe base64, as Kafka wants them


class KafkaBroker:
    """One Apache Kafka node on free ports of 127.0.0.1, its data in a temporary directory.

        with KafkaBroker() as kafka:
            AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id="a")

    All methods block, for up to some seconds: from a coroutine, call them by `asyncio.to_thread`.
    `bootstrap` stays the same over `restart`, as does what was written.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        proxy_ports: Sequence[int] = (),
        format_options: Sequence[str] = (),
        for_speed: bool = False,
    ) -> None:
        """Prepare a node; `settings` are lines of server.properties that add to or replace the kit's own.

        For each of `proxy_ports` it listens on one of `behind_proxies` too, and sends whoever comes there on to that
        port, where a proxy for it must stand: whoever bootstraps from a proxy stays behind it. `format_options` are
        further ones of `kafka-storage.sh format`. `for_speed` is for measurements: it takes Java twice the work to come
        up, and then it is faster.
        """
        self._port, self.controller_port = free_port(), free_port()
        controller_port = self.controller_port
        self.behind_proxies = [free_port() for _ in proxy_ports]
        self.bootstrap = f"{HOST}:{self._port}"
        self.directory = Path(tempfile.mkdtemp(prefix="lifecycle-kafka-"))
        """Gone with the node."""
        self.log = self.directory / "kafka.log"
        self._format_options = format_options
        self._java_options = () if for_speed else _SHORT_LIVED
        self._properties = self.directory / "server.properties"
        self.settings = {
            **_development(),
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{HOST}:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.voters": f"1@{HOST}:{controller_port}",
            "log.dirs": str(self.directory / "data"),
            "group.min.session.timeout.ms": "1000",
            **(self._proxied(controller_port, proxy_ports) if proxy_ports else {}),
            **(settings or {}),
        }
        """Lines of server.properties, as they will be when it is first started."""
        self._process: BrokerProcess | None = None

    def _proxied(self, controller_port: int, proxy_ports: Sequence[int]) -> dict[str, str]:
        own, controller = f"PLAINTEXT://{self.bootstrap}", f"CONTROLLER://{HOST}:{controller_port}"
        names = [f"PROXIED_{number}" for number in range(len(proxy_ports))]
        behind = [f"{name}://{HOST}:{port}" for name, port in zip(names, self.behind_proxies, strict=True)]
        before = [f"{name}://{HOST}:{port}" for name, port in zip(names, proxy_ports, strict=True)]
        return {
            "listeners": ",".join([own, controller, *behind]),
            "advertised.listeners": ",".join([own, *before]),
            "listener.security.protocol.map": ",".join(
                f"{name}:PLAINTEXT" for name in ("PLAINTEXT", "CONTROLLER", *names)
            ),
        }

    def start(self) -> None:
        """Start the node, with the data it may have, and return once it answers.

        Raises BrokerError where Java or Kafka's jars are missing, or it does not come up.
        """
        if not self._properties.exists():
            self._format()
        self._process = BrokerProcess(
            [
                *java(
                    "-Xms256m",
                    "-Xmx512m",
                    *self._java_options,
                    f"-Dlog4j2.configurationFile={KAFKA / 'log4j2.properties'}",
                ),
                "kafka.Kafka",
                str(self._properties),
            ],
            port=self._port,
            log=self.log,
        )
        self._process.wait_until_answering(_START_SECONDS)

    def stop(self) -> None:
        """Shut the node down in order, its data kept; without effect where it is down."""
        if self._process is not None:
            self._process.stop(_STOP_SECONDS)

    def kill(self) -> None:
        """End the node at once (SIGKILL), its data kept; without effect where it is down."""
        if self._process is not None:
            self._process.kill()

    @property
    def pid(self) -> int:
        """The process of the node, which runs."""
        assert self._process is not None
        return self._process.pid

    def freeze(self) -> None:
        """Hold it where it is (SIGSTOP): it keeps its connections, and answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Start the node again on its ports and data, after shutting it down where it still runs."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BrokerError:
            shutil.rmtree(self.directory)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.directory)

    def _format(self) -> None:
        lines = [f"{name}={value}\n" for name, value in self.settings.items()]
        self._properties.write_text("".join(lines))
        formatted = subprocess.run(
            [
                *java(*_SHORT_LIVED),
                "kafka.tools.StorageTool",
                "format",
                "--config",
                str(self._properties),
                "--cluster-id",
                _CLUSTER_ID,
                *self._format_options,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if formatted.returncode:
            raise BrokerError(f"Kafka's storage could not be formatted:\n{formatted.stdout}{formatted.stderr}")


class SharedKafka(NamedTuple):
    """A node that other tests use at the same time: it cannot be stopped."""

    bootstrap: str
    settings: Mapping[str, str]
    """As of `KafkaBroker`."""


def _development() -> dict[str, str]:
    """The settings of a node on a developer's machine."""
    lines = (KAFKA / "development.properties").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def java(*options: str) -> list[str]:
    """The beginning of a command that runs a class of Kafka's jars, with these options of Java."""
    java, jars = KAFKA / "target" / "java", KAFKA / "target" / "jars"
    if not (java.exists() and jars.exists()):
        raise BrokerError("Java or the jars of Apache Kafka are missing here: run deploy/kafka/jars.sh once")
    return [str(java), f"-XX:SharedArchiveFile={KAFKA / 'target' / 'classes.jsa'}", *options, "-cp", f"{jars}/*"]
