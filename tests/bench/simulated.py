"""One run of `lifecycle simulate` on a file of interactions, by any build."""

from pathlib import Path

from tests.bench import children
from tests.bench.builds import THIS, Build
from tests.bench.ours import Measured, WrongResult


async def simulate(file: Path, interactions: int, lifecycle: str, build: Build = THIS) -> Measured:
    """The run, start and end of Python included, and how many changes it wrote. Raises WrongResult where it fails."""
    written = file.with_name("changes.jsonl")
    program = (build.python, "-m", "stream.cli", "simulate")
    options = ("--lifecycle", lifecycle, "--input", str(file), "--changes", str(written))
    ended = await children.run([*program, *options], build.folder, build.environment)
    if ended.code:
        raise WrongResult(f"lifecycle simulate of {build.name} failed: {ended.why}")
    with written.open("rb") as lines:
        changes = sum(1 for _ in lines)
    written.unlink()
    return Measured(interactions, ended.seconds, ended.cpu_seconds, changes)
