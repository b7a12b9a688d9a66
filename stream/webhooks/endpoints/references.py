"""What `webhooks.yaml` only names: texts of the environment, or of files beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from stream.core.language.document import DocumentReader, Entry
from stream.errors import SettingsError
from stream.watched_file import FileReads
from stream.webhooks.endpoints.signing_secrets import PREFIX

WAYS: Final = ("env", "file")
HOW: Final = "{env: NAME} or {file: PATH}"


class References:
    """Reads what is named.

    Problems go to the reader. None repeats what was read, nor the name: it may be a secret that stands in the wrong
    place.
    """

    def __init__(self, reader: DocumentReader, files: FileReads, folder: Path, environment: Mapping[str, str]) -> None:
        """Paths are relative to `folder`."""
        self._reader = reader
        self._files = files
        self._folder = folder
        self._environment = environment

    def text(self, entry: Entry) -> str | None:
        """The text that `{env: NAME}` or `{file: PATH}` names; None where there is none, which is said then."""
        named = entry.value if isinstance(entry.value, Mapping) else {}
        way = next(iter(named), None)
        if len(named) != 1 or way not in WAYS:
            self._reader.problem(entry, f"one of both was expected: {HOW}")
            return None
        place, name = Entry((*entry.path, way), named[way]), named[way]
        if not isinstance(name, str) or not name or name.startswith(PREFIX):
            what = "the name of an environment variable" if way == "env" else "the path of a file"
            self._reader.problem(place, f"{what} was expected, not the secret itself")
            return None
        found = self._of_environment(place, name) if way == "env" else self._of_file(place, name)
        if found is not None and (said := _unfit(found)):
            self._reader.problem(place, f"this {'environment variable' if way == 'env' else 'file'} {said}")
            return None
        return found

    def _of_environment(self, entry: Entry, name: str) -> str | None:
        found = self._environment.get(name)
        if found is None:
            self._reader.problem(entry, "this environment variable is not set")
        return found

    def _of_file(self, entry: Entry, name: str) -> str | None:
        path = self._folder / name
        try:
            return self._files.read(path).decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            self._reader.problem(entry, "this file is not UTF-8")
        except SettingsError as error:
            reason = str(error).removeprefix(f"{path}: ")
            self._reader.problem(entry, f"this file cannot be read: {reason}; it is looked for in {self._folder}")
        return None


def is_reference(value: Mapping[object, object]) -> bool:
    """Whether a mapping names a text, instead of holding pairs."""
    return any(way in value for way in WAYS)


def _unfit(text: str) -> str:
    """What is wrong with a text that was read; empty where nothing is."""
    if not text.strip():
        return "is empty"
    if text != text.strip():
        return "begins or ends with white space"
    return "" if text.isprintable() else "holds a line break or another control character"
