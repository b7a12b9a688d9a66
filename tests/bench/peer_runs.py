"""Other engines, as `peers/` has them: install them below build/bench/peers, and run them on a topic."""

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xxhash

from tests.bench import children
from tests.kit.kafka import KAFKA

PROGRAMS = Path(__file__).parent / "peers"
PLAIN_PYTHON = {"PYTHONSAFEPATH": "", "PYTHONPATH": ""}
"""The environment of their interpreters: they import from their own folder, and nothing of our build."""
INSTALLED = Path(__file__).resolve().parents[2] / "build" / "bench" / "peers"
_PINS = "requirements.txt"
_HTTP_PINS = "http-requirements.txt"
_VENVS = {_PINS: "venv", _HTTP_PINS: "venv-http"}
"""The file that pins releases, and the virtual environment that has them."""
_STREAMS = PROGRAMS / "kafka-streams"
_STREAMS_CLASSES = f"{INSTALLED / 'kafka-streams' / 'classes'}{os.pathsep}{INSTALLED / 'kafka-streams' / 'lib'}/*"
_INSTALL_SECONDS = 600
_RUN_SECONDS = 240
"""Several times what a run is meant to take."""


class PeerFailed(Exception):
    """A peer cannot be installed or run here; the message says why, in one line."""


@dataclass(frozen=True)
class Peer:
    """One engine in one mode."""

    name: str
    title: str
    guarantee: str
    version: str
    commands: tuple[tuple[str, ...], ...]
    """Run in this order; the last does the job. {state} stands for an empty folder."""
    requirements: tuple[str, ...] = ()
    """What pip installs; none for what Maven builds."""
    pins: str = _PINS
    """The file that pins their releases."""
    events: int = 0
    """How many interactions keep it busy for about half a minute."""
    few_events: int = 0
    """As many, for some seconds."""


def peers() -> list[Peer]:
    """All of them, in the order in which they run."""
    java = (str(KAFKA / "target" / "java"), "-cp", _STREAMS_CLASSES, "Peer")
    python = str(_python(_PINS))
    streams = _pinned(_STREAMS / "pom.xml", r"<kafka\.version>(.+)</kafka\.version>")
    bytewax, quix, faust = (
        _pinned(PROGRAMS / _PINS, rf"^{name}==(.+)$") for name in ("bytewax", "quixstreams", "faust-streaming")
    )
    return [
        Peer(
            name="kafka-streams-eos",
            title="Kafka Streams, exactly_once_v2",
            guarantee="exactly once",
            version=streams,
            commands=((*java, "eos"),),
            events=800_000,
            few_events=200_000,
        ),
        Peer(
            name="kafka-streams",
            title="Kafka Streams",
            guarantee="at least once",
            version=streams,
            commands=((*java, "alo"),),
            events=1_000_000,
            few_events=200_000,
        ),
        Peer(
            name="bytewax",
            title="Bytewax, recovery store",
            guarantee="at least once",
            version=bytewax,
            requirements=("bytewax[kafka]", "orjson"),
            commands=(
                (python, "-m", "bytewax.recovery", "{state}", "1"),
                (python, "-m", "bytewax.run", "bytewax_flow:flow", "-r", "{state}", "-s", "5", "-b", "0"),
            ),
            events=1_000_000,
            few_events=200_000,
        ),
        Peer(
            name="quix",
            title="Quix Streams",
            guarantee="at least once",
            version=quix,
            requirements=("quixstreams", "orjson"),
            commands=((python, "quix_dataframe.py"),),
            events=600_000,
            few_events=150_000,
        ),
        Peer(
            name="faust",
            title="Faust, agent and table",
            guarantee="at least once",
            version=faust,
            requirements=("faust-streaming", "orjson"),
            commands=((python, "faust_agent.py", "worker", "--without-web", "-l", "warn"),),
            events=25_000,
            few_events=6_000,
        ),
    ]


