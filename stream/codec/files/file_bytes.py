"""The bytes of a file, decompressed and in UTF-8, and the hash of its content."""

import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from xxhash import xxh3_64

from stream.errors import InputFileError

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError, ZstdFile
else:
    from backports.zstd import ZstdError, ZstdFile

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

ReadableFile: TypeAlias = "io.BufferedReader[io.RawIOBase] | gzip.GzipFile | ZstdFile"

BUFFER: Final = 64 * 1024
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_HASHED_AT_ONCE: Final = 1 << 20
COMPRESSED: Final = (".gz", ".zst")
"""How the names of compressed files end; they are known by their first bytes."""


@contextmanager
def opened(name: str) -> Iterator[ReadableFile]:
    """The content of a file, decompressed; `-` is the standard input.

    `InputFileError`, from within too: it cannot be opened or read, or what is compressed is damaged.
    """
    where = "the standard input" if name == "-" else name
    try:
        with ExitStack() as stack:
            yield _opened(name, stack)
    except (EOFError, gzip.BadGzipFile, zlib.error, ZstdError) as error:
        raise InputFileError(f"{where}: the compressed data are damaged or incomplete: {error}") from error
    except OSError as error:
        raise InputFileError(f"{where}: {error.strerror or error}") from error


def _opened(name: str, stack: ExitStack) -> ReadableFile:
    if name == "-":
        # Below its buffer, which would wait for more than a pipe has to give. What stands in for the
        # standard input may have nothing below, and can itself be read like a raw file.
        raw = cast("io.RawIOBase", getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))
    else:
        raw = stack.enter_context(Path(name).open("rb", buffering=0))  # noqa: SIM115 - the stack closes it
    plain = io.BufferedReader(raw, BUFFER)
    stack.callback(plain.detach)  # or it would close the standard input, which is not ours
    beginning = plain.peek(4)
    if beginning.startswith(_GZIP_MAGIC):
        return stack.enter_context(gzip.GzipFile(fileobj=plain))
    if beginning.startswith(_ZSTD_MAGIC):
        return stack.enter_context(ZstdFile(plain))
    return plain


def content_hash(path: str) -> bytes | None:
    """The hash of a file's content, decompressed; None where that can be read only once, as a pipe can.

    `InputFileError`: it cannot be read.
    """
    if path == "-" or not Path(path).is_file():
        return None
    digest = xxh3_64()
    with opened(path) as file:
        while data := file.read1(_HASHED_AT_ONCE):
            digest.update(data)
    return digest.digest()


def hashed(file: ReadableFile, digest: xxh3_64) -> ReadableFile:
    """The same file, all of whose bytes are hashed as they are read."""
    raw: io.RawIOBase = _Hashed(file, digest)
    return io.BufferedReader(raw, BUFFER)


def in_utf8(file: ReadableFile, encoding: str) -> ReadableFile:
    """A file of another encoding as UTF-8, without a byte order mark; what is no text of it stays as its bytes."""
    raw: io.RawIOBase = _Decoded(file, encoding)
    return io.BufferedReader(raw, BUFFER)


class _Hashed(io.RawIOBase):
    def __init__(self, file: ReadableFile, digest: xxh3_64) -> None:
        self._file, self._digest = file, digest

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "Buffer") -> int:
        """What the file has next."""
        view = memoryview(buffer)
        data = self._file.read1(len(view))
        self._digest.update(data)
        view[: len(data)] = data
        return len(data)


class _Decoded(io.RawIOBase):
    def __init__(self, file: ReadableFile, encoding: str) -> None:
        self._file, self._encoding = file, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
        self._rest = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "Buffer") -> int:
        """What the file has next, as UTF-8."""
        view = memoryview(buffer)
        while not self._rest:
            data = self._file.read1(BUFFER)
            try:
                text = self._decoder.decode(data, not data)
                # Lone surrogates are the bytes that are none of the encoding's, and become these again.
                self._rest = text.encode("utf-8", "surrogateescape")
            except UnicodeError as error:
                raise OSError(f"not text in {self._encoding}: {error}") from error
            if not data:
                break
        piece, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(piece)] = piece
        return len(piece)
