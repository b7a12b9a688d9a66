"""A worker that cannot go on says so and ends, so that its supervisor can start another.

A broker that is away is waited for: what stands still counts only while Kafka answers and can be written to. Time
is counted in looks, not read from a clock, so that a process that was frozen does not look like one that hangs.
"""

import logging
import os
import sys
import threading
import traceback
from collections.abc import Hashable, Mapping
from types import FrameType
from typing import Generic, Self, TypeVar

from stream.events import Event, report

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)

LOOK_EVERY = 1.0
"""Seconds between two looks."""
MAX_LOOKS = 25
"""Looks without progress after which a worker gives up."""


class Stalls(Generic[K]):
    """What has not changed for how many looks."""

    def __init__(self, max_looks: int = MAX_LOOKS) -> None:
        self._max_looks = max_looks
        self._tokens: dict[K, tuple[Hashable, int]] = {}

    def look(self, tokens: Mapping[K, Hashable], *, counts: bool) -> list[K]:
        """The names of the tokens that have stood still for too long.

        A token that differs from the one before shows progress. Where `counts` is false, standing still is no fault of
        ours, and everything begins again.
        """
        before, self._tokens = self._tokens, {}
        for name, token in tokens.items():
            stands = counts and name in before and before[name][0] == token
            self._tokens[name] = token, before[name][1] + 1 if stands else 0
        return [name for name, (_, looks) in self._tokens.items() if looks >= self._max_looks]


class LoopGuard:
    """Ends the process where its event loop hangs: nothing inside the loop could.

    A thread counts its own looks, and `alive` must be called from the loop between them.
    """

    def __init__(self, *, every: float = LOOK_EVERY, max_looks: int = MAX_LOOKS) -> None:
        self._every, self._max_looks = every, max_looks
        self._beats = 0
        self._over = threading.Event()
        self._loop_thread = threading.get_ident()
        self._thread = threading.Thread(target=self._guard, name="loop-guard", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def alive(self) -> None:
        """The loop runs."""
        self._beats += 1

    def _guard(self) -> None:
        seen, looks = -1, 0
        while not self._over.wait(self._every):
            looks = looks + 1 if seen == self._beats else 0
            seen = self._beats
            if looks >= self._max_looks:
                report(
                    log.critical,
                    Event.WORKER_HANGS,
                    "the worker stops: its event loop has not answered for {seconds} s; it is in\n{stack}",
                    seconds=round(looks * self._every),
                    stack=_stack(sys._current_frames().get(self._loop_thread)),
                )
                logging.shutdown()
                os._exit(1)


def _stack(frame: FrameType | None) -> str:
    return "".join(traceback.format_stack(frame)) if frame is not None else "(unknown)"
