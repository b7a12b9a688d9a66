"""Environment variables that look like settings and are none: a misspelled one has no effect, and nobody would see."""

import re
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches

from stream.settings import Settings
from stream.settings_sources import ENVIRONMENT_PREFIX, SETTINGS_VARIABLE, TOKEN_VARIABLE

_BESIDE = (SETTINGS_VARIABLE.removeprefix(ENVIRONMENT_PREFIX), TOKEN_VARIABLE.removeprefix(ENVIRONMENT_PREFIX))
_KNOWN = (*_BESIDE, *(each.name.upper() for each in fields(Settings)))
"""Without the prefix, which all of them share: it would make any two of them alike."""
_OF_KUBERNETES = re.compile(r"\w+_SERVICE_(HOST|PORT)(_\w+)?|\w+_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?")
"""What it sets in every container for a service whose name begins with `lifecycle`; beside `…_PORT=tcp://…`."""


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A warning for each variable that begins as settings do and is none, with the nearest one."""
    warnings = []
    for variable in sorted(environment):
        _, begins, name = variable.partition(ENVIRONMENT_PREFIX)
        if begins and variable == ENVIRONMENT_PREFIX + name and name not in _KNOWN:
            if _is_of_kubernetes(variable, environment[variable]):
                continue
            near = get_close_matches(name, _KNOWN, n=1)
            meant = f"did you mean {ENVIRONMENT_PREFIX}{near[0]}? " if near else ""
            warnings.append(f"{variable} is no setting and has no effect; {meant}`lifecycle settings` lists them all")
    return warnings


def _is_of_kubernetes(name: str, value: str) -> bool:
    return bool(_OF_KUBERNETES.fullmatch(name)) or (name.endswith("_PORT") and "://" in value)
