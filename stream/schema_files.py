"""The schemas that come with the product: of what goes in, of what comes out, and of what is served over HTTP."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def schema_text(file: str) -> str:
    """The text of a file of the folder `schemas`. Raises FileNotFoundError."""
    return _folder().joinpath(file).read_text(encoding="utf-8")


def _folder() -> Traversable:
    """Inside the package where it was installed, beside it where it runs from its sources."""
    package = files("stream")
    installed = package.joinpath("schemas")
    return installed if installed.is_dir() else Path(str(package)).parent / "schemas"
