"""What machine this is, and which versions ran: without them a figure says nothing."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from stream.build import is_compiled
from tests.bench.builds import ROOT
from tests.kit.kafka import KAFKA


def machine() -> dict[str, Any]:
    """Processor, cores that this process may use, memory in bytes, operating system; nothing that names the machine."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "os": _system(),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def versions() -> dict[str, str | None]:
    """Versions by name; None for what is not there."""
    return {
        "commit": _commit(),
        "build": "compiled" if is_compiled() else "not compiled",
        "python": platform.python_version(),
        "kafka": _kafka(),
        "java": _java(),
        **{name: version(name) for name in ("aiokafka", "faust-streaming", "msgspec", "orjson")},
    }


def describe(facts: dict[str, Any], versions: dict[str, str | None]) -> str:
    """Machine and versions in a line, as they stand above the tables."""
    memory = facts["memory_bytes"] / 2**30
    ran = ", ".join(f"{name.capitalize()} {versions[name]}" for name in ("python", "kafka", "java"))
    return f"{facts['cores']} cores of {facts['cpu']}, {memory:.0f} GiB, {facts['os']}; {ran}"


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (found := re.search(r"^model name\s*: (.+)$", cpuinfo.read_text("utf-8"), re.MULTILINE)):
        return found[1]
    return platform.processor() or platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform(terse=True)


def _commit() -> str | None:
    """The commit that is checked out, followed by + where files differ from it."""
    described = _said("git", "-C", str(ROOT), "describe", "--always", "--exclude=*", "--abbrev=12", "--dirty=+")
    return described.strip() or None


def _kafka() -> str | None:
    jars = sorted((KAFKA / "target" / "jars").glob("kafka_2.13-*.jar"))
    return jars[0].stem.removeprefix("kafka_2.13-") if jars else None


def _java() -> str | None:
    found = re.search(r'version "([^"]+)"', _said(str(KAFKA / "target" / "java"), "-version"))
    return found[1] if found else None


def _said(*command: str) -> str:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return ended.stdout + ended.stderr if ended.returncode == 0 else ""
