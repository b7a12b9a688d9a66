"""A file that is read again when it changes, so that nobody restarts anything for a new token."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from stream.errors import SettingsError
from stream.events import Event, report

log = logging.getLogger(__name__)

T = TypeVar("T")

_LOOK_EVERY = 1.0
"""Seconds: so old what the file holds may be."""
_MAX_BYTES = 1 << 20
_State = tuple[int, int, int]


class WatchedFile(Generic[T]):
    """What a file holds, by `parse`, which raises SettingsError where it holds something else.

    A change that cannot be read is logged once, and what was read before stays: a slip of an editor locks nobody out.
    """

    def __init__(self, path: Path, parse: Callable[[str], T]) -> None:
        """Raises SettingsError where the file cannot be read now."""
        self.path = path
        self._parse = parse
        self._state = self._stat()
        self._value = self._read()
        self._looked = time.monotonic()

    @property
    def value(self) -> T:
        """What it held a second ago at the most."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_EVERY:
            self._looked = now
            self._look()
        return self._value

    def _look(self) -> None:
        state = self._stat()
        if state == self._state:
            return
        self._state = state
        try:
            self._value = self._read()
        except SettingsError as error:
            report(log.warning, Event.FILE_KEPT, "{reason}; what it held before stays in force", reason=str(error))
        else:
            report(log.info, Event.FILE_READ_AGAIN, "{path} changed and was read again", path=str(self.path))

    def _stat(self) -> _State | None:
        """What changes with the file; None where there is none."""
        try:
            found = os.stat(self.path)  # noqa: PTH116 as Path.stat, which costs a second object
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> T:
        try:
            with self.path.open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
        except OSError as error:
            raise SettingsError(f"{self.path}: {error.strerror}") from None
        if len(data) > _MAX_BYTES:
            raise SettingsError(f"{self.path}: larger than {_MAX_BYTES:,} bytes")
        try:
            return self._parse(data.decode())
        except UnicodeDecodeError:
            raise SettingsError(f"{self.path}: not UTF-8") from None
        except SettingsError as error:
            raise SettingsError(f"{self.path}: {error}") from None