def fastapi(module: str) -> Peer:
    """A collector that is written with FastAPI: a server, told its port by the last words of its command."""
    python = str(_python(_HTTP_PINS))
    return Peer(
        name="fastapi",
        title="FastAPI, uvicorn, aiokafka",
        guarantee="at least once",
        version=_pinned(PROGRAMS / _HTTP_PINS, r"^fastapi==(.+)$"),
        requirements=("fastapi", "uvicorn[standard]", "aiokafka", "orjson"),
        pins=_HTTP_PINS,
        commands=((python, "-m", "uvicorn", f"{module}:app", "--no-access-log", "--port"),),
    )


async def install(peer: Peer, say: Callable[[str], None]) -> None:
    """Make a peer ready to run, where it was not made ready from the very same files before.

    Raises PeerFailed where that cannot be done here.
    """
    stamp = INSTALLED / f"{'python-' + peer.name if peer.requirements else 'kafka-streams'}.installed"
    wanted = _fingerprint(peer)
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    say(f"installing {peer.title} {peer.version} (once)")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    if not peer.requirements:
        await _must(["mvn", "--batch-mode", "--quiet", "--file", str(_STREAMS / "pom.xml"), "package"])
    else:
        python = _python(peer.pins)
        if not python.exists():
            await _must([sys.executable, "-m", "venv", "--clear", str(python.parents[1])])
        quietly = ("--quiet", "--disable-pip-version-check", "--constraint", str(PROGRAMS / peer.pins))
        await _must([str(python), "-m", "pip", "install", *quietly, *peer.requirements])
    stamp.write_text(wanted, encoding="ascii")


async def run(
    peer: Peer, *, broker: str, topic: str, output: str, group: str, state: Path, events: int
) -> dict[str, Any]:
    """Let a peer do the job on so many interactions; `state` is an empty folder, `output` a topic that exists.

    Returns what it printed: seconds and cpu_seconds from its first interaction to the last.
    Raises PeerFailed where it printed nothing.
    """
    environment = {
        "BROKER": broker,
        "TOPIC": topic,
        "OUTPUT": output,
        "EVENTS": str(events),
        "GROUP": group,
        "STATE_DIR": str(state),
        # Where RocksDB unpacks its library: the Java peer ends too abruptly to remove it.
        "ROCKSDB_SHAREDLIB_DIR": str(state),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    ended = None
    for command in peer.commands:
        filled = [word.replace("{state}", str(state)) for word in command]
        ended = await _must(filled, environment, seconds=_RUN_SECONDS)
    lines = ended.output.splitlines() if ended is not None else []
    for line in lines:
        if line.startswith('{"name"'):
            figures: dict[str, Any] = json.loads(line)
            return figures
    raise PeerFailed("it ended without a figure")


async def _must(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, seconds: float = _INSTALL_SECONDS
) -> children.Ended:
    """Run a command in the programs' folder. Raises PeerFailed where it fails or takes too long."""
    try:
        ended = await children.run(command, PROGRAMS, {**PLAIN_PYTHON, **(environment or {})}, seconds=seconds)
    except TimeoutError:
        raise PeerFailed(f"it took longer than {seconds:.0f} s") from None
    except OSError as error:
        raise PeerFailed(f"{Path(command[0]).name}: {error.strerror}") from None
    if ended.code:
        raise PeerFailed(ended.why)
    return ended


def _python(pins: str) -> Path:
    return INSTALLED / _VENVS[pins] / "bin" / "python"


def _pinned(file: Path, pattern: str) -> str:
    found = re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise LookupError(f"{file.name} pins no release that looks like {pattern}")
    return found[1]


def _fingerprint(peer: Peer) -> str:
    """What an installation depends on, as a hash."""
    sources = (
        (PROGRAMS / peer.pins,) if peer.requirements else (_STREAMS / "pom.xml", *sorted(_STREAMS.rglob("*.java")))
    )
    seen = xxhash.xxh3_64(f"{sys.version_info[:2]} {peer.requirements}".encode())
    for source in sources:
        seen.update(source.read_bytes())
    return seen.hexdigest()
