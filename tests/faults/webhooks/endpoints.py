"""The file of endpoints of a run, and its edits."""

import random
import socket
from pathlib import Path

from stream.kafka.embedded.process import HOST
from tests.faults.fleet import PROCESS
from tests.faults.webhooks.moods import MOODS, TIMEOUT
from tests.faults.webhooks.receiver import SENDER
from tests.kit.webhooks import PICKY, VARIABLE

WANTED_BY: dict[str, str] = {"latest": "vip", "picky": "vip", "narrow": "vip", "dead": "vip"}
"""By endpoint that wants not all, the stage whose changes it wants."""
MOST_WAITING = 60
"""Of `gone`, on a partition; the oldest are given up beyond it."""
ENDPOINTS = (*MOODS, "dead")


class EndpointFile:
    """`webhooks.yaml`, written anew at each edit."""

    def __init__(self, folder: Path, seed: int, *, calm_port: int, rough_port: int) -> None:
        """`steady` is on `calm_port`, which is always there; all others are on `rough_port`."""
        self.path = folder / "webhooks.yaml"
        self._template = folder / "picky.yaml"
        self._template.write_text(PICKY, encoding="utf-8")
        self._chance = random.Random(f"{seed} edits")
        self._calm, self._rough = calm_port, rough_port
        self.left_out: set[str] = set()
        """Endpoints that are not in the file."""
        self.off: set[str] = set()
        """Endpoints that are not enabled."""
        self._nobody = socket.socket()
        self._nobody.bind((HOST, 0))  # taken, and nobody listens: whoever dials is refused

    def write(self) -> None:
        """Write it, with numbers that matter to nothing but speed drawn anew."""
        names = [each for each in ENDPOINTS if each not in self.left_out]
        self._chance.shuffle(names)
        made = self.path.with_suffix(".new")
        made.write_text("endpoints:\n" + "".join(map(self._endpoint, names)), encoding="utf-8")
        made.replace(self.path)

    def close(self) -> None:
        """Let go of the port of `dead`."""
        self._nobody.close()

    def _endpoint(self, name: str) -> str:
        port = {"steady": self._calm, "dead": self._nobody.getsockname()[1]}.get(name, self._rough)
        lines = [
            f"  {name}:",
            f"    template: {'./picky.yaml' if name == 'picky' else 'generic'}",
            f"    values: {{url: 'http://{HOST}:{port}/{name}'}}",
            f"    secrets: [{{env: {VARIABLE}}}]",
            f"    headers: {{{SENDER}: {{env: {PROCESS}}}}}",
            f"    timeout: {TIMEOUT * 1_000:.0f}ms",
            f"    concurrency: {self._chance.choice((4, 8, 16)) if name != 'narrow' else 2}",
        ]
        if name in WANTED_BY:
            lines.append(f"    when: 'to == \"{WANTED_BY[name]}\"'")
        if name == "latest":
            lines.append("    only: latest")
        if name == "gone":
            lines.append(f"    most_waiting: {MOST_WAITING}")
        if name == "narrow":
            lines.append("    rate: 40/s")
        if name in self.off:
            lines.append("    enabled: false")
        return "\n".join(lines) + "\n"
