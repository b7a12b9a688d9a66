"""The dead letters of one partition of interactions, held against the interactions that cannot be read."""

from stream.codec.records import SourceRecord
from stream.operations.verification.findings import Difference, Findings

_UNPROCESSABLE = "unprocessable"
_UNREADABLE = "unreadable"


class DeadLetterCheck:
    """Reasons by source offset."""

    def __init__(self, topic: str, partition: int, findings: Findings, *, exactly_once: bool) -> None:
        self.cut = False
        """The oldest may have been deleted."""
        self._topic = topic
        self._partition = partition
        self._findings = findings
        self._exactly_once = exactly_once
        self._reasons: dict[int, list[str]] = {}
        self._until: dict[int, int] = {}
        """Of batches that were skipped: the offset behind each."""
        self._first: int | None = None

    def add(self, record: SourceRecord) -> None:
        """A record of the topic of dead letters; those of other partitions do not matter."""
        told = {name: value.decode(errors="replace") for name, value in record.headers if name.startswith("lifecycle_")}
        place, offset = (told.get("lifecycle_topic"), told.get("lifecycle_partition")), told.get("lifecycle_offset", "")
        if place == (self._topic, str(self._partition)) and offset.isdecimal():
            if self._first is None:
                self._first = int(offset)
            if (until := told.get("lifecycle_until", "")).isdecimal():
                self._until[int(offset)] = int(until)
            self._reasons.setdefault(int(offset), []).append(told.get("lifecycle_reason", ""))

    def is_unprocessable(self, offset: int) -> bool:
        """Whether our own code failed on that interaction, so that it had no effect."""
        return _UNPROCESSABLE in self._reasons.get(offset, ())

    def skipped_until(self, offset: int) -> int | None:
        """Where it goes on behind what could not be read there and was left out by `lifecycle skip`; None: it was not.

        That there is a dead letter for it is right, then.
        """
        if _UNREADABLE not in self._reasons.get(offset, ()):
            return None
        del self._reasons[offset]
        self._findings.counts["dead letters"] += 1
        return self._until.get(offset, offset + 1)

    def check(self, offset: int, reason: str | None) -> None:
        """An interaction was read; with a reason it must be among the dead letters, once."""
        if reason is None:
            return
        found = self._reasons.pop(offset, [])
        if not found and self.cut and (self._first is None or offset <= self._first):
            return
        if not found:
            self._differ(f"the interaction at offset {offset} has no dead letter, must have one: {reason}")
        elif reason not in found:
            self._differ(f"the dead letter of offset {offset} says {', '.join(found)}, must say {reason}")
        elif len(found) > 1 and self._exactly_once:
            self._differ(f"the interaction at offset {offset} has {len(found)} dead letters, must have one")
        else:
            self._findings.counts["dead letters"] += 1

    def finish(self, begin: int, end: int) -> None:
        """What is left, of interactions from `begin` to before `end`, can be read."""
        for offset in sorted(self._reasons):
            if begin <= offset < end:
                self._differ(f"the interaction at offset {offset} has a dead letter, but can be read")

    def _differ(self, problem: str) -> None:
        self._findings.differ(Difference(self._partition, "", "", problem))
