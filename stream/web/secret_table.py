"""What belongs to a secret that somebody sends: looked up in a time that tells nothing of the secrets there are."""

import secrets
from collections.abc import Iterable
from hashlib import blake2b
from typing import Generic, TypeVar

T = TypeVar("T")


class SecretTable(Generic[T]):
    """Values by secret. The secrets themselves are not kept: only digests with a key that this process drew.

    How long a look-up takes depends on the digest of what was sent, which nobody outside can know or steer.
    """

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        self._keyed = blake2b(key=secrets.token_bytes(32), digest_size=32)
        self._values = {self._digest(secret): value for secret, value in entries}

    def find(self, given: str) -> T | None:
        """What belongs to this secret; None where there is none like it."""
        return self._values.get(self._digest(given))

    def __len__(self) -> int:
        return len(self._values)

    def _digest(self, secret: str) -> bytes:
        digest = self._keyed.copy()
        digest.update(secret.encode("utf-8", "surrogateescape"))
        return digest.digest()
