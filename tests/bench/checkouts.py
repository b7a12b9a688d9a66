"""Other builds to compare with: any commit of this repository, taken out of it and compiled below build/bench/builds.

The files of the commit are copied, so git knows of no second working tree, and nothing is left in the repository. What
was made once is taken again; its own scripts see what is missing. Removing the folder removes all of it.
"""

import asyncio
import fcntl
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench import children
from tests.bench.builds import ROOT, Build

FOLDER = ROOT / "build" / "bench" / "builds"
_SCRIPTS = ("deploy", "tests/kit")
"""Where commits have had the scripts that make an environment and compile, the latest first."""
_SECONDS = 1_800

Say = Callable[[str], None]


class NoBuild(RuntimeError):
    """There is no such commit, or it cannot be built here; the message says why."""


async def checked_out(name: str, say: Say) -> Build:
    """A compiled build of a commit, tag or branch. Raises NoBuild."""
    commit = await _commit(name)
    folder = FOLDER / commit[:12]
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with _alone(folder, say):
        if not folder.exists():
            say(f"commit {commit[:12]} is copied to {_shown(folder)}")
            await _copy(commit, folder)
        say(f"{name}: environment and compiled build in {_shown(folder)}, unless they are there; 3 minutes")
        scripts = next((each for each in _SCRIPTS if (folder / each / "compiled.sh").exists()), None)
        if scripts is None:
            raise NoBuild(f"commit {name} has no compiled.sh in {' or '.join(_SCRIPTS)}")
        for script, *arguments in (("venv.sh", "dev"), ("compiled.sh",)):
            await _must([f"{scripts}/{script}", *arguments], folder)
    return await _checked(Build(name, folder, str(folder / ".venv" / "bin" / "python"), _environment(folder)))


async def _commit(name: str) -> str:
    found = await children.run(["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"], ROOT)
    if found.code:
        raise NoBuild(f"this repository has no commit or tag {name!r}; perhaps git fetch --tags brings it")
    return found.output.strip()


async def _copy(commit: str, folder: Path) -> None:
    """The files of a commit in a folder, which is there at the end, whole, or not at all."""
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    archive = part / "files.tar"
    await _must(["git", "archive", "--format=tar", f"--output={archive}", commit], ROOT)
    await _must(["tar", "-xf", str(archive)], part)
    archive.unlink()
    part.rename(folder)


@asynccontextmanager
async def _alone(folder: Path, say: Say) -> AsyncIterator[None]:
    """Nobody else makes this build meanwhile; the lock ends with the process, however that ends."""
    told = False
    with folder.with_suffix(".lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    say(f"another command makes {_shown(folder)}: waiting for it")
                told = True
                await asyncio.sleep(1)
        yield


def _environment(folder: Path) -> dict[str, str]:
    """What makes a Python import the compiled modules of a checkout, and nothing from the folder it runs in."""
    return {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join((str(folder / ".venv" / "compiled"), str(folder)))}


async def _checked(build: Build) -> Build:
    """The build, once it is seen to be compiled, and of the same Python as this one. Raises NoBuild."""
    program = "import platform; from stream.build import is_compiled; print(is_compiled(), platform.python_version())"
    said = (await _must([build.python, "-c", program], build.folder, build.environment)).output.split()
    ours = sys.version.split()[0]
    if said != ["True", ours]:
        raise NoBuild(f"{build.name} is compiled: {said[0]}, with Python {said[1]}; must be compiled, with {ours}")
    return build


async def _must(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> children.Ended:
    """Raises NoBuild where a command fails."""
    # The Python that runs this, else the commit's script takes whichever it finds first; and none of our own build.
    bare = {"PYTHON": _python(), "PATH": f"{Path(_python()).parent}{os.pathsep}{os.environ['PATH']}", "VENV": ".venv"}
    bare |= {"PYTHONPATH": "", "PYTHONSAFEPATH": "", "OPTIMISE": "3"}
    try:
        # A script that is killed leaves its own behind.
        with tempfile.TemporaryDirectory(prefix="lifecycle-build-") as temporary:
            settings = {**bare, "TMPDIR": temporary, **(environment or {})}
            ended = await children.run(command, folder, settings, seconds=_SECONDS)
    except TimeoutError:
        raise NoBuild(f"{' '.join(command)} took longer than {_SECONDS} s in {_shown(folder)}") from None
    if ended.code:
        raise NoBuild(f"{' '.join(command)} failed in {_shown(folder)}: {ended.why}")
    return ended


def _python() -> str:
    """The interpreter that environments were made with, this process's among them."""
    return str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())


def _shown(folder: Path) -> str:
    return str(folder.relative_to(ROOT)) if folder.is_relative_to(ROOT) else str(folder)


def optimised(folder: Path) -> str | None:
    """How much the C compiler did for the compiled build of a checkout, 0 to 3; None where its scripts do not say."""
    made = folder / os.environ.get("VENV", ".venv") / "compiled" / "made-of"
    found = re.match(r"([0-3]) ", made.read_text(encoding="ascii")) if made.exists() else None
    return found[1] if found else None
