"""A real Prometheus on a free port, with rules, that scrapes what it is told to; asked over its HTTP API."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from stream.errors import LifecycleError
from stream.kafka.embedded.process import HOST, free_port

Samples = dict[str, list[tuple[float, float]]]
"""By series, as PromQL writes it: times in epoch seconds, and values."""
_START_SECONDS: Final = 30.0
_NOTATION: Final = ("__name__", "job", "instance")


class Prometheus:
    """One that runs."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def is_ready(self) -> bool:
        """Whether it answers questions."""
        try:
            async with self._session.get(f"{self._url}/-/ready") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def firing(self) -> set[str]:
        """Names of the alerts that fire now."""
        found = await self.api("alerts")
        return {each["labels"]["alertname"] for each in found["alerts"] if each["state"] == "firing"}

    async def ask(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The series of an expression now, labels and value."""
        found = await self.api("query", query=expression, time=str(time.time()))
        return [(series["metric"], float(series["value"][1])) for series in found["result"]]

    async def record(self, selector: str, begin: float, end: float) -> Samples:
        """What the series of a selector were in each second from `begin` to `end`, epoch seconds."""
        over = {"start": str(begin), "end": str(end), "step": "1"}
        found = await self.api("query_range", query=selector, **over)
        return {
            _notation(series["metric"]): [(float(at), float(value)) for at, value in series["values"]]
            for series in found["result"]
        }

    async def api(self, path: str, **asked: str) -> Any:
        """The data of an answer of its HTTP API. Raises LifecycleError where it does not take the question."""
        async with self._session.get(f"{self._url}/api/v1/{path}", params=asked) as response:
            body = await response.json()
        if body["status"] != "success":
            raise LifecycleError(f"Prometheus does not take {asked}: {body['error']}")
        return body["data"]


def _notation(labels: Mapping[str, str]) -> str:
    others = sorted(labels.keys() - set(_NOTATION))
    inside = ",".join(f'{name}="{labels[name]}"' for name in (*_NOTATION[1:], *others) if name in labels)
    return f"{labels['__name__']}{{{inside}}}"


@asynccontextmanager
async def prometheus(
    folder: Path, rules: Sequence[Path], targets: Sequence[tuple[str, str, int]]
) -> AsyncIterator[Prometheus]:
    """One that scrapes targets (job, instance, port) each second. Raises LifecycleError where it does not come up."""
    program = shutil.which("prometheus")
    if program is None:
        raise LifecycleError("Prometheus is missing here: tests/kit/deploy_tools.sh brings it")
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "900ms", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [
            {
                "job_name": job,
                "honor_labels": True,
                "static_configs": [
                    {"targets": [f"{HOST}:{port}"], "labels": {"instance": instance}}
                    for of, instance, port in targets
                    if of == job
                ],
            }
            for job in sorted({job for job, _, _ in targets})
        ],
    }
    (folder / "prometheus.yaml").write_bytes(orjson.dumps(config))  # JSON is YAML
    address = f"{HOST}:{free_port()}"
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program,
            f"--config.file={folder}/prometheus.yaml",
            f"--storage.tsdb.path={folder}/prometheus",
            f"--web.listen-address={address}",
            stdout=log,
            stderr=log,
        )
    try:
        async with aiohttp.ClientSession() as session:
            started = Prometheus(session, f"http://{address}")
            async with asyncio.timeout(_START_SECONDS):
                while not await started.is_ready():
                    if process.returncode is not None:
                        raise LifecycleError(f"Prometheus ended:\n{(folder / 'prometheus.log').read_text()[-2_000:]}")
                    await asyncio.sleep(0.05)
            yield started
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
