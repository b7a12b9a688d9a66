"""What current-stages must say, kept as fingerprints, and whether it does."""

from collections.abc import Container, Mapping
from collections.abc import Set as AbstractSet

from xxhash import xxh3_128_digest

from stream.codec.plain import plain
from stream.codec.stage_change_reader import StageChangeValue, read_change
from stream.codec.stage_changes import current_key_of, split_current_key
from stream.core.customer import Life
from stream.operations.verification.findings import Difference, Findings, subject_of


class CurrentStages:
    """The latest change of each customer and lifecycle, over all partitions of interactions that are verified."""

    def __init__(self, findings: Findings, lifecycles: AbstractSet[str] | None = None) -> None:
        """Of `lifecycles` alone; None: of all."""
        self._findings = findings
        self._lifecycles = lifecycles
        self._open: set[bytes] = set()
        self._wanted: dict[bytes, tuple[int, bytes]] = {}
        """By key: whose partition it is, and the fingerprint of the value."""
        self._lives: dict[bytes, tuple[int, str, int, str]] = {}
        """Of lives out of reach: partition, born, sequence and stage."""
        self._found: dict[bytes, bytes] = {}
        self._latest: dict[bytes, StageChangeValue | None] = {}
        """The values that were found where none is wanted."""

    def expect(self, partition: int, key: bytes, value: bytes, *, gone: bool) -> None:
        """The latest change so far; `gone`: the customer was forgotten."""
        if gone:
            self._wanted.pop(key, None)
        else:
            self._wanted[key] = partition, xxh3_128_digest(value)

    def expect_life(self, partition: int, subject: bytes, lifecycle: str, life: Life) -> None:
        """The stage of a customer out of reach, from its record; `subject` is its changelog key."""
        self._lives[current_key_of(lifecycle, subject)] = partition, life.born, life.sequence, life.stage

    def expect_change(self, partition: int, subject: bytes, lifecycle: str, value: bytes) -> None:
        """The latest published change of a customer out of reach."""
        self._wanted[current_key_of(lifecycle, subject)] = partition, xxh3_128_digest(value)

    def leave_open(self, subject: bytes) -> None:
        """Accept further current stages of this customer: of lifecycles that were dropped nothing is known."""
        self._open.add(subject)

    def add(self, key: bytes | None, value: bytes | None, only: frozenset[bytes] | None) -> None:
        """A record of the topic, in its order."""
        if key is None or (only is not None and split_current_key(key)[1] not in only):
            return
        self._latest.pop(key, None)
        if value is None:
            self._found.pop(key, None)
            return
        self._found[key] = xxh3_128_digest(value)
        if key not in self._wanted:
            self._latest[key] = read_change(value)

    def finish(self, touched: Mapping[int, AbstractSet[bytes]], elsewhere: Container[bytes] = frozenset()) -> None:
        """Compare; `touched` are the changelog keys written since the cut, by partition that is verified.

        Those `elsewhere` have records in several partitions, of which the last to be written has the current stage.
        """
        for key in sorted(self._wanted.keys() | self._lives.keys() | self._found.keys()):
            wanted, life, latest = self._wanted.get(key), self._lives.get(key), self._latest.get(key)
            if wanted is not None:
                partition = wanted[0]
            elif life is not None:
                partition = life[0]
            elif latest is not None:
                partition = latest.source.partition
            else:
                partition = -1
            lifecycle, customer = split_current_key(key)
            if self._lifecycles is not None and lifecycle not in self._lifecycles:
                self._findings.counts["current stages of other lifecycles"] += 1
            elif customer in elsewhere:
                continue
            elif partition in touched and customer in touched[partition]:
                self._findings.counts["current stages changed meanwhile"] += 1
            elif partition in touched or partition == -1:
                self._compare(partition, key)

    def _compare(self, partition: int, key: bytes) -> None:
        lifecycle, customer = split_current_key(key)
        wanted, life = self._wanted.get(key), self._lives.get(key)
        found, latest = self._found.get(key), self._latest.get(key)
        if wanted is not None:
            problem = None if found == wanted[1] else "is another than the latest stage change"
        elif life is not None:
            same = latest is not None and (latest.born, latest.sequence, latest.to_stage) == life[1:]
            problem = None if same else f"is not that of the record: stage {life[3]}, change {life[2]} of {life[1]}"
        elif customer in self._open:
            self._findings.counts["current stages out of reach"] += 1
            return
        else:
            problem = "must be gone: there is no such customer"
        if problem is None:
            self._findings.counts["current stages"] += 1
            return
        if found is None:
            problem = "is missing"
        difference = Difference(partition, subject_of(customer), plain(lifecycle), f"the current stage {problem}")
        self._findings.differ(difference)
