"""Which lifecycles each worker of a group has, and a warning where they are not the same.

Each worker puts its own beside its subscription when it joins the group (`stream.engine.assignor`), and looks every
few seconds at what the group's coordinator reports of all members: the topic monitor asks for that anyway, and whoever
may read in a group may also see it. So a worker sees the others whoever leads the group, also while they have nothing
to do, and needs no topic, no address of theirs and no further grant. A broker that does not report members is not asked
again, and nothing is said of others then: that is no sign that they agree.
"""

import logging
import os
import socket
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from stream.core.lifecycle import Lifecycle
from stream.events import Event, report

log = logging.getLogger(__name__)


class LifecycleVersion(msgspec.Struct, frozen=True):
    """Which edit of a lifecycle."""

    version: int
    """As its author counts; edits may forget to."""
    digest: str
    """Equal for lifecycles that mean the same; `lifecycle validate` shows that of a file."""

    def __str__(self) -> str:
        """For a sentence."""
        return f"version {self.version} (digest {self.digest})"


class WorkerVersions(msgspec.Struct, frozen=True):
    """What a worker says of itself to others; it goes over the network, so new fields need a default."""

    worker: str
    """Host and process id."""
    product: str
    """The release, such as 1.2.0."""
    lifecycles: dict[str, LifecycleVersion]
    settings: dict[str, str]
    """Those that decide what interactions lead to."""

    def differences(self, other: "WorkerVersions") -> list[str]:
        """What `other` has that we have not, and the other way round; the release does not count."""
        found = []
        for name in sorted(self.lifecycles.keys() | other.lifecycles.keys()):
            ours, theirs = self.lifecycles.get(name), other.lifecycles.get(name)
            if theirs is None:
                found.append(f"no lifecycle {name}")
            elif ours is None:
                found.append(f"lifecycle {name} {theirs}, which is not here")
            elif ours.digest != theirs.digest:
                found.append(f"lifecycle {name} {theirs}, here {ours}")
        return found + [
            f"{name} {other.settings[name]}, here {value}"
            for name, value in self.settings.items()
            if other.settings.get(name, value) != value
        ]


def versions_of(lifecycles: Iterable[Lifecycle], product: str, settings: Mapping[str, str]) -> WorkerVersions:
    """What this process says of itself; `settings` are those that decide."""
    return WorkerVersions(
        worker=f"{socket.gethostname()}:{os.getpid()}",
        product=product,
        lifecycles={each.id: LifecycleVersion(each.version, each.digest.hex()) for each in lifecycles},
        settings=dict(settings),
    )


class Member(NamedTuple):
    """A worker of the group, as the coordinator reports it."""

    name: str
    """Its id in the group."""
    host: str
    """The address that the broker sees."""
    versions: WorkerVersions | None
    """None: of a release that says nothing of itself."""
    url: str = ""
    """Where it says that it is reached; empty where it does not say."""


class OtherWorker(msgspec.Struct, frozen=True, order=True):
    """A worker of the group that has not what we have."""

    worker: str
    """Host and process id; the member's id where it is of a release that does not say."""
    host: str
    """The address that the broker sees."""
    product: str | None
    lifecycles: dict[str, LifecycleVersion] | None
    """None: it does not say."""
    differences: list[str]
    """In words."""

    def __str__(self) -> str:
        """For a sentence."""
        return f"{self.worker} at {self.host} ({'; '.join(self.differences)})"


class GroupVersions:
    """The workers of our group, as last heard of."""

    def __init__(self, ours: WorkerVersions) -> None:
        self.ours = ours
        self.others: list[OtherWorker] | None = None
        """Those that have other lifecycles, or settings that decide; None while the broker did not report members."""
        self._heard: list[Member] | None = None

    def heard(self, members: Iterable[Member]) -> None:
        """Note what the coordinator reports of all members; warn where others differ than the last time."""
        self._heard = list(members)
        others = sorted(filter(None, map(self._compare, self._heard)), key=lambda other: (other.worker, other.host))
        before, self.others = self.others, others
        if others and others != before:
            report(
                log.warning,
                Event.WORKERS_DIFFER,
                "workers of this group differ, and what happens to a customer depends on who has the partition: "
                "{others}. That is right while workers are replaced one after the other; else give all of them the "
                "same lifecycle files and settings",
                others=others,
                lifecycles=self.ours.lifecycles,
            )
        elif before and not others:
            report(
                log.info,
                Event.WORKERS_AGREE,
                "the workers of this group ({workers}) have the same lifecycles and settings again",
                workers=len(self._heard),
            )

    @property
    def urls(self) -> set[str]:
        """Where members of the group are reached, those without partitions too, as far as the broker reports them."""
        return {each.url for each in self._heard or () if each.url}

    def distinct(self) -> dict[str, int]:
        """How many versions of each lifecycle the group has, one being that a worker lacks it or does not say which.

        Empty while the broker did not report members.
        """
        if self._heard is None:
            return {}
        seen = [self.ours.lifecycles, *(each.versions.lifecycles if each.versions else {} for each in self._heard)]
        names = sorted({name for lifecycles in seen for name in lifecycles})
        return {
            name: len({lifecycles[name].digest if name in lifecycles else None for lifecycles in seen})
            for name in names
        }

    def _compare(self, member: Member) -> OtherWorker | None:
        theirs = member.versions
        if theirs is None:
            return OtherWorker(member.name, member.host, None, None, ["a release that does not say which lifecycles"])
        differences = self.ours.differences(theirs)
        if not differences:
            return None
        return OtherWorker(theirs.worker, member.host, theirs.product, theirs.lifecycles, differences)
