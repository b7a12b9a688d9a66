"""Which lifecycles were edited since the states of partitions were written, logged once for all of them."""

import logging
from collections.abc import Iterable, Mapping

from stream.events import Event, report
from stream.machine.batch import Machine

log = logging.getLogger(__name__)


class Edits:
    """Collects what recovered partitions know of edits, until `say`."""

    def __init__(self, digests: Mapping[str, str]) -> None:
        """`digests` are those of the lifecycles that this worker has."""
        self._digests = digests
        self._found: dict[tuple[str, str | None], list[int]] = {}
        self._known: dict[int, dict[str, str | None]] = {}

    def recovered(self, partition: int, machine: Machine) -> None:
        """A partition's state was restored by `machine`; what it has reported before is not reported again."""
        edited = dict(machine.edited)
        if self._known.get(partition) != edited:
            self._known[partition] = edited
            for lifecycle, before in edited.items():
                self._found.setdefault((lifecycle, before), []).append(partition)

    def given_up(self, partitions: Iterable[int]) -> None:
        """Their next owner may write them."""
        for partition in partitions:
            self._known.pop(partition, None)

    def say(self) -> None:
        """Log what was found since the last time."""
        found, self._found = self._found, {}
        for (lifecycle, before), partitions in sorted(found.items(), key=str):
            if before is None:
                report(
                    log.info,
                    Event.LIFECYCLE_ADDED,
                    "lifecycle {lifecycle} is new to the states of partitions {partitions}",
                    lifecycle=lifecycle,
                    digest=self._digests.get(lifecycle),
                    partitions=sorted(partitions),
                )
            else:
                report(
                    log.info,
                    Event.LIFECYCLE_EDITED,
                    "lifecycle {lifecycle} was edited since partitions {partitions} were last written "
                    "(digest {before}, now {digest})",
                    lifecycle=lifecycle,
                    before=before,
                    digest=self._digests.get(lifecycle),
                    partitions=sorted(partitions),
                )
