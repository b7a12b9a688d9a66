"""Where settings come from: options over the environment over the settings file over the defaults.

In the environment a setting is `LIFECYCLE_` and its name in capitals; the settings file is TOML, named by `--settings`
or `LIFECYCLE_SETTINGS`.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stream.codec.files.topic_mappings import TopicMappings
from stream.errors import SettingsError
from stream.setting_types import UnfitError, read_words
from stream.settings import Settings

ENVIRONMENT_PREFIX = "LIFECYCLE_"
SETTINGS_VARIABLE = ENVIRONMENT_PREFIX + "SETTINGS"
TOKEN_VARIABLE = ENVIRONMENT_PREFIX + "TOKEN"
"""A token for commands that ask workers, for who does not know that of the workers, `web_token`."""
_MAX_FILE = 65_536


class Origin(NamedTuple):
    """Where the value of a setting comes from, and its text there."""

    source: Literal["option", "environment", "file"]
    where: str
    """`--app`, `LIFECYCLE_APP`, or the path of the file."""
    text: str


def origins(
    options: Mapping[str, str | None],
    *,
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> dict[str, Origin]:
    """By name, each setting that has not its default; `options` maps names to text or None.

    Raises SettingsError for a file that cannot be read and for an unknown key of it.
    """
    named = file or (Path(environment[SETTINGS_VARIABLE]) if environment.get(SETTINGS_VARIABLE) else None)
    from_file = _read_file(named) if named else {}
    found: dict[str, Origin] = {}
    for each in fields(Settings):
        option, variable = f"--{each.name.replace('_', '-')}", ENVIRONMENT_PREFIX + each.name.upper()
        text = options.get(each.name)
        if text is not None:
            found[each.name] = Origin("option", option, text)
        elif variable in environment:
            found[each.name] = Origin("environment", variable, environment[variable])
        elif each.name in from_file:
            found[each.name] = Origin("file", str(named), from_file[each.name])
    return found


def settings_from(found: Mapping[str, Origin]) -> Settings:
    """The settings that come from there, and the default of every other.

    Raises SettingsError for a value that cannot be read.
    """
    values: dict[str, Any] = {}
    for each in fields(Settings):
        if each.name in found:
            source, where, text = found[each.name]
            values[each.name] = _parse(text, f"{where}: {each.name}" if source == "file" else where, each)
    settings = Settings(**values)
    if taken := set(settings.topics.sources) & set(settings.topics.own):
        raise SettingsError(
            f"{found['interactions'].where}: interactions names {', '.join(sorted(taken))}, which workers write; name "
            "the topics that others send to"
        )
    if settings.map is not None:
        _check_topics(settings, settings.map, found["map"].where)
    return settings


def _check_topics(settings: Settings, mappings: TopicMappings, where: str) -> None:
    """A mapping is for a topic that interactions are sent to."""
    topics = read_words(settings.interactions)
    for topic in mappings.by_topic:
        if topic not in topics:
            raise SettingsError(f"{where}: map is for the topic {topic!r}, but interactions is {', '.join(topics)}")


def load_settings(
    options: Mapping[str, str | None],
    *,
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Settings from options over environment over file over defaults; `options` maps names to text or None.

    Raises SettingsError for an unknown key of the file and for a value that cannot be read.
    """
    return settings_from(origins(options, file=file, environment=environment))


def _parse(text: str, where: str, setting: Field[Any]) -> Any:
    try:
        return setting.metadata["parse"](text)
    except UnfitError as wanted:
        shown = repr(text) if setting.repr else "what it has"  # a secret is not repeated
        raise SettingsError(f"{where}: {shown} is not {wanted}") from None


def _read_file(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_FILE + 1)
        if len(text) > _MAX_FILE:
            raise SettingsError(f"settings file {path}: larger than {_MAX_FILE:,} bytes")
        content = {
            key: ",".join(map(str, value)) if isinstance(value, list) else str(value)
            for key, value in tomllib.loads(text.decode()).items()
        }
    except OSError as error:
        raise SettingsError(f"settings file {path}: {error.strerror}") from None
    except RecursionError:
        raise SettingsError(f"settings file {path}: nested too deep; a setting is a text, a number or a list") from None
    except ValueError as error:  # of TOML and UTF-8, numbers of thousands of digits, a name that no file can have
        raise SettingsError(f"settings file {path}: {error}") from None
    known = {each.name for each in fields(Settings)}
    for key in content:
        if key not in known:
            raise SettingsError(f"settings file {path}: unknown setting {key!r}; known are {', '.join(sorted(known))}")
    return content
