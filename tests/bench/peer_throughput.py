"""How fast other engines do the peers' job on the interactions that ours reads, too."""

from collections.abc import Callable

from tests.bench import ours, peer_runs
from tests.bench.ours import Measured, Source
from tests.bench.peer_runs import Peer, PeerFailed
from tests.kit.topics import create_topics


async def why_missing(peer: Peer, say: Callable[[str], None]) -> str | None:
    """Install a peer; why that is impossible here, where it is."""
    try:
        await peer_runs.install(peer, say)
    except PeerFailed as why:
        say(f"    {peer.title} cannot be installed: {why}")
        return f"cannot be installed: {why}"
    return None


async def take(source: Source, peer: Peer, events: int, missing: str | None) -> Measured | str:
    """One run of a peer with a group, an output topic and a folder of its own; why, where there is no result.

    `missing` says so where it could not be installed.
    """
    if missing is not None:
        return missing
    name = f"{source.keys}-{peer.name}"
    output, state = f"{name}-stages", source.folder / name
    state.mkdir()
    await create_topics(source.bootstrap, output, partitions=ours.PARTITIONS)
    try:
        said = await peer_runs.run(
            peer, broker=source.bootstrap, topic=source.topic, output=output, group=name, state=state, events=events
        )
    except PeerFailed as why:
        return f"failed: {why}"
    changes = sum((await ours.end_offsets(source.bootstrap, output)).values())
    if not changes:
        return "failed: it wrote no stage change"
    return Measured(said["events"], said["seconds"], said["cpu_seconds"], changes)
