"""Template files: how one tool is told of stage changes, as YAML; those that come with the product, and users' own."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from stream.codec.lifecycle_yaml.located_yaml import (
    LocatedProblem,
    YamlFileError,
    decode,
    document_of,
    located,
    read_content,
)
from stream.codec.stage_change_reader import SubscribedChange
from stream.core.language.names import unknown
from stream.core.lifecycle import DefinitionError
from stream.webhooks.exchange import Answer, HttpRequest, Outcome
from stream.webhooks.templating.material import Material
from stream.webhooks.templating.template_reading import TemplateDefinition, TemplateReader
from stream.webhooks.templating.template_requests import MakeRequest, host_of
from stream.webhooks.templating.template_values import TemplateValue

_ENDPOINTS: Final = 64
"""Of one template: for so many it is kept ready."""
_SUFFIXES: Final = (".yaml", ".yml")
_FOLDER: Final = "stream.webhooks.templates"


class TemplateFileError(YamlFileError):
    """A template that cannot be used; `findings` has every problem."""


class FileTemplate:
    """How one tool is told of a stage change, as a template file says it. See `Template`."""

    def __init__(self, definition: TemplateDefinition) -> None:
        self.definition = definition
        self._asked = {value.name: value for value in definition.values}
        self._bases = {each.base for each in definition.requests}
        self._ready: dict[tuple[tuple[str, str], ...], list[MakeRequest]] = {}
        self._defaults = {value.name: value.default for value in definition.values if value.default is not None}

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def values(self) -> tuple[TemplateValue, ...]:
        return self.definition.values

    def host(self, values: Mapping[str, str]) -> str:
        """See `Template`."""
        return host_of(self.definition.requests[0].url, self._given(values))

    def problems(self, values: Mapping[str, str]) -> dict[str, str]:
        """By name what is wrong with values that an endpoint gives, and what would be right."""
        found: dict[str, str] = {}
        for name, text in values.items():
            asked = self._asked.get(name)
            said = (
                asked.problem(text) if asked else unknown(name, list(self._asked), f"value of the template {self.name}")
            )
            if not said and "?" in text and name in self._bases:
                said = "a path is put behind this URL, so it has no part behind a ?"
            if said:
                found[name] = said
        choice = self.definition.at_least_one
        if choice and not any(name in values for name in choice):
            found.setdefault(choice[0], f"the template {self.name} needs at least one of {', '.join(choice)}")
        return found

    def requests(self, change: SubscribedChange, event_id: str, values: Mapping[str, str]) -> tuple[HttpRequest, ...]:
        """See `Template`; none where no request's conditions hold: then the tool has nothing to be told."""
        return tuple([request for make in self._bound(values) if (request := make(change, event_id)) is not None])

    def _bound(self, values: Mapping[str, str]) -> list[MakeRequest]:
        """How requests are made for an endpoint with these values; made ready once."""
        key = tuple(values.items())
        found = self._ready.get(key)
        if found is None:
            if len(self._ready) >= _ENDPOINTS:
                self._ready.clear()
            material = Material(self._given(values), self._asked)
            found = self._ready[key] = [each.bound(material) for each in self.definition.requests]
        return found

    def outcome(self, answer: Answer) -> Outcome:
        """See `Template`."""
        return self.definition.answers.outcome(answer)

    def _given(self, values: Mapping[str, str]) -> dict[str, str]:
        return self._defaults | dict(values)


def template_names() -> list[str]:
    """The templates that come with the product."""
    return sorted(each.name.removesuffix(".yaml") for each in files(_FOLDER).iterdir() if each.name.endswith(".yaml"))


def load_template(source: str, folder: Path) -> FileTemplate:
    """The template of this name; or the one in a file, such as `./our-crm.yaml`, whose path begins in `folder`.

    Raises TemplateFileError.
    """
    if source.endswith(_SUFFIXES) or "/" in source:
        return parse_template(_own_text(folder / source, source), source)
    if source not in template_names():
        hint = "; a file of your own is named with its ending, as in ./our-crm.yaml"
        raise TemplateFileError([LocatedProblem(source, 1, 1, unknown(source, template_names(), "template") + hint)])
    return parse_template(template_text(source), f"{source} (template)")


def _own_text(path: Path, name: str) -> str:
    try:
        return decode(read_content(path), name)
    except YamlFileError as error:
        raise TemplateFileError(error.findings) from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise TemplateFileError([LocatedProblem(name, 1, 1, f"cannot be read: {reason}")]) from None


def template_text(name: str) -> str:
    """The file of a template that comes with the product, to copy from."""
    return files(_FOLDER).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def parse_template(text: str, name: str) -> FileTemplate:
    """The template in `text`; `name` stands for the file in messages. Raises TemplateFileError."""
    try:
        document = document_of(text, name)
    except YamlFileError as error:
        raise TemplateFileError(error.findings) from None
    reader = TemplateReader()
    try:
        definition = reader.template(document)
    except DefinitionError as error:
        raise TemplateFileError(located(document, error.problems, text, name)) from None
    if reader.problems:
        raise TemplateFileError(located(document, reader.problems, text, name))
    return FileTemplate(definition)
