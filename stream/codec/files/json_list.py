"""The elements of one JSON list, however long it is, as texts of their own."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Final, Protocol

from stream.codec.files.text_lines import MAX_LINE
from stream.errors import InputFileError

_AT_ONCE: Final = 64 * 1024
_SPACE: Final = re.compile(r"[ \t\r\n]*")


class ReadsBytes(Protocol):
    """A binary file, as far as it matters here."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end of the file."""


class _Text:
    """What of the file has been read and not been used."""

    def __init__(self, file: ReadsBytes, where: str) -> None:
        self._file, self._where = file, where
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self.text = ""
        self.at = 0
        self.line = 1
        self.ended = False

    def more(self) -> bool:
        """Read on, as much as is there already and more; whether anything came."""
        if self.ended:
            return False
        # Twice as much each time: an element is looked at again from its beginning.
        data = self._file.read(max(_AT_ONCE, len(self.text) - self.at))
        self.ended = not data
        self.text = self.text[self.at :] + self._decoder.decode(data, self.ended)
        self.at = 0
        return True

    def take(self, end: int) -> str:
        """The text up to there, which is used now."""
        taken = self.text[self.at : end]
        self.line += taken.count("\n")
        self.at = end
        return taken

    def sign(self) -> str:
        """The next character that is no white space, which is not used yet; empty at the end."""
        while True:
            space = _SPACE.match(self.text, self.at)
            assert space is not None  # it matches nothing, too
            self.take(space.end())
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def error(self, what: str) -> InputFileError:
        return InputFileError(f"{self._where}:{self.line}: {what}; what comes after it in the JSON list cannot be read")


def json_list(file: ReadsBytes, where: str) -> Iterator[tuple[int, bytes]]:
    """Yield the line on which each element begins, and its bytes; of the file only so much is held.

    `InputFileError`: where it is no JSON any more, or an element is larger than a line may be (MAX_LINE).
    """
    text = _Text(file, where)
    if text.sign() != "[":
        raise text.error("a JSON list was expected")
    text.take(text.at + 1)
    if text.sign() == "]":
        text.take(text.at + 1)
    else:
        while True:
            text.sign()
            yield text.line, _element(text).encode("utf-8", "surrogateescape")
            sign = text.sign()
            if sign not in ("]", ","):
                raise text.error(f"a comma or ] was expected, not {sign!r}" if sign else "the list does not end")
            text.take(text.at + 1)
            if sign == "]":
                break
    if text.sign():
        raise text.error("the file goes on behind its list; right is one list, or one object a line")


def _element(text: _Text) -> str:
    decoder = json.JSONDecoder()
    while True:
        why = "an element is not complete"
        try:
            _, end = decoder.raw_decode(text.text, text.at)
            # A number may go on in what was not read yet, all others end by themselves.
            if end < len(text.text) or text.ended:
                return text.take(end)
        except json.JSONDecodeError as error:
            text_line = text.text.count("\n", text.at, error.pos)
            why = f"this is no JSON {text_line} lines further, {error.msg}" if text_line else f"no JSON: {error.msg}"
        except (RecursionError, ValueError) as error:
            raise text.error(f"an element that cannot be read: {error}") from error
        if len(text.text) - text.at > MAX_LINE:
            raise text.error(f"an element longer than {MAX_LINE // 1024 // 1024} MiB, or {why}")
        if not text.more():
            raise text.error(why)
