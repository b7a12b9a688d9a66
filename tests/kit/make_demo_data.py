"""Make the demonstration data that ship with the product: `python -m tests.kit.make_demo_data`."""

import gzip
import io
from collections.abc import Iterable
from pathlib import Path

import stream.demo
from stream.codec.files.sorting import sort_by_time
from stream.codec.interactions import encode_native
from stream.core.interaction import Interaction
from tests.kit.datasets import cdnow_interactions


def demo_data() -> dict[str, bytes]:
    """Each demonstration file's name and the JSON lines in it."""
    return {
        "purchases.jsonl.gz": _lines(cdnow_interactions("CDNOW_sample.txt")),
    }


def main() -> None:
    """Write the files into the package."""
    folder = Path(stream.demo.__file__).parent
    for name, lines in demo_data().items():
        # Without a time and a name in the header, the same lines give the same file.
        (folder / name).write_bytes(gzip.compress(lines, compresslevel=9, mtime=0))


def _lines(interactions: Iterable[Interaction]) -> bytes:
    buffer = io.BytesIO()
    for interaction in sort_by_time(interactions):
        buffer.write(encode_native(interaction) + b"\n")
    return buffer.getvalue()


if __name__ == "__main__":
    main()
