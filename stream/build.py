"""Which release this copy of the product is, and how it was built."""

import platform
from importlib.metadata import PackageNotFoundError, version

import stream.core.step


def product_version() -> str:
    """The version of the installed product; `not installed` where it runs from sources alone."""
    try:
        return version("customer-lifecycle")
    except PackageNotFoundError:
        return "not installed"


def build_labels() -> dict[str, str]:
    """What distinguishes one build from another: the version, `compiled` or `not compiled`, and Python's version."""
    build = "compiled" if is_compiled() else "not compiled"
    return {"version": product_version(), "build": build, "python": platform.python_version()}


def is_compiled() -> bool:
    """Whether what every interaction passes through runs as extension modules, several times as fast as Python."""
    return not str(stream.core.step.__file__).endswith(".py")
