"""Run the program of an SDK: it is told what to send on stdin, and says at its end what it did."""

import asyncio
import contextlib
import json
import os
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench import children
from tests.sdks import installing
from tests.sdks.calls import Call
from tests.sdks.sdks import SENDERS, Sdk

_SECONDS = 300


class Sent(NamedTuple):
    """What a program did, by its own account."""

    began: int
    ended: int
    """Epoch milliseconds."""
    made: int
    """Calls."""
    given_up: list[str]
    """What the SDK told of calls that it did not deliver; and whom a browser asked besides the collector."""


class SenderError(Exception):
    """The program failed."""


class Sender:
    """A program that runs."""

    def __init__(self, sdk: Sdk, url: str, key: str, log: Path, *, page_port: int = 0) -> None:
        """`page_port`: where the page of a browser is."""
        self._sdk, self._url, self._key, self._log, self._page_port = sdk, url, key, log, page_port

    async def send(self, bursts: Sequence[Sequence[Call]]) -> Sent:
        """Make these calls, and wait for the SDK after each burst."""
        await self._start({"bursts": [[call.plain() for call in burst] for burst in bursts], "users": []})
        return await self.ended()

    async def run(self, program: str) -> None:
        """Run a program as a document has it, to its end. Raises SenderError."""
        folder = self._log.parent
        if self._sdk.is_of_a_browser:
            await self._start({"bursts": [], "users": [], "program": program})
            await self.ended()
            return
        match self._sdk.language:
            case "java":
                file, command = folder / "Shop.java", [installing.java(), "-cp", installing.CLASSES[1]]
            case "python":
                file, command = folder / f"document-{self._sdk.slug}.py", [str(installing.PYTHON)]
            case _:
                file = installing.NODE_FOLDER / f"document-{self._sdk.slug}.mjs"
                command = [installing.node()]
        file.write_text(program, encoding="utf-8")
        ended = await children.run([*command, str(file)], folder, _environment(self._sdk), seconds=_SECONDS)
        if ended.code:
            raise SenderError(f"its program in the document ended with {ended.code}: {ended.why}")

    async def ping(self, users: Sequence[str], pause: float) -> None:
        """Make calls until `ended` is called, one each `pause` seconds, of these users in turn."""
        await self._start({"bursts": [], "users": list(users), "pause": pause})

    async def ended(self) -> Sent:
        """Let it end, and wait until it did. Raises SenderError."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(_SECONDS):
                assert self._process.stdout is not None
                said = await self._process.stdout.read()
                code = await self._process.wait()
        except TimeoutError:
            raise SenderError(f"{self._sdk.package} did not end within {_SECONDS} s; see {self._log}") from None
        finally:
            await self.kill()
        if code:
            tail = self._log.read_text(errors="replace")[-2_000:]
            raise SenderError(f"{self._sdk.package} ended with {code}:\n{tail}")
        return Sent(**json.loads(said.splitlines()[-1]))

    async def kill(self) -> None:
        """End it, where it runs."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _start(self, plan: dict[str, object]) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(), stdin=PIPE, stdout=PIPE, stderr=log, env=_environment(self._sdk), cwd=self._log.parent
            )
        whole = {"url": self._url, "key": self._key, "page_port": self._page_port, **plan}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(whole).encode() + b"\n")
        await self._process.stdin.drain()

    def _command(self) -> Sequence[str]:
        if self._sdk.language == "python":
            return (str(installing.PYTHON), str(SENDERS / "python.py"), self._sdk.module)
        if self._sdk.language == "java":
            return (installing.java(), "-cp", os.pathsep.join(installing.CLASSES), "Sender")
        program = installing.NODE_FOLDER / f"{self._sdk.language}.mjs"
        return (installing.node(), str(program), self._sdk.module)


def _environment(sdk: Sdk) -> dict[str, str]:
    """Everybody's zone is the same, so that what is recorded tells nothing of a machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LIFECYCLE_", "PYTHON"))}
    chromium = {"CHROMIUM": installing.browser()} if sdk.is_of_a_browser else {}
    return {**kept, **chromium, "TZ": "UTC", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
