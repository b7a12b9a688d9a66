"""Files that are read again when they change, so that nobody restarts anything for a new token or endpoint."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from stream.errors import LifecycleError, SettingsError
from stream.events import Event, report

log = logging.getLogger(__name__)

T = TypeVar("T")

_LOOK_EVERY = 1.0
"""Seconds: so old what the files hold may be."""
_MAX_BYTES = 1 << 20
_State = tuple[int, int, int]


class FileReads:
    """Reads files, and knows afterwards whether one of them changed, came or went."""

    def __init__(self) -> None:
        self._states: dict[Path, _State | None] = {}

    def read(self, path: Path) -> bytes:
        """What a file holds, at most a mebibyte. Raises SettingsError."""
        self.note(path)
        try:
            with path.open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
        except OSError as error:
            raise SettingsError(f"{path}: {error.strerror}") from None
        except ValueError as error:  # a name that no file can have
            raise SettingsError(f"{str(path)!r}: {error}") from None
        if len(data) > _MAX_BYTES:
            raise SettingsError(f"{path}: larger than {_MAX_BYTES:,} bytes")
        return data

    def note(self, path: Path) -> None:
        """Remember a file that somebody else is about to read."""
        if path not in self._states:
            self._states[path] = _state_of(path)

    def changed(self) -> bool:
        """Whether what is read now would be something else."""
        for path, state in self._states.items():
            if _state_of(path) != state:
                return True
        return False


class WatchedFiles(Generic[T]):
    """What some files hold together, by `read`, which reads each of them by the FileReads that it is given.

    `read` raises LifecycleError for what cannot be used. A change like that is logged once, and what was read before
    stays: a slip of an editor locks nobody out.
    """

    def __init__(self, path: Path, read: Callable[[FileReads], T]) -> None:
        """`path` is the file that names the others. Raises what `read` raises where they cannot be used now."""
        self.path = path
        self._read = read
        self._reads = FileReads()
        self._value = read(self._reads)
        self._looked = time.monotonic()

    @property
    def value(self) -> T:
        """What they held a second ago at the most."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_EVERY:
            self._looked = now
            self._look()
        return self._value

    def _look(self) -> None:
        if not self._reads.changed():
            return
        self._reads = FileReads()
        try:
            self._value = self._read(self._reads)
        except LifecycleError as error:
            reason = "; ".join(str(error).splitlines())
            report(log.warning, Event.FILE_KEPT, "{reason}; what it held before stays in force", reason=reason)
        else:
            report(log.info, Event.FILE_READ_AGAIN, "{path} changed and was read again", path=str(self.path))


class WatchedFile(WatchedFiles[T]):
    """What one text file holds, by `parse`, which raises SettingsError where it holds something else."""

    def __init__(self, path: Path, parse: Callable[[str], T]) -> None:
        """Raises SettingsError where the file cannot be read now."""

        def read(files: FileReads) -> T:
            data = files.read(path)
            try:
                return parse(data.decode())
            except UnicodeDecodeError:
                raise SettingsError(f"{path}: not UTF-8") from None
            except SettingsError as error:
                raise SettingsError(f"{path}: {error}") from None

        super().__init__(path, read)


def _state_of(path: Path) -> _State | None:
    """What changes with the file; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 as Path.stat, which costs a second object
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
