"""A stretch of normal traffic, then one incident after the other: broken, told, mended."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiokafka.errors import KafkaError

from stream.errors import LifecycleError
from tests.incidents.hurry import families
from tests.incidents.incident import Incident
from tests.incidents.recording import TAIL, save, series_of
from tests.incidents.site import Site, site
from tests.incidents.traffic import Traffic, flowing
from tests.incidents.watch import Watch, watching

QUIET_SECONDS: Final = 150.0
"""Two minutes stand for a day, so that yesterday is known, and some more."""
_RECORDED_SECONDS: Final = 30
_LONGEST: Final = 150
"""Seconds of an incident that are recorded at most, its last ones."""
_BEFORE_SECONDS: Final = 120.0
_OVER_SECONDS: Final = 420.0
"""What failed at a tool is tried again after five minutes."""
_DRAIN_SECONDS: Final = 240.0
_LAG: Final = 'lifecycle_lag_records{job="lifecycle-worker"}'
_UNDER_WAY: Final = 500
"""Interactions that may wait in normal traffic."""
NORMAL: Final = "normal"

Say = Callable[[str], None]


@dataclass
class Fate:
    """Of an alert in an incident."""

    incident: Incident
    alert: str
    fired: float | None = None
    """Seconds from the beginning of the incident; None: it did not fire."""
    over: float | None = None
    """Seconds from when it was mended; None: it fires still."""


@dataclass
class Outcome:
    """What happened."""

    fates: list[Fate] = field(default_factory=list)
    noise: set[str] = field(default_factory=set)
    """Alerts that fired while traffic was normal."""
    unmended: dict[str, str] = field(default_factory=dict)
    """By incident, why the product did not come back, or the incident could not be brought about."""
    beside: dict[str, set[str]] = field(default_factory=dict)
    """By incident, alerts that fired beside those that were to fire."""

    @property
    def good(self) -> bool:
        """All fired, and ceased to; none in normal traffic."""
        return (
            not self.noise
            and not self.unmended
            and all(each.fired is not None and each.over is not None for each in self.fates)
        )


class _Run:
    def __init__(self, place: Site, traffic: Traffic, watch: Watch, say: Say, record: Path | None) -> None:
        self.site, self.traffic, self.watch, self.say, self.record = place, traffic, watch, say, record
        self.outcome = Outcome()
        self.mended: dict[str, float] = {}

    async def quiet(self, seconds: float) -> None:
        self.say(f"normal traffic for {seconds:.0f} s")
        await asyncio.sleep(seconds)
        self.outcome.noise = self.watch.fired
        await self._keep(NORMAL, _RECORDED_SECONDS)

    async def happen(self, incident: Incident) -> None:
        if not await self.watch.until_quiet(incident.alerts, _BEFORE_SECONDS):
            self.say(f"{incident.name}: its alerts fire before it begins")
        self.watch.forget()
        before = set(self.watch.since)
        self.say(f"{incident.name}: {incident.what}")
        began = time.monotonic()
        async with incident.harm(self.site, self.traffic):
            if not await self.watch.until_firing(incident.alerts, incident.within - (time.monotonic() - began)):
                missing = sorted(set(incident.alerts) - self.watch.fired)
                self.say(f"  not fired within {incident.within:.0f} s: {', '.join(missing)}")
            for alert in incident.alerts:
                fired = self.watch.first.get(alert)
                self.outcome.fates.append(Fate(incident, alert, None if fired is None else fired - began))
                if fired is not None:
                    self.say(f"  {alert} after {fired - began:.0f} s")
            self.outcome.beside[incident.name] = self.watch.fired - before - set(incident.alerts)
            if self.record is not None:
                await asyncio.sleep(TAIL + 2)  # what is repeated when it is stretched is all of the incident
            await self._keep(incident.name, min(int(time.monotonic() - began) + 2, _LONGEST))
        for each in self.site.watched:
            if not each.runs:  # as systemd or Kubernetes does
                await each.start()
        mended = time.monotonic()
        self.mended[incident.name] = mended
        await asyncio.gather(*(each.until_ready() for each in self.site.watched))
        await self._drained()
        self.say(f"  mended; all are ready, and nothing waits, {time.monotonic() - mended:.0f} s later")

    async def end(self) -> None:
        self.say("waiting until nothing fires any more")
        await self.watch.until_quiet(None, _OVER_SECONDS)
        for fate in self.outcome.fates:
            mended = self.mended.get(fate.incident.name)
            if fate.alert not in self.watch.since and fate.fired is not None and mended is not None:
                over = next((each for each in self.watch.over.get(fate.alert, ()) if each >= mended), None)
                fate.over = 0.0 if over is None else over - mended

    async def _drained(self) -> None:
        """Return once workers have processed what waited. Raises TimeoutError where they do not."""
        async with asyncio.timeout(_DRAIN_SECONDS):
            while sum([lag for _, lag in await self.site.prometheus.ask(_LAG)]) > _UNDER_WAY:
                await asyncio.sleep(1)

    async def _keep(self, name: str, seconds: int) -> None:
        if self.record is None:
            return
        end = float(int(time.time()) - 1)
        selector = f'{{__name__=~"{"|".join(families())}"}}'
        samples = await self.site.prometheus.record(selector, end - seconds, end)
        save(name, series_of(samples, end - seconds, end), self.record)


async def run(
    incidents: Sequence[Incident], folder: Path, say: Say, *, quiet: float = QUIET_SECONDS, record: Path | None = None
) -> Outcome:
    """All of them, in a site of their own; with `record` what the processes said is kept in that folder.

    Raises LifecycleError where the site cannot be started.
    """
    say("starting Kafka, two workers, a collector, webhooks and Prometheus")
    async with site(folder) as place, flowing(place) as traffic, watching(place.prometheus) as watch:
        made = _Run(place, traffic, watch, say, record)
        await made.quiet(quiet)
        for incident in incidents:
            try:
                await made.happen(incident)
            except (LifecycleError, KafkaError, OSError, TimeoutError) as error:
                made.outcome.unmended[incident.name] = str(error) or type(error).__name__
                say(f"  not mended: {made.outcome.unmended[incident.name]}")
        await made.end()
        return made.outcome
