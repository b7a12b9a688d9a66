"""What it means where the times of interactions are the producers' own, each seen on Apache Kafka 4.1.1."""

from collections.abc import Mapping

from stream.core.durations import format_duration

_AHEAD = 3_600_000
"""Kafka's default of `message.timestamp.after.max.ms`."""


def harms(configs: Mapping[str, str]) -> str:
    """Of an interactions topic with CreateTime and these settings."""
    ahead = int(configs.get("message.timestamp.after.max.ms", _AHEAD))
    refused = (
        f"a record more than {format_duration(ahead)} ahead (message.timestamp.after.max.ms) makes the broker refuse "
        "its whole batch, good records with it, at the producer"
    )
    deleted = (
        "history with its own times is deleted at retention's next look, minutes after it was written, and a worker "
        "that had not read it yet ends as overtaken by retention"
    )
    early = (
        "while a worker catches up, a producer's clock that is ahead fires deadlines early, before interactions that "
        "would have prevented them"
    )
    kept = configs.get("retention.ms") == "-1"
    seen = (refused, early) if kept else (refused, deleted, early)
    return f"its times are the producers' own (CreateTime): {'; '.join(seen)}"
