"""Files that a command writes: none may overwrite another, or what is read."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import typer


def keep_outputs_apart(read: Sequence[str], outputs: Mapping[str, str | None]) -> None:
    """Raise BadParameter where an output, by its option, would overwrite what is read, or another output."""
    given = [(option, path) for option, path in outputs.items() if path is not None]
    for (one, path), (two, other) in combinations(given, 2):
        if _is_one(path, other):
            raise typer.BadParameter("each needs a file of its own", param_hint=f"'{one}' / '{two}'")
    for option, path in given:
        for other in read:
            if path != "-" and _is_one(path, other):
                raise typer.BadParameter(f"{path} would be overwritten, but it is read", param_hint=f"'{option}'")


def _is_one(path: str, other: str) -> bool:
    one, two = Path(path), Path(other)
    if one.exists() and two.exists():
        return one.is_file() and one.samefile(two)  # two devices, such as /dev/null, do no harm
    return one.resolve() == two.resolve()
