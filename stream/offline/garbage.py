"""Garbage is looked for rarely while many customers are kept: to go through all of them takes a fifth of the time.

None of them is garbage.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_THRESHOLDS: Final = (200_000, 50, 1_000)


@contextmanager
def rarely_collected() -> Iterator[None]:
    """In the whole process, as long as the body runs."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
