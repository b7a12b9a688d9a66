"""A subscriber in a process of its own: `subscriber.py BOOTSTRAP PREFIX GROUP [SECONDS]`.

Its loop takes SECONDS for each change. On stdout it says `begin ID` and `end ID`, at once.
"""

import asyncio
import sys

import stream


def say(*words: object) -> None:
    """At once, for whoever reads the pipe."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def main(bootstrap: str, prefix: str, group: str, seconds: str = "0.002") -> None:
    """Until it is ended."""
    subscription = stream.subscribe(
        bootstrap, group=group, topic_prefix=prefix, session_timeout="1s", on_gap=lambda gap: say("gap", gap)
    )
    async for change in subscription:
        say("begin", change.event_id)
        await asyncio.sleep(float(seconds))
        say("end", change.event_id)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
