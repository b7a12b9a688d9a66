"""Customers with records in several partitions, or in one that is not theirs: a producer keys otherwise than we do."""

from collections.abc import Iterable

from stream.codec.partitioners import home_of, likely_cause_of
from stream.codec.records import SourceRecord
from stream.operations.verification.findings import Difference, Findings, subject_of

_SAMPLE = 1_000
"""Misplaced customers of a partition whose ids are looked at for the likely cause."""
_NUMBERS = {2: "two", 3: "three", 4: "four"}


class Homes:
    """Where each customer has a record, over all partitions that are verified."""

    def __init__(self, partitions: int, partitioner: str) -> None:
        """`partitions` of the interactions topic, among which `partitioner` chooses."""
        self.several: dict[bytes, list[int]] = {}
        """Changelog keys of those with records in several partitions, and these."""
        self._partitions = partitions
        self._partitioner = partitioner
        self._first: dict[bytes, int] = {}
        self._misplaced: dict[int, list[bytes]] = {}
        self._keys: dict[int, set[bytes | None]] = {}
        """By partition: those of the sample that are the key of an interaction there; None: some have no key."""
        self._counts: dict[int, int] = {}

    def add(self, partition: int, keys: Iterable[bytes]) -> None:
        """The changelog keys of the customers who have a record in this partition."""
        for key in keys:
            first = self._first.setdefault(key, partition)
            if first != partition:
                self.several.setdefault(key, [first]).append(partition)
            if home_of(self._partitioner, key, self._partitions, 1) != partition:
                self._counts[partition] = self._counts.get(partition, 0) + 1
                sample = self._misplaced.setdefault(partition, [])
                if len(sample) < _SAMPLE:
                    sample.append(key[1:])

    def look(self, partition: int, records: Iterable[SourceRecord]) -> None:
        """Interactions of a partition, after its customers: by what they are keyed."""
        sample = self._misplaced.get(partition)
        if sample is not None:
            subjects = {None, *sample}
            keys = self._keys.setdefault(partition, set())
            keys.update(record.key for record in records if record.key in subjects)

    def finish(self, findings: Findings) -> None:
        """Several records are a difference; one in a strange partition is said, as all of it is right there."""
        causes = {partition: self._cause(partition, sample) for partition, sample in self._misplaced.items()}
        for key, partitions in sorted(self.several.items()):
            lives = f"{_NUMBERS.get(len(partitions), str(len(partitions)))} lives"
            cause = next(causes[each] for each in partitions if each in causes and self._is_strange(key, each))
            where = f"{', '.join(map(str, partitions[:-1]))} and {partitions[-1]}"
            problem = f"has records in partitions {where}: {lives}, since its interactions are {cause}"
            findings.differ(Difference(partitions[0], subject_of(key), "", problem))
        for partition, count in sorted(self._counts.items()):
            findings.counts["misplaced customers"] += count
            customers = "1 customer belongs" if count == 1 else f"{count:,} customers belong"
            findings.notes.append(
                f"partition {partition}: {customers} in another partition. Likely cause: {causes[partition]}"
            )

    def _is_strange(self, key: bytes, partition: int) -> bool:
        return home_of(self._partitioner, key, self._partitions, 1) != partition

    def _cause(self, partition: int, sample: list[bytes]) -> str:
        keys = self._keys.get(partition, set())
        keyed = [(None if None in keys and subject not in keys else subject, subject) for subject in sample]
        return likely_cause_of(keyed, partition, self._partitions, self._partitioner) or ""
