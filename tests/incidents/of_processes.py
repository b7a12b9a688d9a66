"""Incidents of processes: killed, frozen, ended, cut off, of different versions, with bugs."""

import asyncio
import signal
from collections.abc import AsyncIterator

from tests.incidents.faulty_worker import DOOMED, EXPLODES
from tests.incidents.incident import again_and_again, incident
from tests.incidents.site import SHOP, Site
from tests.incidents.traffic import Traffic, interaction, record, write


@incident("kill", "a worker is killed", "ProcessDown")
async def kill(site: Site, _: Traffic) -> AsyncIterator[None]:
    await site.workers[0].end(signal.SIGKILL)
    yield
    await site.workers[0].start()


@incident("freeze", "a worker is held by SIGSTOP, as one in an endless loop", "ProcessDown")
async def freeze(site: Site, _: Traffic) -> AsyncIterator[None]:
    site.workers[0].send(signal.SIGSTOP)
    yield
    await site.workers[0].end(signal.SIGKILL)
    await site.workers[0].start()


@incident("role", "all workers are stopped", "RoleDown")
async def role(site: Site, _: Traffic) -> AsyncIterator[None]:
    await asyncio.gather(*(each.end() for each in site.workers))
    yield
    await asyncio.gather(*(each.start() for each in site.workers))


@incident("restarts", "a collector ends again and again", "ProcessRestarts", within=180)
async def restarts(site: Site, _: Traffic) -> AsyncIterator[None]:
    async def again() -> None:
        await site.collector.end(signal.SIGKILL)
        await site.collector.start()
        await site.collector.until_serving()

    async with again_and_again(again, 1.1):  # Prometheus sees it in between
        yield


@incident("unwatched", "a worker is replaced by one that Prometheus does not scrape", "PartitionsUnowned")
async def unwatched(site: Site, _: Traffic) -> AsyncIterator[None]:
    await site.workers[1].end()
    await site.unwatched.start()
    await site.unwatched.until_ready()
    yield
    await site.unwatched.end()
    await site.workers[1].start()


@incident("cut-off", "a worker does not reach Kafka", "KafkaUnreachable", "NotReady")
async def cut_off(site: Site, _: Traffic) -> AsyncIterator[None]:
    site.proxy.refuse()
    yield
    site.proxy.heal()


@incident("differ", "a worker has another version of the lifecycle", "WorkersDiffer", within=90)
async def differ(site: Site, _: Traffic) -> AsyncIterator[None]:
    edited = site.folder / "edited.yaml"
    edited.write_text(SHOP.read_text(encoding="utf-8").replace("heat: 1}", "heat: 2}"), encoding="utf-8")
    worker = site.workers[1]
    worker.extra["LIFECYCLE_LIFECYCLES"] = str(edited)
    await worker.end()
    await worker.start()
    yield
    del worker.extra["LIFECYCLE_LIFECYCLES"]
    await worker.end()
    await worker.start()


@incident(
    "bugs",
    "interactions, and deadlines, make the worker's code fail",
    *("Unprocessable", "Quarantined", "PartitionsStartOver"),
)
async def bugs(site: Site, _: Traffic) -> AsyncIterator[None]:
    odd = interaction("c-odd", note=EXPLODES.decode())
    doomed = interaction(f"c-{DOOMED.decode()}")
    await write(site, [record(odd), record(doomed)])
    yield
