"""Lifecycle files: YAML 1.2 text to lifecycles, each problem with file, line and column."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from stream.codec.lifecycle_yaml.located_yaml import (
    LocatedProblem,
    YamlFileError,
    decode,
    document_of,
    located,
    read_content,
)
from stream.codec.lifecycle_yaml.misplaced_keys import misplaced
from stream.core.language.definition import define
from stream.core.lifecycle import DefinitionError, Lifecycle
from stream.errors import SettingsError


class LifecycleFileError(YamlFileError):
    """A lifecycle file that cannot be used; `findings` has every problem."""


class LifecycleFile(NamedTuple):
    """A lifecycle and where it came from."""

    name: str
    lifecycle: Lifecycle
    warnings: tuple[LocatedProblem, ...]
    text: str
    """What it was read from: a pipe can be read only once."""


def presets() -> list[str]:
    """The names of the lifecycles that come with the product."""
    return sorted(
        entry.name.removesuffix(".yaml") for entry in files("stream.presets").iterdir() if entry.name.endswith(".yaml")
    )


def load(source: str) -> LifecycleFile:
    """The lifecycle in a file, or the preset of that name.

    Raises LifecycleFileError with all problems found.
    """
    if source in presets():
        text = files("stream.presets").joinpath(f"{source}.yaml").read_text(encoding="utf-8")
        return parse(text, f"{source} (preset)")
    path = Path(source)
    try:
        content = read_content(path)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        hint = f"; presets are {', '.join(presets())}" if path.suffix == "" else ""
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise LifecycleFileError([LocatedProblem(source, 1, 1, f"cannot be read: {reason}{hint}")]) from None
    try:
        text = decode(content, source)
    except YamlFileError as error:
        raise LifecycleFileError(error.findings) from None
    return parse(text, source)


def load_all(sources: Iterable[str]) -> list[LifecycleFile]:
    """All lifecycles, in the order given.

    Raises SettingsError where none is named, LifecycleFileError with the problems of all files, and where two files
    have the same id.
    """
    sources = tuple(sources)
    if not sources:
        raise SettingsError(
            "no lifecycle is named: set --lifecycles or LIFECYCLE_LIFECYCLES to files or presets, comma-separated, "
            f"such as shop.yaml or shop.yaml,metrics; presets are {', '.join(presets())}"
        )
    loaded: list[LifecycleFile] = []
    findings: list[LocatedProblem] = []
    for source in sources:
        try:
            file = load(source)
        except LifecycleFileError as error:
            findings += error.findings
            continue
        for other in loaded:
            if other.lifecycle.id == file.lifecycle.id:
                findings.append(
                    LocatedProblem(file.name, 1, 1, f"the lifecycle {file.lifecycle.id!r} is already in {other.name}")
                )
        loaded.append(file)
    if findings:
        raise LifecycleFileError(findings)
    return loaded


def parse(text: str, name: str) -> LifecycleFile:
    """The lifecycle in `text`; `name` stands for the file in messages. Raises LifecycleFileError."""
    try:
        document = document_of(text, name)
    except YamlFileError as error:
        raise LifecycleFileError(error.findings) from None
    try:
        lifecycle = define(document)
    except DefinitionError as error:
        if said := misplaced(document):
            raise LifecycleFileError([LocatedProblem(name, said.line + 1, said.column + 1, said.message)]) from None
        raise LifecycleFileError(located(document, error.problems, text, name)) from None
    return LifecycleFile(name, lifecycle, tuple(located(document, lifecycle.warnings, text, name)), text)
