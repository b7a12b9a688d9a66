"""Settings as options of a command."""

import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final, cast

import typer

from stream.cli.terminal.unknown_variables import unknown_variables
from stream.errors import SettingsError
from stream.settings import Settings, default_of
from stream.settings_sources import ENVIRONMENT_PREFIX, origins, settings_from

Command = Callable[..., None]
_FILE = "settings_file"
_BESIDE_BOOTSTRAP = (
    "security_protocol",
    "ssl_cafile",
    "ssl_certfile",
    "ssl_keyfile",
    "sasl_mechanism",
    "sasl_username",
)
"""Whoever connects may have to say these, too. Passwords are no options: every process list would show them."""


OF_STATE: Final = (
    "bootstrap",
    "app",
    "topic_prefix",
    "interactions",
    "lifecycles",
    "delivery",
    "clock",
    "grace",
    "forget_after",
    "forget_identified_after",
    "blocked",
    "ids",
    "earliest_time",
    "map",
    "partitioner",
)
"""Settings that say which state is meant, and what it was made with."""


def with_settings(*names: str, apart: bool = False) -> Callable[[Command], Command]:
    """Give a command an option for each of these settings, and `--settings FILE`.

    The command itself takes one argument `settings`, by name: all settings, loaded from options over
    environment over file over defaults. Its other parameters stay options and arguments of their own.
    With `bootstrap` come the other options of the connection to Kafka.
    With `apart`, the argument is `found` instead: where each setting comes from, as `stream.settings.origins` has it.
    A variable that looks like a setting and is none is warned of on stderr, or by a command with `log_format` itself,
    in its log.
    Raises KeyError for a name that is no setting; the command raises SettingsError for an impossible value.
    """
    known = {each.name: each for each in fields(Settings)}
    beside = _BESIDE_BOOTSTRAP if "bootstrap" in names else ()
    options = {name: _option(known[name]) for name in (*names, *beside)}
    argument = "found" if apart else "settings"

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(**given: object) -> None:
            chosen = {name: cast("str | None", given.pop(name)) for name in options}
            file = cast("Path | None", given.pop(_FILE))
            try:
                found = origins(chosen, file=file)
                given[argument] = found if apart else settings_from(found)
            except SettingsError:
                _warn()  # it may be why
                raise
            if apart or "log_format" not in options:
                _warn()
            command(**given)

        own = inspect.signature(command, eval_str=True).parameters.values()
        parameters = [each.replace(kind=each.KEYWORD_ONLY) for each in own if each.name != argument]
        parameters += [_parameter(*each) for each in (*options.items(), (_FILE, _SETTINGS_FILE))]
        return declare(run, parameters)

    return decorate


def declare(command: Command, parameters: Sequence[inspect.Parameter]) -> Command:
    """Make typer see these as the options of a command, whatever it takes itself."""
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions have none
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


def _warn() -> None:
    for warning in unknown_variables(os.environ):
        typer.secho(warning, err=True, fg=typer.colors.YELLOW)


def variable_of(setting: Field[Any]) -> str:
    """The environment variable of a setting."""
    return ENVIRONMENT_PREFIX + setting.name.upper()


def _option(setting: Field[Any]) -> object:
    default = default_of(setting) or "empty"
    return Annotated[
        str | None,
        # Not typer's own way with variables: it would hide from `load_settings` where a value comes from.
        typer.Option(
            f"--{setting.name.replace('_', '-')}",
            help=f"{setting.metadata['help']} ({variable_of(setting)}; by default {default})",
            rich_help_panel="Settings",
            metavar="TEXT",
        ),
    ]


_SETTINGS_FILE = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        help=f"TOML file of settings; `lifecycle settings` lists them ({ENVIRONMENT_PREFIX}SETTINGS)",
        rich_help_panel="Settings",
        metavar="FILE",
    ),
]


def _parameter(name: str, annotation: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
