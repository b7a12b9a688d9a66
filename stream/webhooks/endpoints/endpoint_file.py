"""`webhooks.yaml`: the endpoints that stage changes are sent to, each problem with file, line and column."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from stream.codec.lifecycle_yaml.located_yaml import LocatedProblem, YamlFileError, decode, document_of, located
from stream.core.language.document import DocumentReader, Entry
from stream.core.lifecycle import DefinitionError
from stream.errors import SettingsError
from stream.watched_file import FileReads, WatchedFiles
from stream.webhooks.endpoint import Endpoint, Template
from stream.webhooks.endpoints.change_names import KnownNames
from stream.webhooks.endpoints.endpoint_reader import EndpointReader, is_file
from stream.webhooks.endpoints.references import References
from stream.webhooks.endpoints.signing_secrets import PREFIX

LoadTemplate = Callable[[str, Path], Template]
"""A template by its name, or by its file, whose path is relative to the folder; raises LifecycleError."""
MOST_ENDPOINTS: Final = 256
_SECRET: Final = re.compile(rf"{PREFIX}[\w+/=-]+")


class EndpointFileError(YamlFileError):
    """A file of endpoints that cannot be used; `findings` has every problem, none repeats a secret."""


def read_endpoints(
    path: Path,
    load_template: LoadTemplate,
    *,
    known: KnownNames | None = None,
    files: FileReads | None = None,
    environment: Mapping[str, str] = os.environ,
) -> tuple[Endpoint, ...]:
    """The endpoints of a file, in its order, also those that are not enabled.

    `known` has the names of the lifecycles whose changes come, against which conditions are checked; `files` notes what
    is read. Raises EndpointFileError.
    """
    files = files or FileReads()
    name = str(path)
    try:
        text = decode(files.read(path), name)
        document = document_of(text, name)
    except SettingsError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise EndpointFileError([LocatedProblem(name, 1, 1, f"cannot be read: {reason}")]) from None
    except YamlFileError as error:
        raise EndpointFileError(_without_secrets(error.findings)) from None
    reader = DocumentReader()
    references = References(reader, files, path.parent, environment)
    one = EndpointReader(reader, references, _noting(load_template, files), path.parent, known)
    endpoints: list[Endpoint] = []
    try:
        endpoints += [found for entry in _entries(reader, document) if (found := one.read(entry)) is not None]
        problems = reader.problems
    except DefinitionError as error:
        problems = error.problems
    if problems or one.findings:
        raise EndpointFileError(_without_secrets([*located(document, problems, text, name), *one.findings]))
    return tuple(endpoints)


def watched_endpoints(
    path: Path, load_template: LoadTemplate, known: KnownNames | None = None
) -> WatchedFiles[tuple[Endpoint, ...]]:
    """The endpoints of a file, read again when it changes, or a file that it names. Raises EndpointFileError."""
    return WatchedFiles(path, lambda files: read_endpoints(path, load_template, known=known, files=files))


def _entries(reader: DocumentReader, document: object) -> list[Entry]:
    top = Entry((), document)
    keys = reader.mapping(top, ("endpoints",))
    endpoints = keys.get("endpoints")
    if endpoints is None:
        if not reader.misspelt(top, keys):
            reader.problem(top, "endpoints: is missing: a name and its settings for each")
        return []
    entries = list(reader.mapping(endpoints, needed="a name and its settings for each", empty=True).values())
    if len(entries) > MOST_ENDPOINTS:
        reader.problem(endpoints, f"a file has at most {MOST_ENDPOINTS} endpoints, this one {len(entries):,}")
        return []
    return entries


def _without_secrets(findings: list[LocatedProblem]) -> list[LocatedProblem]:
    """What repeats names and keys may repeat a secret that stands where one of these belongs."""
    return [each._replace(message=_SECRET.sub(f"{PREFIX}…", each.message)) for each in findings]


def _noting(load_template: LoadTemplate, files: FileReads) -> LoadTemplate:
    """The same, with a note of each file that is loaded."""

    def load(name: str, folder: Path) -> Template:
        if is_file(name):
            files.note(folder / name)
        return load_template(name, folder)

    return load
