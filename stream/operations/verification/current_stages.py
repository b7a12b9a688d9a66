"""What current-stages must say, kept as fingerprints, and whether it does."""

from collections.abc import Container, Mapping
from collections.abc import Set as AbstractSet

import msgspec
from xxhash import xxh3_128_digest

from stream.core.customer import Life
from stream.operations.verification.findings import Difference, Findings, plain


class _Source(msgspec.Struct):
    partition: int


class _Latest(msgspec.Struct):
    born: str
    sequence: int
    to: str | None
    source: _Source


_decoder = msgspec.json.Decoder(_Latest)


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
        self._told: dict[bytes, _Latest | None] = {}

    def expect(self, partition: int, key: bytes, value: bytes, *, gone: bool) -> None:
        """The latest change so far; `gone`: the customer was forgotten."""
        if gone:
            self._wanted.pop(key, None)
        else:
            self._wanted[key] = partition, xxh3_128_digest(value)

    def expect_life(self, partition: int, subject: bytes, lifecycle: str, life: Life) -> None:
        """What the record of a customer says who cannot be recomputed; `subject` is its changelog key."""
        self._lives[_key(subject, lifecycle)] = partition, life.born, life.sequence, life.stage

    def expect_change(self, partition: int, subject: bytes, lifecycle: str, value: bytes) -> None:
        """The latest published change of a customer who cannot be recomputed."""
        self._wanted[_key(subject, lifecycle)] = partition, xxh3_128_digest(value)

    def leave_open(self, subject: bytes) -> None:
        """Of this customer nothing is known but what was said: there may be others of lifecycles that were dropped."""
        self._open.add(subject)

    def take(self, key: bytes | None, value: bytes | None, only: frozenset[bytes] | None) -> None:
        """A record of the topic, in its order."""
        if key is None or (only is not None and _subject(key) not in only):
            return
        self._told.pop(key, None)
        if value is None:
            self._found.pop(key, None)
            return
        self._found[key] = xxh3_128_digest(value)
        if key not in self._wanted:
            try:
                self._told[key] = _decoder.decode(value)
            except msgspec.DecodeError:
                self._told[key] = None

    def finish(self, touched: Mapping[int, AbstractSet[bytes]], elsewhere: Container[bytes] = frozenset()) -> None:
        """Compare; `touched` are the changelog keys written since the cut, by partition that is verified.

        Those `elsewhere` have records in several partitions, of which the last to be written has the current stage.
        """
        for key in sorted(self._wanted.keys() | self._lives.keys() | self._found.keys()):
            wanted, life, latest = self._wanted.get(key), self._lives.get(key), self._told.get(key)
            if wanted is not None:
                partition = wanted[0]
            elif life is not None:
                partition = life[0]
            elif latest is not None:
                partition = latest.source.partition
            else:
                partition = -1
            if self._lifecycles is not None and _parts(key)[0] not in self._lifecycles:
                self._findings.counts["current stages of other lifecycles"] += 1
            elif _subject(key) in elsewhere:
                continue
            elif partition in touched and _subject(key) in touched[partition]:
                self._findings.counts["current stages changed meanwhile"] += 1
            elif partition in touched or partition == -1:
                self._compare(partition, key)

    def _compare(self, partition: int, key: bytes) -> None:
        wanted, life = self._wanted.get(key), self._lives.get(key)
        found, latest = self._found.get(key), self._told.get(key)
        if wanted is not None:
            problem = None if found == wanted[1] else "is another than the latest stage change"
        elif life is not None:
            same = latest is not None and (latest.born, latest.sequence, latest.to) == life[1:]
            problem = None if same else f"is not that of the record: stage {life[3]}, change {life[2]} of {life[1]}"
        elif _subject(key) in self._open:
            self._findings.counts["current stages out of reach"] += 1
            return
        else:
            problem = "must be gone: there is no such customer"
        if problem is None:
            self._findings.counts["current stages"] += 1
            return
        if found is None:
            problem = "is missing"
        lifecycle, kind, subject = _parts(key)
        difference = Difference(partition, f"{kind} {subject}".strip(), lifecycle, f"the current stage {problem}")
        self._findings.differ(difference)


def _key(subject: bytes, lifecycle: str) -> bytes:
    """The key of a customer's changelog key."""
    kind = b"anonymous" if subject[:1] == b"a" else b"customer"
    return b":".join((lifecycle.encode(), kind, subject[1:]))


def _parts(key: bytes) -> tuple[str, str, str]:
    lifecycle, _, rest = key.decode(errors="replace").partition(":")
    kind, _, subject = rest.partition(":")
    return plain(lifecycle), plain(kind), plain(subject)


def _subject(key: bytes) -> bytes:
    """The changelog key of a current-stages key."""
    _, _, rest = key.partition(b":")
    kind, _, subject = rest.partition(b":")
    return (b"a" if kind == b"anonymous" else b"c") + subject
