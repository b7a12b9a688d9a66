"""Which release this copy of the product is, and how it was built."""

from importlib.metadata import PackageNotFoundError, version

import stream.core.step


def is_compiled() -> bool:
    """Whether what every interaction passes through runs as extension modules, several times as fast as Python."""
    return not str(stream.core.step.__file__).endswith(".py")


def release() -> str:
    """The version, such as 1.2.0; `not installed` where it runs from files alone."""
    try:
        return version("customer-lifecycle")
    except PackageNotFoundError:
        return "not installed"
