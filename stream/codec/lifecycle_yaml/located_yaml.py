"""YAML that people write: its text to a document, and where in the text each problem of it stands."""

from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from stream.codec.lifecycle_yaml.bounded_yaml import MAX_DEPTH, MAX_FILE_BYTES, BoundedComposer, BoundedConstructor
from stream.codec.lifecycle_yaml.scalar_places import location_within
from stream.codec.lifecycle_yaml.yaml_habits import explain
from stream.core.lifecycle import Problem
from stream.errors import LifecycleError


class LocatedProblem(NamedTuple):
    """A problem with its location; lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        """As compilers write it, so that editors find the line."""
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class YamlFileError(LifecycleError):
    """A YAML file that cannot be used; `findings` has every problem."""

    def __init__(self, findings: list[LocatedProblem]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


def read_content(path: Path) -> bytes:
    """What a file holds, at most one byte more than it may.

    Raises OSError, and ValueError for a name that no file can have.
    """
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def decode(content: bytes, name: str) -> str:
    """The text of a file's content. Raises YamlFileError for too much of it, and for what is not UTF-8."""
    if len(content) > MAX_FILE_BYTES:
        raise YamlFileError([LocatedProblem(name, 1, 1, f"larger than {MAX_FILE_BYTES:,} bytes")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise YamlFileError([LocatedProblem(name, line, 1, "not UTF-8; save the file as UTF-8")]) from None


def document_of(text: str, name: str) -> Any:
    """The document that a text holds; `name` stands for the file in messages. Raises YamlFileError."""
    yaml = YAML(typ="rt", pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.Composer, yaml.Constructor = BoundedComposer, BoundedConstructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        line, column, problem = explain(error, text)
        raise YamlFileError([LocatedProblem(name, line + 1, column + 1, f"not YAML: {problem}")]) from None
    except Exception as error:  # noqa: BLE001 - a scalar that is not what its tag says raises whatever comes first
        line, column = _location_of_character(text, error)
        kind = "" if isinstance(error, YAMLError | ValueError) else f"{type(error).__name__}: "
        problem = kind + (str(error) or "a value that its tag does not allow").splitlines()[0]
        raise YamlFileError([LocatedProblem(name, line, column, f"not YAML: {problem}")]) from None


def located(document: Any, problems: list[Problem] | tuple[Problem, ...], text: str, name: str) -> list[LocatedProblem]:
    """The problems with their places, in the order of the text."""
    found = [_located(document, problem, text, name) for problem in problems]
    return sorted(found, key=lambda each: (each.line, each.column))


def _located(document: Any, problem: Problem, text: str, name: str) -> LocatedProblem:
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
