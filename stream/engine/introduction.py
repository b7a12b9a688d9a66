"""What a worker says of itself in its first lines of log: enough to know, from the log alone, what ran there."""

import logging
import platform
from collections.abc import Iterable
from dataclasses import fields

from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFile
from stream.core.durations import format_duration
from stream.core.times import format_time
from stream.events import Event, report
from stream.kafka.worker_versions import WorkerVersions
from stream.setting_types import UNLIMITED
from stream.settings import Settings

log = logging.getLogger(__name__)

_SAID = ("lifecycles", "bootstrap", "app", "topic_prefix", "interactions", "delivery")
"""Settings that have a line of their own."""


def introduce(settings: Settings, files: Iterable[LifecycleFile], ours: WorkerVersions, *, compiled: bool) -> None:
    """Log the release, each lifecycle, Kafka and its topics, and the settings that are not the default."""
    report(
        log.info,
        Event.WORKER_STARTED,
        "lifecycle {version} ({build}), Python {python}, worker {worker}",
        version=ours.product,
        build="compiled" if compiled else "not compiled",
        python=platform.python_version(),
        worker=ours.worker,
    )
    for file in files:
        version = ours.lifecycles[file.lifecycle.id]
        report(
            log.info,
            Event.LIFECYCLE_LOADED,
            "lifecycle {lifecycle}: version {version}, digest {digest}, from {file}",
            lifecycle=file.lifecycle.id,
            version=version.version,
            digest=version.digest,
            file=file.name,
        )
    report(
        log.info,
        Event.KAFKA_CHOSEN,
        "Kafka at {bootstrap}, group {group}, delivery {delivery}, topics {topics}",
        bootstrap=settings.bootstrap,
        group=settings.group,
        delivery=settings.delivery,
        topics=list(settings.topics.all),
    )
    changed = {name: value for name, value in changed_settings(settings).items() if name not in _SAID}
    if changed:
        report(
            log.info,
            Event.SETTINGS_CHANGED,
            "settings other than the default: {settings}",
            settings=changed,
        )


def changed_settings(settings: Settings) -> dict[str, str]:
    """The settings that differ from their default, as a person writes them; of a secret only that it is set."""
    return {
        each.name: _text(settings, each.name) if each.repr else "(set)"
        for each in fields(Settings)
        if getattr(settings, each.name) != each.default
    }


def _text(settings: Settings, name: str) -> str:
    if name in settings.deciding:
        return settings.deciding[name]
    if name == "session_timeout":
        return format_duration(settings.session_timeout)
    if name == "retention" and settings.retention is not None:
        return "unlimited" if settings.retention == UNLIMITED else format_duration(settings.retention)
    if name == "live_from" and settings.live_from is not None:
        return format_time(settings.live_from)
    value = getattr(settings, name)
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
