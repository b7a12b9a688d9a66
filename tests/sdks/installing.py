"""Make the SDKs ready to run, below build/sdks: a virtual environment, Node packages, and a browser."""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from tests.bench import children
from tests.sdks.sdks import SENDERS, Language

INSTALLED: Final = Path(__file__).resolve().parents[2] / "build" / "sdks"
PYTHON: Final = INSTALLED / "venv" / "bin" / "python"
TOOLS_PYTHON: Final = INSTALLED / "tools" / "bin" / "python"
JAVA_FOLDER: Final = INSTALLED / "java"
CLASSES: Final = (str(JAVA_FOLDER / "classes"), f"{JAVA_FOLDER / 'jars'}/*")
"""Where Java finds the sender and its SDK."""
NODE_FOLDER: Final = INSTALLED / "node"
_SECONDS: Final = 900
_OLDEST_NODE: Final = 18
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NotInstalledError(Exception):
    """Something is missing here; the message says how to install it."""


async def install(languages: Iterable[Language], say: Callable[[str], None]) -> None:
    """Make ready what SDKs of these languages need. Raises NotInstalledError."""
    wanted = set(languages)
    INSTALLED.mkdir(parents=True, exist_ok=True)
    if "python" in wanted:
        await _python(say)
    if "java" in wanted:
        await _java(say)
    if wanted & {"node", "browser"}:
        await _node(say)
    if "browser" in wanted:
        browser()


def node() -> str:
    """The program. Raises NotInstalledError."""
    found = shutil.which("node")
    if found is None:
        raise NotInstalledError(
            f"Node.js {_OLDEST_NODE} or newer is needed for SDKs of Node and browsers, with npm. "
            "On Debian or Ubuntu: apt-get install nodejs npm"
        )
    return found


def browser() -> str:
    """Chromium's program: CHROMIUM, where that is set. Raises NotInstalledError."""
    named = os.environ.get("CHROMIUM")
    for each in (named,) if named else _BROWSERS:
        found = shutil.which(each)
        if found is not None:
            return found
    raise NotInstalledError(
        "Chromium is needed for SDKs of browsers. On Debian: apt-get install chromium; "
        "or set CHROMIUM to the path of a Chromium or Chrome"
    )


async def _python(say: Callable[[str], None]) -> None:
    pins = SENDERS / "requirements.txt"
    if _is_current(pins, "python"):
        return
    say("installing SDKs for Python (once)")
    await _must([sys.executable, "-m", "venv", "--clear", str(PYTHON.parents[1])])
    quietly = ("--quiet", "--disable-pip-version-check")
    await _must([str(PYTHON), "-m", "pip", "install", *quietly, "--requirement", str(pins)])
    _stamp(pins, "python")


async def install_tools(say: Callable[[str], None]) -> None:
    """Make ready the official clients of marketing tools, in an environment of their own. Raises NotInstalledError."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    pins, alone = SENDERS / "tools_requirements.txt", SENDERS / "tools_alone.txt"
    if _is_current(pins, "tools") and _is_current(alone, "tools-alone"):
        return
    say("installing official clients of marketing tools (once)")
    await _must([sys.executable, "-m", "venv", "--clear", str(TOOLS_PYTHON.parents[1])])
    install = (str(TOOLS_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    await _must([*install, "--requirement", str(pins)])
    # They would have releases of others that this Python cannot import.
    await _must([*install, "--no-deps", "--requirement", str(alone)])
    _stamp(pins, "tools")
    _stamp(alone, "tools-alone")


def java(program: str = "java") -> str:
    """A program of a JDK. Raises NotInstalledError."""
    found = shutil.which(program)
    if found is None:
        raise NotInstalledError(
            "A JDK of 17 or newer is needed for the SDK for Java, with Maven. "
            "On Debian or Ubuntu: apt-get install openjdk-17-jdk-headless maven"
        )
    return found


async def _java(say: Callable[[str], None]) -> None:
    compiler, pins = java("javac"), SENDERS / "java" / "pom.xml"
    if not _is_current(pins, "java"):
        say("installing the SDK for Java (once)")
        java("mvn")
        quietly = ("--batch-mode", "--quiet")
        await _must(["mvn", *quietly, "--file", str(pins), f"-Dinstalled={JAVA_FOLDER}", "package"])
        _stamp(pins, "java")
    await compile_java(compiler, SENDERS / "java" / "Sender.java")


async def compile_java(compiler: str, source: Path) -> None:
    """Compile a program with the SDK. Raises NotInstalledError."""
    await _must([compiler, "-d", CLASSES[0], "-cp", CLASSES[1], str(source)])


async def _node(say: Callable[[str], None]) -> None:
    node()
    if shutil.which("npm") is None:
        raise NotInstalledError("npm is needed. On Debian or Ubuntu: apt-get install npm")
    pins = SENDERS / "package.json"
    if not _is_current(pins, "node"):
        say("installing SDKs for Node and browsers (once)")
        shutil.rmtree(NODE_FOLDER, ignore_errors=True)
        NODE_FOLDER.mkdir(parents=True)
        shutil.copy(pins, NODE_FOLDER)
        quietly = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error")
        await _must(["npm", "install", *quietly], NODE_FOLDER)
        _stamp(pins, "node")
    for program in SENDERS.glob("*.mjs"):  # a program of Node imports from beside itself
        shutil.copy(program, NODE_FOLDER)


async def _must(command: Sequence[str], folder: Path = SENDERS) -> None:
    """Run a command. Raises NotInstalledError where it fails."""
    plain = {"PYTHONSAFEPATH": "", "PYTHONPATH": ""}
    try:
        ended = await children.run(command, folder, plain, seconds=_SECONDS)
    except TimeoutError:
        raise NotInstalledError(f"{command[0]} took longer than {_SECONDS} s") from None
    except OSError as error:
        raise NotInstalledError(f"{command[0]}: {error.strerror}") from None
    if ended.code:
        raise NotInstalledError(f"{' '.join(command)} failed:\n{ended.errors}{ended.output}")


def _is_current(pins: Path, name: str) -> bool:
    stamp = INSTALLED / f"{name}.installed"
    return stamp.exists() and stamp.read_text(encoding="ascii") == _fingerprint(pins)


def _stamp(pins: Path, name: str) -> None:
    (INSTALLED / f"{name}.installed").write_text(_fingerprint(pins), encoding="ascii")


def _fingerprint(pins: Path) -> str:
    return f"{sys.version_info[:2]} {hashlib.sha256(pins.read_bytes()).hexdigest()}"
