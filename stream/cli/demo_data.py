"""What `lifecycle demo` can show: a simulated shop, or purchases of real people."""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import IO, Final

from stream.codec.files.input_files import read_interactions
from stream.codec.interactions import encode_native
from stream.core.interaction import Interaction
from stream.demo.shop import PEOPLE, shop_interactions
from stream.errors import LifecycleError

SHOWN_PEOPLE: Final = 300
"""Of the simulated shop: as many as a small machine shows in the time of a demonstration."""


class Data(StrEnum):
    """Whose interactions are shown."""

    SHOP = "shop"
    PURCHASES = "purchases"

    @property
    def about(self) -> str:
        """What is shown, in two thirds of a line."""
        if self is Data.SHOP:
            return f"A simulated shop: {SHOWN_PEOPLE} people, 18 months"
        return "A music shop: 2,357 real people, 18 months"

    @property
    def note(self) -> str:
        """What to expect of it, in as much."""
        if self is Data.SHOP:
            return "They look around, buy, go quiet, and some come back."
        return "1997 to 1998. Most buy once or twice, and end as dormant."


def shown(data: Data) -> Iterator[Interaction]:
    """What the demonstration replays, by ascending time."""
    return shop_interactions(SHOWN_PEOPLE) if data is Data.SHOP else _purchases()


def save(data: Data, path: str) -> int:
    """Write all interactions, those of everybody at the shop, as JSON lines; return how many.

    A name that ends with .gz is compressed; the same data give the same file. LifecycleError: it cannot be written.
    """
    count = 0
    try:
        with ExitStack() as stack:
            file: IO[bytes] | gzip.GzipFile = stack.enter_context(Path(path).open("wb"))
            if path.endswith(".gz"):
                file = stack.enter_context(gzip.GzipFile("", "wb", 6, file, mtime=0))
            for interaction in shop_interactions(PEOPLE) if data is Data.SHOP else _purchases():
                file.write(encode_native(interaction) + b"\n")
                count += 1
    except OSError as error:
        raise LifecycleError(f"{path}: cannot be written: {error.strerror}") from error
    return count


def _purchases() -> Iterator[Interaction]:
    for _line, record in read_interactions(str(files("stream.demo").joinpath("purchases.jsonl.gz"))):
        assert isinstance(record, Interaction)  # a test reads every line of the file that ships
        yield record
