"""A child process, and a folder for what it writes, that never outlive this process, however it ended.

A small shell is the guard: it makes the folder, and waits on a pipe that only this process holds open. The operating
system closes the pipe however this process died, `kill -9` included, on Linux and macOS alike; the guard then kills the
child and removes the folder. (Linux could signal the child by itself, PR_SET_PDEATHSIG, but when the thread that
started it ends, and the folder would be left.) It does so too where all goes well, so that there is one way only.

Between the start of a child and the moment when its id is known there is no gap: the child reports its own id to the
guard, as a shell that then becomes the program.
"""

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from stream.errors import BrokerError

_GUARD = """
trap '' HUP INT QUIT TERM
mkdir -m 700 "$1" || exit 1
echo made
child=
while read -r line; do child=$line; done
if [ -n "$child" ]; then kill -KILL "$child" 2>/dev/null; fi
for _ in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf "$1" 2>/dev/null
  if [ ! -e "$1" ]; then exit 0; fi
  sleep 1
done
"""
"""What the child still writes as it dies may keep the folder from being removed at first."""

_CHILD = 'echo $$ >&0; exec "$@" </dev/null'
"""The pipe stands where input is read, and is closed before the program begins: the guard must not wait for it."""


class ChildGuard:
    """Guards one child at a time; `folder` exists between `open` and `close`, which are also `with`.

    The child is started with the command `command(...)` and `stdin=guard.fd`. Methods block for some milliseconds.
    """

    def __init__(self, name: str) -> None:
        """The folder's name begins with `name`."""
        self.folder = Path(tempfile.gettempdir()) / f"{name}{secrets.token_hex(8)}"
        self.fd = -1
        self._process: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Start the guard. Raises BrokerError where the folder cannot be made."""
        read, self.fd = os.pipe()
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "lifecycle-guard", str(self.folder)],
            stdin=read,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # neither Ctrl-C nor the end of the terminal is meant for it
        )
        os.close(read)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"made\n":
            problem = self._end().decode(errors="replace").strip()
            raise BrokerError(f"the folder {self.folder} cannot be made: {problem}; TMPDIR may name another place")

    @staticmethod
    def command(program: Sequence[str]) -> list[str]:
        """The command that reports its process id to the guard and then becomes `program`."""
        return ["/bin/sh", "-c", _CHILD, "lifecycle-child", *program]

    def ended(self) -> None:
        """The child has ended and was waited for: its id may belong to another process by now."""
        if self._process is not None:
            with contextlib.suppress(BrokenPipeError):  # somebody killed the guard
                os.write(self.fd, b"\n")

    def close(self) -> None:
        """Kill the child where nobody said that it had ended, and remove the folder; nothing the second time."""
        if self._process is not None:
            self._end()
            shutil.rmtree(self.folder, ignore_errors=True)  # there only where somebody killed the guard

    def _end(self) -> bytes:
        """Close the pipe, wait for the guard, and return what it complained of."""
        assert self._process is not None
        os.close(self.fd)
        self.fd = -1
        _, complaint = self._process.communicate()
        self._process = None
        return complaint

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
