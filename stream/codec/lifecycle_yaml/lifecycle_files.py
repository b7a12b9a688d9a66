"""Lifecycle files: YAML 1.2 text to lifecycles, each problem with file, line and column."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from stream.codec.lifecycle_yaml.bounded_yaml import MAX_DEPTH, MAX_FILE_BYTES, BoundedComposer, BoundedConstructor
from stream.codec.lifecycle_yaml.misplaced_keys import misplaced
from stream.codec.lifecycle_yaml.scalar_places import location_within
from stream.codec.lifecycle_yaml.yaml_habits import explain
from stream.core.language.definition import define
from stream.core.lifecycle import DefinitionError, Lifecycle, Problem
from stream.errors import LifecycleError, SettingsError


class LocatedProblem(NamedTuple):
    """A problem with its location; lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        """As compilers write it, so that editors find the line."""
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class LifecycleFileError(LifecycleError):
    """A lifecycle file that cannot be used; `findings` has every problem."""

    def __init__(self, findings: list[LocatedProblem]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


class LifecycleFile(NamedTuple):
    """A lifecycle and where it came from."""

    name: str
    lifecycle: Lifecycle
    warnings: tuple[LocatedProblem, ...]


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
    hint = f"; presets are {', '.join(presets())}" if Path(source).suffix == "" else ""
    return parse(read_text(Path(source), source, hint), source)


def read_text(path: Path, name: str, hint: str = "") -> str:
    """The text of a file of YAML; `name` stands for it in messages, `hint` ends what is said of one that is not there.

    Raises LifecycleFileError.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise LifecycleFileError([LocatedProblem(name, 1, 1, f"cannot be read: {reason}{hint}")]) from None
    if len(content) > MAX_FILE_BYTES:
        raise LifecycleFileError([LocatedProblem(name, 1, 1, f"larger than {MAX_FILE_BYTES:,} bytes")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise LifecycleFileError([LocatedProblem(name, line, 1, "not UTF-8; save the file as UTF-8")]) from None


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
    document = read_yaml(text, name)
    try:
        lifecycle = define(document)
    except DefinitionError as error:
        if said := misplaced(document):
            raise LifecycleFileError([LocatedProblem(name, said.line + 1, said.column + 1, said.message)]) from None
        found = [located(document, problem, text, name) for problem in error.problems]
        raise LifecycleFileError(sorted(found, key=lambda each: (each.line, each.column))) from None
    warnings = [located(document, problem, text, name) for problem in lifecycle.warnings]
    return LifecycleFile(name, lifecycle, tuple(sorted(warnings, key=lambda each: (each.line, each.column))))


def read_yaml(text: str, name: str) -> Any:
    """The document in `text`, with the locations of its values. Raises LifecycleFileError."""
    yaml = YAML(typ="rt", pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.Composer, yaml.Constructor = BoundedComposer, BoundedConstructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        line, column, problem = explain(error, text)
        raise LifecycleFileError([LocatedProblem(name, line + 1, column + 1, f"not YAML: {problem}")]) from None
    except Exception as error:  # noqa: BLE001 - a scalar that is not what its tag says raises whatever comes first
        line, column = _location_of_character(text, error)
        kind = "" if isinstance(error, YAMLError | ValueError) else f"{type(error).__name__}: "
        problem = kind + (str(error) or "a value that its tag does not allow").splitlines()[0]
        raise LifecycleFileError([LocatedProblem(name, line, column, f"not YAML: {problem}")]) from None


def located(document: Any, problem: Problem, text: str, name: str) -> LocatedProblem:
    """Where the path of a problem leads: the deepest key or item of it that exists."""
    line, column, node = 0, 0, document
    is_value = False
    for index, key in enumerate(problem.path):
        last = index == len(problem.path) - 1
        try:
            if isinstance(node, CommentedMap):
                # A value that is not there has no location of its own.
                is_value = not (last and problem.on_key) and node[key] is not None
                line, column = node.lc.value(key) if is_value else node.lc.key(key)
            elif isinstance(node, CommentedSeq):
                line, column = node.lc.item(key)
                is_value = True
            else:
                break
            node = node[key]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    if is_value and isinstance(node, str) and problem.offset is not None:
        line, column = location_within(text, line, column, problem.offset)
    return LocatedProblem(name, line + 1, column + 1, problem.message)


def _location_of_character(text: str, error: Exception) -> tuple[int, int]:
    """Of a character that YAML does not allow; 1:1 where the error does not say."""
    at = getattr(error, "position", 0)
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
