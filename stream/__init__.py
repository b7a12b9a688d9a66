"""A streaming, real-time customer-lifecycle scorer.

For services in Python: `subscribe`, an async iterator of stage changes; see its docstring.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream.codec.stage_change_reader import SubscribedChange
    from stream.subscription.gap import Gap
    from stream.subscription.subscribe import subscribe

__all__ = ["Gap", "SubscribedChange", "subscribe"]

_MODULES = {
    "Gap": "stream.subscription.gap",
    "SubscribedChange": "stream.codec.stage_change_reader",
    "subscribe": "stream.subscription.subscribe",
}
"""Imported when they are first asked for: every command and worker imports this package, and few subscribe."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_MODULES[name]), name)
