"""Whether there is tracing. Nothing of OpenTelemetry is imported before the setting is on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from stream.errors import SettingsError
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.tracing.tracing import Tracing

_MISSING: Final = (
    "the setting tracing is on, but needs OpenTelemetry, which is not installed; install it: "
    "pip install 'customer-lifecycle[tracing]'"
)


def tracing_of(settings: Settings, role: str) -> "Tracing | None":
    """The tracing of a process; None where the setting is off.

    Raises SettingsError where OpenTelemetry is not installed, or cannot be used as its environment variables say.
    """
    if not settings.tracing:
        return None
    with _opentelemetry():
        from stream.tracing.tracing import start  # noqa: PLC0415 it imports OpenTelemetry
    return start(role)


def current_trace_of(settings: Settings) -> Callable[[], str | None] | None:
    """What tells the trace within which it is called; None where the setting is off. Raises as `tracing_of`."""
    if not settings.tracing:
        return None
    with _opentelemetry():
        from stream.tracing.contexts import current_trace  # noqa: PLC0415 it imports OpenTelemetry
    return current_trace


@contextmanager
def _opentelemetry() -> Iterator[None]:
    """In which it is imported."""
    try:
        yield
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        raise SettingsError(_MISSING) from None
