"""How long interactions are kept, and what that means: a state can be made again from what is kept, and no more."""

from stream.core.durations import DAY, format_duration
from stream.kafka.durability import Advice
from stream.setting_types import UNLIMITED
from stream.settings import Settings

DEFAULT = 7 * DAY
"""Where nobody chose; Kafka's own default."""


def retention_ms(settings: Settings, found: str | None = None) -> int:
    """Of an interactions topic as we would have it, in Kafka's words: -1 keeps everything.

    Where nobody chose, that is what an existing topic has, `found`.
    """
    if settings.retention is not None:
        return settings.retention
    return DEFAULT if found is None else int(found)


def differs(settings: Settings, found: str | None) -> Advice | None:
    """Where the existing topic's `retention.ms` is not what the setting chose; the remedy is the topic's setting."""
    if settings.retention is None or found is None or int(found) == settings.retention:
        return None
    return Advice(
        f"retention.ms is {found} ({_words(int(found))}), but the setting retention is {_words(settings.retention)}",
        f"retention.ms={settings.retention}",
    )


def meaning(settings: Settings, found: str | None) -> Advice | None:
    """What it means for a reset that a topic does not keep everything, and how to choose; None where it does."""
    kept = retention_ms(settings, found)
    if kept < 0:
        return None
    since = f"from day {kept // DAY + 1} on" if kept % DAY == 0 else f"after {_words(kept)}"
    return Advice(
        f"interactions are kept for {_words(kept)}, and `lifecycle reset` makes customers again from those alone: "
        f"{since} it forgets customers who did nothing in the last {_words(kept)}, and what all others did before",
        "choose how long with the setting retention (LIFECYCLE_RETENTION): `400d`, say, `unlimited`, or "
        f"`{_words(kept)}` where that is meant"
        if settings.retention is None
        else "that is what the setting retention chose",
    )


def _words(ms: int) -> str:
    return "unlimited" if ms == UNLIMITED else format_duration(ms)
