"""What a worker says of itself in the console."""

import platform
from dataclasses import fields
from typing import NamedTuple

from stream.engine.introduction import changed_settings
from stream.settings import HIDDEN, Settings, default_of


class About(NamedTuple):
    """The process, as long as it runs."""

    version: str
    """The release."""
    compiled: bool
    started: int
    """Epoch milliseconds."""
    demo: bool
    """It is the worker of `lifecycle demo`."""
    python: str = platform.python_version()


class SettingShown(NamedTuple):
    """A setting, as a person writes it."""

    name: str
    value: str
    """Of a secret, only that it is set."""
    default: bool
    """It is the one that nobody chose."""


def settings_shown(settings: Settings) -> list[SettingShown]:
    """All settings, in their order, secrets as `lifecycle settings` shows them."""
    changed = changed_settings(settings)
    if "blocked" in changed:  # of which the log has a fingerprint
        changed["blocked"] = ", ".join(sorted(settings.blocked))
    return [
        SettingShown(each.name, default_of(each), default=True)
        if each.name not in changed
        else SettingShown(each.name, changed[each.name] if each.repr else HIDDEN, default=False)
        for each in fields(Settings)
    ]
