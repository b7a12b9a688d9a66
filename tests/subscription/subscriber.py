"""A subscriber in a process of its own: `subscriber.py BOOTSTRAP PREFIX GROUP [SECONDS]`.

Its loop takes SECONDS for each change. On stdout it says `begin ID` and `end ID`, at once.
"""

import asyncio
import sys

import stream


async def main(bootstrap: str, prefix: str, group: str, seconds: str = "0.002") -> None:
    """Until it is ended."""
    subscription = stream.subscribe(
        bootstrap, group=group, topic_prefix=prefix, session_timeout="1s", on_gap=lambda gap: print("gap", gap)
    )
    async for change in subscription:
        print("begin", change.event_id, flush=True)
        await asyncio.sleep(float(seconds))
        print("end", change.event_id, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
