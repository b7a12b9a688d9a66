"""How this copy of the product was built."""

import stream.core.step


def is_compiled() -> bool:
    """Whether what every interaction passes through runs as extension modules, several times as fast as Python."""
    return not str(stream.core.step.__file__).endswith(".py")
